"""The files in which hosts keep a VST3's state (.vstpreset): a header, chunks, and a list of the chunks."""

from __future__ import annotations

import struct

COMPONENT = b"Comp"
_HEADER = struct.Struct("<4si32sq")  # "VST3", version, class id as hexadecimal text, place of the list
_ENTRY = struct.Struct("<4sqq")  # id, place, size


def state_of(preset: bytes) -> bytes:
    """What the plug-in itself wrote."""
    magic, _, _, place = _HEADER.unpack_from(preset)
    assert magic == b"VST3"
    count = struct.unpack_from("<4si", preset, place)[1]
    entries = [_ENTRY.unpack_from(preset, place + 8 + each * _ENTRY.size) for each in range(count)]
    return next(preset[at : at + size] for name, at, size in entries if name == COMPONENT)


def with_state(preset: bytes, state: bytes) -> bytes:
    """A preset of the same class with another state."""
    magic, version, class_id, _ = _HEADER.unpack_from(preset)
    header = _HEADER.pack(magic, version, class_id, _HEADER.size + len(state))
    return header + state + struct.pack("<4si", b"List", 1) + _ENTRY.pack(COMPONENT, _HEADER.size, len(state))
