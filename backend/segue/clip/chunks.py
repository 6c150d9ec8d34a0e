"""Files made of chunks (WAV, RF64, W64, AIFF, CAF): finding chunks, and adding one behind the audio.

libsndfile neither checks a chunk's size against the file nor keeps chunks it does not know, and it drops comments of
more than a few kilobytes without a word; so Segue reads and adds chunks itself.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from segue.errors import AudioFileError

_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_OURS = bytes.fromhex("5e67e0a1c0de4d1b9a3e7e5e617e0001")
"""Marks Segue's recipe in a CAF ``uuid`` chunk."""


@dataclass(frozen=True)
class Layout:
    """How a container lays out its chunks.

    ``head`` bytes before the first one; ids of ``id_bytes``, sizes as ``size`` (struct), which count the chunk's own
    header where ``inclusive``; each starts on a multiple of ``align``. ``total``: offset and format of the file's own
    size field, and the bytes it leaves out. ``recipe``: the id of Segue's chunk, and what precedes the recipe in it;
    None where readers in wide use, libsndfile's among them, take what follows the audio for audio.
    """

    name: str
    head: int
    id_bytes: int
    size: str
    inclusive: bool
    align: int
    total: tuple[int, str, int] | None
    data: bytes
    recipe: tuple[bytes, bytes] | None

    @property
    def header(self) -> int:
        """Bytes before a chunk's payload."""
        return self.id_bytes + struct.calcsize(self.size)


WAV = Layout("WAV", 12, 4, "<I", False, 2, (4, "<I", 8), b"data", (b"segR", b""))
RF64 = Layout("RF64", 12, 4, "<I", False, 2, (20, "<Q", 8), b"data", (b"segR", b""))
AIFF = Layout("AIFF", 12, 4, ">I", False, 2, (4, ">I", 8), b"SSND", (b"segR", b""))
CAF = Layout("CAF", 8, 4, ">q", False, 1, None, b"data", (b"uuid", _OURS))
W64 = Layout("W64", 40, 16, "<Q", True, 8, (16, "<Q", 0), b"data" + _W64_TAIL, None)


@dataclass(frozen=True)
class Chunk:
    """One chunk: its id, where its payload starts in the file, and the payload's bytes as declared."""

    id: bytes
    start: int
    size: int


def layout_of(head: bytes) -> Layout | None:
    """The layout of a file that begins with ``head`` (12 bytes or more), or None where it is not made of chunks."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return WAV if head[:4] == b"RIFF" else RF64
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[:4] == b"caff":
        return CAF
    return W64 if head.startswith(_W64_RIFF[: len(head)]) and len(head) >= 12 else None


def walk(file: BinaryIO, layout: Layout) -> Iterator[Chunk]:
    """The chunks of an open file in order, the last one as declared even where it reaches past the end of the file."""
    end, position, long_data = file.seek(0, os.SEEK_END), layout.head, None
    while position + layout.header <= end:
        file.seek(position)
        head = file.read(layout.header)
        chunk_id, (size,) = head[: layout.id_bytes], struct.unpack(layout.size, head[layout.id_bytes :])
        start = position + layout.header
        if layout.inclusive:
            size -= layout.header
        if layout is RF64 and chunk_id == b"ds64":
            long_data = struct.unpack("<Q", file.read(16)[8:].ljust(8, b"\0"))[0]
        if layout is RF64 and chunk_id == layout.data and size == 0xFFFFFFFF and long_data is not None:
            size = long_data
        if layout is CAF and chunk_id == layout.data and size == -1:
            size = end - start  # the one case where a specification lets the size open
        yield Chunk(chunk_id, start, size)
        if size < 0:
            return
        position = -(-(start + size) // layout.align) * layout.align


def payload(file: BinaryIO, chunk: Chunk) -> bytes:
    """The chunk's bytes."""
    file.seek(chunk.start)
    return file.read(chunk.size)


def append(path: Path, chunk_id: bytes, content: bytes) -> None:
    """Add a chunk at the end of the file at ``path``.

    Raises:
        AudioFileError: not made of chunks, or the file outgrows what its sizes can say.
    """
    with path.open("r+b") as file:
        layout = layout_of(file.read(40))
        if layout is None:
            raise AudioFileError(f"expected a WAV, AIFF, CAF or W64 file to add a chunk to, got {path}")
        position = file.seek(0, os.SEEK_END)
        file.write(bytes(-position % layout.align))
        size = len(content) + (layout.header if layout.inclusive else 0)
        file.write(chunk_id + struct.pack(layout.size, size) + content)
        end = file.tell()
        file.write(bytes(-end % layout.align))
        if layout.total is not None:
            offset, form, excess = layout.total
            total = file.tell() - excess
            if total >= 1 << 8 * struct.calcsize(form):
                raise AudioFileError(f"{path} outgrows the 4 GiB of its container: write .w64 or .caf")
            file.seek(offset)
            file.write(struct.pack(form, total))


def append_recipe(path: Path, text: str) -> None:
    """Add Segue's recipe chunk."""
    with path.open("rb") as file:
        layout = layout_of(file.read(40))
    if layout is None or layout.recipe is None:
        raise AudioFileError(f"expected a WAV, AIFF or CAF file to add a recipe to, got {path}")
    chunk_id, prefix = layout.recipe
    append(path, chunk_id, prefix + text.encode())


def is_recipe(layout: Layout, chunk_id: bytes, content: bytes) -> bool:
    """Whether a chunk is Segue's recipe."""
    return layout.recipe is not None and chunk_id == layout.recipe[0] and content.startswith(layout.recipe[1])
