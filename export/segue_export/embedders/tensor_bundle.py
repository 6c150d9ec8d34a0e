"""Reads TensorFlow's checkpoints ("tensor bundles") without TensorFlow: an index of names and a file of raw numbers.

The index is a LevelDB table: blocks of (key, value) whose keys share prefixes, each block followed by its compression
and checksum, and at the very end the place of the block that lists the blocks. Values are protocol buffers. Sources:
``tensorflow/tsl/lib/io/format.cc`` and ``tensorflow/core/protobuf/tensor_bundle.proto``. Read is what savers write by
default: one shard, little-endian, not compressed; float32 alone is turned into arrays.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from segue.errors import BundleRejected

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
FLOAT32 = 1


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies in the data file: ``dtype`` in TensorFlow's numbering, ``crc`` masked as the index has it."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int


def read_index(index: bytes) -> dict[str, Entry]:
    """Name to place of every tensor of an ``.index`` file.

    Raises:
        BundleRejected: not a tensor bundle, damaged, or of a kind savers do not write by default.
    """
    if len(index) < FOOTER or struct.unpack("<Q", index[-8:])[0] != MAGIC:
        raise BundleRejected(f"expected the .index file of a TensorFlow checkpoint, got {len(index)} other bytes")
    try:
        footer = index[-FOOTER:-8]
        _, at = _handle(footer, 0)  # the metaindex, which savers leave empty
        blocks = _entries(_block(index, _handle(footer, at)[0]))
        pairs = {key: value for _, place in blocks for key, value in _entries(_block(index, _handle(place, 0)[0]))}
        header = dict(_fields(pairs.pop(b"", b"")))
        entries = {name.decode(): _entry(value) for name, value in pairs.items()}
    except (IndexError, ValueError, struct.error, TypeError) as wrong:
        raise BundleRejected(f"the checkpoint's index is damaged ({wrong}): get the file again") from wrong
    if header.get(1) != 1 or header.get(2, 0) != 0:
        raise BundleRejected(f"expected a little-endian checkpoint in one shard, got a header of {header}")
    return entries


def read_tensor(data: bytes, name: str, entry: Entry) -> Float[np.ndarray, "*shape"]:
    """A float32 tensor out of the data file, checked against its checksum.

    Raises:
        BundleRejected: another type, outside the file, or damaged.
    """
    if entry.dtype != FLOAT32 or entry.shard != 0 or entry.size != 4 * int(np.prod(entry.shape, dtype=np.int64)):
        raise BundleRejected(f"{name}: expected float32 numbers in the first shard, got {entry}")
    stored = data[entry.offset : entry.offset + entry.size]
    if len(stored) != entry.size:
        raise BundleRejected(f"{name}: expected {entry.size} bytes at {entry.offset}, the file ends at {len(data)}")
    if masked_crc32c(stored) != entry.crc:
        raise BundleRejected(
            f"{name}: the checksum of its {entry.size} bytes differs from the index: get the file again"
        )
    return np.frombuffer(stored, "<f4").reshape(entry.shape)


def _crc_table() -> tuple[int, ...]:
    table = list(range(256))
    for _ in range(8):
        table = [(value >> 1) ^ (0x82F63B78 if value & 1 else 0) for value in table]
    return tuple(table)


_CRC = _crc_table()


def masked_crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), rotated and offset as LevelDB stores it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and the place behind it."""
    value = 0
    for shift in range(0, 64, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than 64 bits")


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return (offset, size), at


def _block(index: bytes, handle: tuple[int, int]) -> bytes:
    """A block's bytes, without its trailer: one byte of compression, four of checksum over both."""
    offset, size = handle
    compression, crc = struct.unpack_from("<BI", index, offset + size)
    if compression:
        raise ValueError(f"block at {offset} is compressed")
    if masked_crc32c(index[offset : offset + size + 1]) != crc:
        raise ValueError(f"the checksum of the block at {offset} differs")
    return index[offset : offset + size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values; a key repeats ``shared`` bytes of the one before. Behind them lie restart points, not needed."""
    restarts = struct.unpack("<I", block[-4:])[0]
    at, end, key = 0, len(block) - 4 * (restarts + 1), b""
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        if shared > len(key) or at + own + length > end:
            raise ValueError("an entry leaves its block")
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a protocol buffer."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value: int | bytes
        if tag & 7 == 0:
            value, at = _varint(message, at)
        elif tag & 7 == 2:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif tag & 7 == 5:
            value, at = struct.unpack_from("<I", message, at)[0], at + 4
        else:
            raise ValueError(f"a field of wire type {tag & 7}")
        yield tag >> 3, value


def _number(fields: dict[int, int | bytes], key: int) -> int:
    value = fields.get(key, 0)
    if isinstance(value, bytes):
        raise ValueError(f"field {key} is no number")
    return value


def _entry(value: bytes) -> Entry:
    """A BundleEntryProto: dtype 1, shape 2, shard 3, offset 4, size 5, checksum 6."""
    fields = dict(_fields(value))
    shape = fields.get(2, b"")
    if not isinstance(shape, bytes):
        raise ValueError("field 2 is no shape")
    sizes = tuple(
        _number(dict(_fields(dimension)), 1)
        for number, dimension in _fields(shape)
        if number == 2 and isinstance(dimension, bytes)
    )
    dtype, shard, offset, size, crc = (_number(fields, key) for key in (1, 3, 4, 5, 6))
    return Entry(dtype, sizes, shard, offset, size, crc)
