"""A look over msgpack bytes before they are unpacked: nothing is made, only places in the bytes are followed."""

from __future__ import annotations

from dataclasses import dataclass

from segue_protocol.errors import Code, ProtocolError
from segue_protocol.limits import MAX_DEPTH


@dataclass(frozen=True)
class _Head:
    """What a first byte says: the kind of object; ``size``: its bytes or objects, or in how many bytes that stands."""

    kind: str
    size: int
    in_bytes: bool = False


def _heads() -> list[_Head | None]:
    """By first byte; None for extension types and 0xC1."""
    heads: list[_Head | None] = [None] * 256
    heads[0x00:0x80] = [_Head("number", 0)] * 128
    heads[0xE0:0x100] = [_Head("number", 0)] * 32
    heads[0x80:0x90] = [_Head("map", n) for n in range(16)]
    heads[0x90:0xA0] = [_Head("array", n) for n in range(16)]
    heads[0xA0:0xC0] = [_Head("string", n) for n in range(32)]
    heads[0xC0] = heads[0xC2] = heads[0xC3] = _Head("number", 0)  # nil, false, true
    heads[0xCA:0xCC] = [_Head("number", 4), _Head("number", 8)]
    heads[0xCC:0xD4] = [_Head("number", n) for n in (1, 2, 4, 8, 1, 2, 4, 8)]
    heads[0xC4:0xC7] = [_Head("binary", n, True) for n in (1, 2, 4)]
    heads[0xD9:0xDC] = [_Head("string", n, True) for n in (1, 2, 4)]
    heads[0xDC:0xDE] = [_Head("array", n, True) for n in (2, 4)]
    heads[0xDE:0xE0] = [_Head("map", n, True) for n in (2, 4)]
    return heads


_HEADS = _heads()


def check_header(header: bytes | bytearray | memoryview) -> None:
    """Refuse what is not exactly one object of nil, booleans, numbers, strings, binaries, arrays and maps of strings.

    Raises:
        ProtocolError: MALFORMED: cut, trailing bytes, deeper than 8, an extension type or 0xC1, a key that is not a
        string, or a length beyond the bytes that follow.
    """
    data = bytes(header)
    at = 0
    left = [1]  # objects still to come, for each container around this place; in maps keys count too
    is_map = [False]
    while left:
        if left[-1] == 0:
            left.pop()
            is_map.pop()
            continue
        is_key = is_map[-1] and left[-1] % 2 == 0
        left[-1] -= 1
        kind, size, at = _next(data, at)
        if is_key and kind != "string":
            raise _malformed(f"expected a string as key, got {kind} before byte {at}")
        items = 2 * size if kind == "map" else size
        if items > len(data) - at:
            raise _malformed(f"expected {items} more bytes or objects at byte {at}, got {len(data) - at} bytes")
        if kind not in ("map", "array"):
            at += size
            continue
        if len(left) > MAX_DEPTH:
            raise _malformed(f"expected at most {MAX_DEPTH} maps and arrays inside one another, got more")
        left.append(items)
        is_map.append(kind == "map")
    if at != len(data):
        raise _malformed(f"expected one object, got {len(data) - at} bytes after it")


def _next(data: bytes, at: int) -> tuple[str, int, int]:
    """The kind of the object at ``at``, its size in bytes or in entries, and the place behind its head."""
    if at >= len(data):
        raise _malformed(f"expected an object at byte {at}, got the end")
    head = _HEADS[data[at]]
    at += 1
    if head is None:
        raise _malformed(f"expected plain msgpack, got the byte 0x{data[at - 1]:02X}: an extension, or unused")
    if not head.in_bytes:
        return head.kind, head.size, at
    behind = at + head.size
    if behind > len(data):
        raise _malformed(f"expected a length of {head.size} bytes at byte {at}, got the end")
    return head.kind, int.from_bytes(data[at:behind], "big"), behind


def _malformed(message: str) -> ProtocolError:
    return ProtocolError(Code.MALFORMED, message)
