"""What an audio file says of itself, checked against the bytes that are there, before anything is decoded.

libsndfile trusts headers: it shortens a cut WAV in silence and takes the length of an Ogg file from its last page.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from segue.clip import chunks
from segue.clip.chunks import Chunk, Layout
from segue.errors import AudioFileError

_OGG_PAGE = 27 + 255 + 255 * 255  # the longest page there is
_STREAMED = 0xFFFFFFFF
_MAX_CHUNKS = 10_000


@dataclass(frozen=True)
class Header:
    """``container`` as WAV, RF64, W64, AIFF, CAF, FLAC, OGG or MP3; its ``layout`` and ``chunks`` where it has any.

    ``frames``: samples per channel as declared apart from the audio itself, or None where the container does not say.
    ``counted``: False where even the decoder can but estimate the length (an MP3 without a Xing or Info tag).
    """

    container: str
    layout: Layout | None = None
    chunks: tuple[Chunk, ...] = ()
    frames: int | None = None
    counted: bool = True


def inspect(path: Path) -> Header:
    """Check the sizes a file declares against its own.

    Raises:
        AudioFileError: missing, no regular file, empty, of an unknown kind, cut off, or declaring more than it holds.
    """
    if not path.is_file():
        raise AudioFileError(f"expected an audio file, {path} is {'not a file' if path.exists() else 'not there'}")
    try:
        str(path).encode()  # libsndfile, recipes and reports take names in UTF-8
    except UnicodeEncodeError:
        raise AudioFileError(f"the name {path.name!a} is not UTF-8: rename the file") from None
    try:
        with path.open("rb") as file:
            return _inspect(path, file)
    except OSError as error:
        raise AudioFileError(f"cannot read {path} ({error.strerror}): check its permissions and the disk") from error


def _inspect(path: Path, file: BinaryIO) -> Header:
    head = file.read(40)
    if head[:3] == b"ID3" and len(head) >= 10:  # stands before MP3, and at times before FLAC
        after = 10 + sum((byte & 127) << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
        file.seek(after)
        head = file.read(40)
        if head[:4] != b"fLaC":
            return _mp3(file, after)
    layout = chunks.layout_of(head)
    if layout is not None:
        return _chunked(path, file, layout)
    if head[:4] == b"fLaC":
        return _flac(path, head)
    if head[:4] == b"OggS":
        return _ogg(path, file)
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return _mp3(file, 0)
    raise AudioFileError(
        f"{path} is empty, cut off or not a kind of audio Segue reads: expected WAV, AIFF, FLAC, CAF, W64, Ogg or MP3"
    )


def _chunked(path: Path, file: BinaryIO, layout: Layout) -> Header:
    found: list[Chunk] = []
    end, data, frames, block = file.seek(0, os.SEEK_END), None, None, 0
    for chunk in chunks.walk(file, layout):
        if len(found) >= _MAX_CHUNKS:
            raise AudioFileError(f"{path} is damaged: more than {_MAX_CHUNKS} chunks")
        if chunk.id == layout.data and data is None:
            data = chunk
            _check_data(path, layout, chunk, end)
        if chunk.size < 0 or chunk.start + chunk.size > end:
            if data is None:
                raise AudioFileError(f"{path} is cut off before its audio: a chunk reaches past the end of the file")
            break  # a broken tag behind whole audio is left where it is
        if layout is chunks.AIFF and chunk.id == b"COMM" and chunk.size >= 8:
            frames = struct.unpack(">I", chunks.payload(file, chunk)[2:6])[0]
        if layout is chunks.W64 and chunk.id[:4] == b"fmt " and chunk.size >= 16:
            block = struct.unpack("<H", chunks.payload(file, chunk)[12:14])[0]
        found.append(chunk)
    if data is None:
        raise AudioFileError(f"{path} holds no audio: it is cut off or damaged before its {layout.name} data begins")
    if layout is chunks.W64 and block:
        frames = data.size // block
    return Header(layout.name, layout, tuple(found), frames)


def _check_data(path: Path, layout: Layout, chunk: Chunk, end: int) -> None:
    there = end - chunk.start
    if 0 <= chunk.size <= there:
        return
    if layout is chunks.WAV and chunk.size == _STREAMED:
        raise AudioFileError(
            f"{path} was streamed and never given its length: write it again, as with ffmpeg -i IN.wav OUT.wav"
        )
    raise AudioFileError(
        f"{path} declares {chunk.size} bytes of audio, {there} are there: it is cut off, or its header lies; "
        "copy or export it again"
    )


def _flac(path: Path, head: bytes) -> Header:
    if len(head) < 26:
        raise AudioFileError(f"{path} is cut off within its FLAC header")
    return Header("FLAC", frames=int.from_bytes(head[21:26], "big") & ((1 << 36) - 1) or None)


def _ogg(path: Path, file: BinaryIO) -> Header:
    """The last page must be whole and marked as the end of its stream; a cut file ends otherwise."""
    end = file.seek(0, os.SEEK_END)
    first = max(0, end - _OGG_PAGE)
    file.seek(first)
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if (
        at < 0
        or len(page) < 27
        or len(page) < 27 + page[26]
        or len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])
    ):
        raise AudioFileError(f"{path} is cut off within a page of its Ogg stream: copy or export it again")
    if not page[5] & 4:
        raise AudioFileError(f"{path} is cut off: its Ogg stream has no last page; copy or export it again")
    return Header("OGG")


def _mp3(file: BinaryIO, start: int) -> Header:
    file.seek(start)
    first = file.read(4096)
    return Header("MP3", counted=b"Xing" in first or b"Info" in first)
