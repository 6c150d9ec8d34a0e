"""The one module that packs, checks and parses messages. What it lets through has the types and ranges of spec.md.

A header is scanned before anything is made of it, so that what it declares never costs more memory than it has bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgpack  # type: ignore[import-untyped]
from pydantic import ValidationError

from segue_protocol import limits
from segue_protocol.errors import Code, ProtocolError
from segue_protocol.messages import MESSAGES, Chunk, Hello, Message, Payload, Sender, Submit, Welcome
from segue_protocol.scan import check_header

Frame: TypeAlias = bytes | bytearray | memoryview

_JOB = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MALFORMED_KINDS = ("missing", "_type")  # pydantic's names of errors: a field is missing, or of another type


def frame_bytes(frame: Frame) -> int:
    """Bytes of a frame, also where it is a view of wider numbers."""
    return frame.nbytes if isinstance(frame, memoryview) else len(frame)


@dataclass(frozen=True)
class Received:
    """A message with its payload, empty where it has none."""

    message: Message
    payload: Frame = b""

    @property
    def text(self) -> str:
        """The payload of RECIPE or RESULT."""
        return bytes(self.payload).decode()


def pack(message: Message, payload: Frame = b"") -> list[Frame]:
    """Header and payload frames of a message; the seal (:mod:`segue_protocol.session`) goes before them.

    Raises:
        ProtocolError: INVALID, a header longer than 64 KiB; MALFORMED, a payload that is not what the header declares.
    """
    header = msgpack.packb({"type": message.TYPE, **message.model_dump(exclude_none=True)})
    if len(header) > limits.MAX_HEADER_BYTES:
        raise ProtocolError(
            Code.INVALID,
            f"expected a {message.TYPE} header of at most {limits.MAX_HEADER_BYTES} bytes, got {len(header)}",
            "give fewer curve points or gaps",
            job=getattr(message, "job", None),
        )
    bare = message.PAYLOAD is Payload.NONE and not frame_bytes(payload)
    frames: list[Frame] = [header] if bare else [header, payload]
    _check_payload(message, frames[1:])
    return frames


def parse(frames: Sequence[Frame], sender: Sender) -> Received:
    """The message in a header frame and at most one payload frame. ``sender``: whose messages are expected.

    Raises:
        ProtocolError: MALFORMED, INVALID, UNSUPPORTED (unknown type, or not for this sender to send), VERSION.
    """
    if not 1 <= len(frames) <= 2:
        raise ProtocolError(Code.MALFORMED, f"expected a header and at most one payload, got {len(frames)} frames")
    fields = _fields(frames[0])
    kind = _kind(fields, sender)
    try:
        message = _validated(kind, fields)
        _check_payload(message, frames[1:])
    except ProtocolError as error:
        error.submitted = kind is Submit
        raise
    return Received(message, frames[1] if len(frames) > 1 else b"")


def _fields(header: Frame) -> dict[str, Any]:
    if not 1 <= len(header) <= limits.MAX_HEADER_BYTES:
        raise ProtocolError(
            Code.MALFORMED, f"expected a header of 1 to {limits.MAX_HEADER_BYTES} bytes, got {len(header)}"
        )
    check_header(header)
    try:
        fields = msgpack.unpackb(header, use_list=False, object_pairs_hook=_unique)
    except ValueError as error:  # a string that is not UTF-8
        raise ProtocolError(Code.MALFORMED, f"expected strings in UTF-8: {error}") from None
    if not isinstance(fields, dict):
        raise ProtocolError(Code.MALFORMED, f"expected a map as header, got {type(fields).__name__}")
    return fields


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ProtocolError(Code.MALFORMED, "expected each key of a map once, got one twice")
    return fields


def _kind(fields: dict[str, Any], sender: Sender) -> type[Message]:
    name = fields.get("type")
    if not isinstance(name, str):
        raise ProtocolError(Code.MALFORMED, "expected a header with a string 'type', got none")
    kind = MESSAGES.get(name)
    if kind is None or sender not in kind.SENDER:
        known = ", ".join(known for known, one in MESSAGES.items() if sender in one.SENDER)
        raise ProtocolError(
            Code.UNSUPPORTED,
            f"expected one of {known} from a {sender.name.lower()}, got {name[:40]!r}",
            job=_job(fields),
        )
    if kind in (Hello, Welcome):
        _check_version(fields)
    return kind


def _check_version(fields: dict[str, Any]) -> None:
    """Before the other fields, which another major version may have changed."""
    version, nonce = fields.get("protocol"), fields.get("nonce")
    major = version.partition(".")[0] if isinstance(version, str) else ""
    if major.isascii() and major.isdigit() and len(major) <= 4 and int(major) != limits.MAJOR:
        raise ProtocolError(
            Code.VERSION,
            f"expected protocol {limits.MAJOR}.x (this side speaks {limits.PROTOCOL_VERSION}), the other side "
            f"speaks {str(version)[:9]}",
            nonce=nonce if isinstance(nonce, bytes) and len(nonce) == limits.NONCE_BYTES else None,
        )


def _job(fields: dict[str, Any]) -> str | None:
    job = fields.get("job")
    return job if isinstance(job, str) and _JOB.fullmatch(job) else None


def _validated(kind: type[Message], fields: dict[str, Any]) -> Message:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise _refusal(kind, fields, error) from None


def _refusal(kind: type[Message], fields: dict[str, Any], error: ValidationError) -> ProtocolError:
    """What pydantic found, as one line; a wrong shape comes before a wrong value."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    wrong = [one for one in found if one["type"].endswith(_MALFORMED_KINDS)]
    first = (wrong or found)[0]
    where = ".".join(str(place) for place in first["loc"]) or "the message"
    code = Code.MALFORMED if wrong else Code.INVALID
    return ProtocolError(code, f"{kind.TYPE}, {where}: {first['msg']}", job=_job(fields))


def _check_payload(message: Message, payloads: Sequence[Frame]) -> None:
    """Shape times type must equal the bytes that came; before anything is allocated for them."""
    job = getattr(message, "job", None)
    if message.PAYLOAD is Payload.NONE:
        if payloads:
            raise ProtocolError(Code.MALFORMED, f"expected {message.TYPE} without a payload, got one", job=job)
        return
    expected: int = message.bytes  # type: ignore[attr-defined]  # every message with a payload declares its size
    got = (
        payloads[0].nbytes if payloads and isinstance(payloads[0], memoryview) else len(payloads[0]) if payloads else 0
    )
    if got != expected or not got <= limits.MAX_PAYLOAD_BYTES:
        shape = f" ({message.channels} channels of {message.samples} samples)" if isinstance(message, Chunk) else ""
        raise ProtocolError(
            Code.MALFORMED,
            f"expected a payload of {expected} bytes{shape} and at most {limits.MAX_PAYLOAD_BYTES}, got {got}",
            job=job,
        )
    if message.PAYLOAD is Payload.TEXT:
        try:
            bytes(payloads[0]).decode()
        except UnicodeDecodeError as error:
            raise ProtocolError(Code.MALFORMED, f"expected a payload in UTF-8: {error}", job=job) from None
