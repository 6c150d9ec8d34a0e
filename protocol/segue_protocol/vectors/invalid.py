"""Messages that must be refused, with the code of the refusal."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import msgpack  # type: ignore[import-untyped]

from segue_protocol import limits
from segue_protocol import messages as m
from segue_protocol.codec import pack
from segue_protocol.errors import Code
from segue_protocol.messages import Sender
from segue_protocol.vectors import valid
from segue_protocol.vectors.vector import CLIENT_NONCE, Vector, plain

Case = tuple[str, str, list[bytes], Code]
CLIENT, MALFORMED, INVALID = Sender.CLIENT, Code.MALFORMED, Code.INVALID
_PING = msgpack.packb({"type": "PING", "token": 5})


def _fields(message: m.Message) -> dict[str, Any]:
    fields: dict[str, Any] = msgpack.unpackb(bytes(pack(message)[0]))
    return fields


def _changed(fields: dict[str, Any], **changes: Any) -> bytes:
    """A header with fields changed; those changed to ... are left out."""
    changed = {name: value for name, value in {**fields, **changes}.items() if value is not ...}
    header: bytes = msgpack.packb(changed)
    return header


def broken_msgpack() -> Iterator[Case]:
    """Fault 18: bytes that are no plain msgpack map."""
    yield "empty-header", "no bytes", [b""], MALFORMED
    yield "unused-byte", "0xC1", [b"\xc1"], MALFORMED
    yield "unused-byte-inside", "0xC1 as a value", [_PING[:-1] + b"\xc1"], MALFORMED
    yield "not-a-map", "an array", [msgpack.packb(["PING", 5])], MALFORMED
    yield "a-number", "a number", [b"\x05"], MALFORMED
    yield "cut", "the last byte missing", [_PING[:-1]], MALFORMED
    yield "trailing", "a byte behind", [_PING + b"\xc0"], MALFORMED
    yield "two-objects", "the message twice", [_PING + _PING], MALFORMED
    yield "integer-key", "a number as key", [msgpack.packb({"type": "PING", "token": 5, 3: 4})], MALFORMED
    yield "binary-key", "a binary as key", [msgpack.packb({"type": "PING", "token": 5, b"k": 4})], MALFORMED
    yield "array-key", "an array as key", [b"\x83" + _PING[1:] + b"\x90\x00"], MALFORMED
    yield "duplicate-key", "the token twice", [b"\x83" + _PING[1:] + b"\xa5token\x06"], MALFORMED
    nested = b"\x83" + _PING[1:] + b"\xa1x\x82\xa1y\x01\xa1y\x02"
    yield "duplicate-nested-key", "twice in an unknown field", [nested], MALFORMED
    yield "extension", "an extension type", [b"\x83" + _PING[1:] + b"\xa1x\xd4\x01\x00"], MALFORMED
    yield "timestamp", "msgpack's own extension", [b"\x83" + _PING[1:] + b"\xa1x\xd6\xff\0\0\0\0"], MALFORMED
    yield "depth-9", "one deeper than allowed", [b"\x83" + _PING[1:] + b"\xa1x" + b"\x91" * 7 + b"\x90"], MALFORMED
    yield "depth-3000", "3000 arrays", [b"\x83" + _PING[1:] + b"\xa1x" + b"\x91" * 3000 + b"\x90"], MALFORMED
    yield "depth-3000-maps", "3000 maps", [b"\x81\xa1x" * 3000 + b"\x80"], MALFORMED
    for name, head in (("string", b"\xdb"), ("binary", b"\xc6"), ("array", b"\xdd"), ("map", b"\xdf")):
        huge = b"\x83" + _PING[1:] + b"\xa1x" + head + b"\xff\xff\xff\xff"
        yield f"huge-{name}", f"a {name} of 4 G declared", [huge], MALFORMED
    yield "huge-header-map", "a map of 4 G entries declared", [b"\xdf\xff\xff\xff\xff"], MALFORMED
    yield "cut-length", "the length itself cut", [b"\x81\xa1x\xdb\xff\xff"], MALFORMED
    for name, text in (
        ("lone", b"\xff"),
        ("overlong", b"\xc0\x80"),
        ("surrogate", b"\xed\xa0\x80"),
        ("cut", b"\xe2\x99"),
    ):
        bad = b"\x83" + _PING[1:] + b"\xa1x" + bytes([0xA0 + len(text)]) + text
        yield f"utf8-{name}", "not UTF-8", [bad], MALFORMED
    yield "utf8-beyond", "beyond U+10FFFF", [b"\x83" + _PING[1:] + b"\xa1x\xa4\xf4\x90\x80\x80"], MALFORMED
    yield "utf8-key", "a key that is not UTF-8", [b"\x83" + _PING[1:] + b"\xa1\xff\x00"], MALFORMED
    longer = msgpack.packb({"type": "PING", "token": 5, "pad": "x" * (limits.MAX_HEADER_BYTES - 24)})
    yield "header-too-long", "a header of 64 KiB and a byte", [longer], MALFORMED


def _frames() -> Iterator[Case]:
    """Fault 16 and 19: the wrong frames, or frames that are not what the header declares."""
    chunk = plain(pack(m.Chunk(**valid.JOB, stream=0, offset=0, samples=3, channels=2), valid.AUDIO))
    yield "no-frames", "nothing behind the seal", [], MALFORMED
    yield "three-frames", "two payloads", [*chunk, b""], MALFORMED
    yield "payload-unwanted", "PING with a payload", [_PING, b"\0\0\0\0"], MALFORMED
    yield "payload-unwanted-empty", "PING with an empty payload", [_PING, b""], MALFORMED
    yield "payload-missing", "CHUNK without one", [chunk[0]], MALFORMED
    yield "payload-short", "a byte less than the shape", [chunk[0], chunk[1][:-1]], MALFORMED
    yield "payload-long", "a sample more than the shape", [chunk[0], chunk[1] + b"\0\0\0\0"], MALFORMED
    yield "payload-empty", "nothing in it", [chunk[0], b""], MALFORMED
    fields = msgpack.unpackb(chunk[0])
    yield "shape-mono", "one channel of the same samples", [_changed(fields, channels=1), chunk[1]], MALFORMED
    large = _changed(fields, samples=1 << 18)
    yield "shape-over-payload", "2 MiB declared", [large, chunk[1]], MALFORMED
    for name, wrong in (("zero", 0), ("negative", -3), ("overflow", 1 << 62), ("wraps", (1 << 63) + 3)):
        yield f"samples-{name}", f"{wrong} samples", [_changed(fields, samples=wrong), chunk[1]], INVALID
    yield "channels-zero", "no channels", [_changed(fields, channels=0), chunk[1]], INVALID
    yield "channels-three", "three channels", [_changed(fields, channels=3), chunk[1]], INVALID
    yield "offset-negative", "before the start", [_changed(fields, offset=-1), chunk[1]], INVALID
    yield "offset-2-53", "beyond 2^53 - 1", [_changed(fields, offset=1 << 53), chunk[1]], INVALID
    yield "stream-negative", "stream -1", [_changed(fields, stream=-1), chunk[1]], INVALID
    yield "samples-float", "3.0 samples", [_changed(fields, samples=3.0), chunk[1]], MALFORMED
    yield "samples-text", "'3' samples", [_changed(fields, samples="3"), chunk[1]], MALFORMED
    yield "samples-true", "true samples", [_changed(fields, samples=True), chunk[1]], MALFORMED
    yield "samples-nil", "nil samples", [_changed(fields, samples=None), chunk[1]], MALFORMED


def _types() -> Iterator[Case]:
    """Fault 20: types and versions."""
    yield "type-missing", "no type", [msgpack.packb({"token": 5})], MALFORMED
    yield "type-number", "a number as type", [msgpack.packb({"type": 5})], MALFORMED
    yield "type-unknown", "a type of the future", [msgpack.packb({"type": "REMIX", "token": 5})], Code.UNSUPPORTED
    yield "type-lower-case", "names are in capitals", [msgpack.packb({"type": "ping", "token": 5})], Code.UNSUPPORTED
    pong = msgpack.packb({"type": "PONG", "token": 5})
    yield "type-of-the-other-side", "PONG from a client", [pong], Code.UNSUPPORTED
    hello = _fields(m.Hello(nonce=CLIENT_NONCE, client="x"))
    yield "version-2", "another major version", [_changed(hello, protocol="2.0")], Code.VERSION
    yield "version-0", "an older major version", [_changed(hello, protocol="0.9")], Code.VERSION
    other = _changed(hello, protocol="2.0", client=..., nonce=..., knock=1)
    yield "version-2-other-fields", "whose HELLO looks different", [other], Code.VERSION
    yield "version-odd", "not a version", [_changed(hello, protocol="one")], INVALID
    yield "version-three-parts", "1.0.0", [_changed(hello, protocol="1.0.0")], INVALID
    yield "version-number", "a number", [_changed(hello, protocol=1.0)], MALFORMED
    yield "nonce-short", "31 bytes", [_changed(hello, nonce=CLIENT_NONCE[:-1])], INVALID
    yield "nonce-text", "a string", [_changed(hello, nonce="x" * 32)], MALFORMED
    yield "field-missing", "no client", [_changed(hello, client=...)], MALFORMED
    yield "line-long", "257 bytes of client", [_changed(hello, client="é" * 128 + "x")], INVALID
    yield "ping-negative", "token -1", [msgpack.packb({"type": "PING", "token": -1})], INVALID


def _submits() -> Iterator[Case]:
    """Jobs no renderer can take, whatever its limits."""
    fields = _fields(valid.SUBMIT)
    stream, settings = fields["streams"][0], fields["settings"]

    def case(name: str, about: str, code: Code, **changes: Any) -> Case:
        return f"submit-{name}", about, [_changed(fields, **changes)], code

    def streams(name: str, about: str, code: Code, **changes: Any) -> Case:
        return case(name, about, code, streams=[{**stream, **changes}])

    yield case("no-settings", "settings left out", MALFORMED, settings=...)
    yield case("settings-array", "settings as an array", MALFORMED, settings=[])
    yield case("no-streams", "no audio", INVALID, streams=[])
    yield case("two-tracks", "two tracks", INVALID, streams=[stream, stream])
    yield case("stream-number", "a number for a stream", MALFORMED, streams=[5])
    yield streams("no-track", "only a song", INVALID, role="song")
    yield streams("rate-low", "7999 Hz", INVALID, rate=7999)
    yield streams("rate-high", "768001 Hz", INVALID, rate=768_001)
    yield streams("rate-float", "44100.5 Hz", MALFORMED, rate=44_100.5)
    yield streams("samples-none", "no samples", INVALID, samples=0)
    yield streams("samples-huge", "2^40 + 1 samples", INVALID, samples=limits.MAX_SAMPLES + 1)
    yield streams("digest-odd", "not a digest", INVALID, digest="../../etc/passwd")
    yield streams("mark-negative", "before the start", INVALID, marks=[{"kind": "nonfinite", "start": -1, "stop": 2}])
    yield streams("marks-many", "65 marks", INVALID, marks=[{"kind": "nonfinite", "start": 0, "stop": 1}] * 65)
    for name, job in (("path", "../job"), ("empty", ""), ("long", "j" * 65), ("line", "job\n"), ("unicode", "jöb")):
        yield case(f"job-{name}", f"job id {job[:9]!r}", INVALID, job=job)
    yield case("job-number", "a number as job id", MALFORMED, job=5)
    yield case("generation-negative", "generation -1", INVALID, generation=-1)
    yield case("task-path", "a path as task", INVALID, task="../infill")
    yield case("gap-three", "a gap of three numbers", MALFORMED, gaps=[[1, 2, 3]])
    yield case("gap-one", "a gap of one number", MALFORMED, gaps=[[1]])
    yield case("gap-floats", "a gap in seconds", MALFORMED, gaps=[[1.0, 2.0]])
    yield case("gaps-many", "257 gaps", INVALID, gaps=[[2 * i, 2 * i + 1] for i in range(257)])
    yield case("added-zero", "a continuation by nothing", INVALID, added=0)
    yield case("backward-number", "1 for true", MALFORMED, backward=1)
    yield case("backward-nil", "nil for a flag", MALFORMED, backward=None)
    yield case("deadline-negative", "a deadline in the past", INVALID, deadline=-1.0)
    yield case("deadline-nan", "a deadline that is no number", INVALID, deadline=float("nan"))
    yield case("credits-many", "1025 credits", INVALID, credits=1025)
    yield from _settings(case, settings)
    yield from _curves(case)


def _settings(case: Callable[..., Case], settings: dict[str, Any]) -> Iterator[Case]:
    wrong: tuple[tuple[str, Any, Code], ...] = (
        ("seed", -1, INVALID),
        ("seed", 1 << 63, INVALID),
        ("seed", None, MALFORMED),
        ("steps", 0, INVALID),
        ("steps", 1001, INVALID),
        ("candidates", 0, INVALID),
        ("candidates", 17, INVALID),
        ("bundle", "../embedded", INVALID),
        ("bundle", "/etc", INVALID),
        ("preset", "..", INVALID),
        ("prompt", "♪" * 683, INVALID),
        ("prompt", b"drums", MALFORMED),
    )
    for index, (name, value, code) in enumerate(wrong):
        shown = repr(value) if len(repr(value)) < 30 else "too much"
        yield case(f"{name}-{index}", f"{name} of {shown}", code, settings={**settings, name: value})


def _curves(case: Callable[..., Case]) -> Iterator[Case]:
    infinite = float("inf")
    yield case("curve-empty", "a curve without points", INVALID, curves=[{"name": "freedom", "points": []}])
    back = [{"name": "freedom", "points": [[1.0, 0.0], [0.5, 1.0]]}]
    yield case("curve-backwards", "points not in order of time", INVALID, curves=back)
    nan = [{"name": "freedom", "points": [[0.0, float("nan")]]}]
    yield case("curve-nan", "a value that is no number", INVALID, curves=nan)
    endless = [{"name": "guidance", "points": [[0.0, infinite]]}]
    yield case("curve-infinite", "an infinite strength", INVALID, curves=endless)
    yield case("curve-flat", "a number as point", MALFORMED, curves=[{"name": "freedom", "points": [0.5]}])
    long = [{"name": "freedom", "points": [[0.0, 0.0, 0.0]]}]
    yield case("curve-triple", "a point of three numbers", MALFORMED, curves=long)
    twice = [{"name": "freedom", "points": [[0.0, 0.5]]}] * 2
    yield case("curve-twice", "the same curve twice", INVALID, curves=twice)
    many = [{"name": name, "points": [[0, 0]] * 1025} for name in ("freedom", "style")]
    yield case("curve-points-many", "2050 points in all", INVALID, curves=many)
    nine = [{"name": f"curve {i}", "points": [[0, 0]]} for i in range(9)]
    yield case("curves-many", "nine curves", INVALID, curves=nine)


def _from_renderer() -> Iterator[Case]:
    """Sent by a renderer; a client must refuse them."""
    busy = {"type": "BUSY", **valid.JOB, "retry_after": 1.0, "message": ""}
    yield "busy-infinite", "come again never", [_changed(busy, retry_after=float("inf"))], INVALID
    yield "busy-text", "seconds as a string", [_changed(busy, retry_after="1")], MALFORMED
    progress = {"type": "PROGRESS", **valid.JOB, "stage": "sample", "step": 0, "steps": 1, "fraction": 0.5}
    yield "progress-over", "more than all of it", [_changed(progress, fraction=1.5)], INVALID
    nan = struct.unpack(">d", b"\x7f\xf8\0\0\0\0\0\0")[0]
    yield "progress-nan", "no number", [_changed(progress, seconds_left=nan)], INVALID
    result = plain(pack(m.Result(**valid.JOB, ranking=(0,), stored=True, bytes=len(valid.REPORT)), valid.REPORT))
    yield "report-cut", "a report shorter than declared", [result[0], result[1][:-1]], MALFORMED
    yield "report-binary", "a report that is not UTF-8", [result[0], b"\xff" * len(valid.REPORT)], MALFORMED
    yield "ranking-empty", "no candidate", [_changed(msgpack.unpackb(result[0]), ranking=[]), result[1]], INVALID
    yield "report-huge", "2 MiB declared", [_changed(msgpack.unpackb(result[0]), bytes=1 << 21), result[1]], INVALID
    yield (
        "hello-from-renderer",
        "HELLO from a renderer",
        _bare(m.Hello(nonce=CLIENT_NONCE, client="")),
        Code.UNSUPPORTED,
    )
    failed = {"type": "FAILED", **valid.JOB, "code": "nonfinite", "message": "", "remedy": ""}
    yield "code-lower-case", "codes are in capitals", [_changed(failed)], INVALID
    welcome = _fields(next(one for _, _, one, _ in valid.messages() if one.TYPE == "WELCOME"))
    yield "welcome-version-2", "another major version", [_changed(welcome, protocol="2.0")], Code.VERSION
    yield "welcome-no-limits", "no limits", [_changed(welcome, limits=...)], MALFORMED
    chunked = {**welcome["limits"], "max_chunk_bytes": limits.MAX_PAYLOAD_BYTES + 1}
    yield "welcome-chunks", "chunks over 1 MiB", [_changed(welcome, limits=chunked)], INVALID


def _bare(message: m.Message) -> list[bytes]:
    """Frames of a message without a payload."""
    return list(plain(pack(message)))


def vectors() -> Iterator[Vector]:
    """All invalid ones that are not about seals."""
    for source, sender in ((broken_msgpack, CLIENT), (_frames, CLIENT), (_types, CLIENT), (_submits, CLIENT)):
        for name, about, frames, code in source():
            yield Vector(f"bad-{name}", about, sender, tuple(frames), code=code)
    for name, about, frames, code in _from_renderer():
        yield Vector(f"bad-{name}", about, Sender.RENDERER, tuple(frames), code=code)
