"""Messages between a pool and its render process: a length, a JSON header, then arrays as raw float32.

Both ends are Segue of one version on one machine, and pipes lose nothing; yet nothing is unpickled, and a pipe that
ends within a frame is told from one that ends between two.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader, BufferedWriter
from typing import Any

import numpy as np
from jaxtyping import Float32

Array = Float32[np.ndarray, "..."]

_LENGTH = struct.Struct("<I")
_BLOCK = 1 << 22  # bytes written at once, so that a slow reader is not asked for all at once
_LEAST = 1 << 16  # bytes read at once where there is no memory


@dataclass(frozen=True, eq=False)
class Frame:
    """``header``: "say" names the message, the rest is its own; ``arrays`` float32."""

    header: dict[str, Any]
    arrays: tuple[Array, ...] = ()

    @property
    def say(self) -> str:
        """The message's name."""
        return str(self.header["say"])


def frame(say: str, arrays: Sequence[Array] = (), **fields: Any) -> Frame:
    """A frame by name."""
    return Frame({"say": say, **fields}, tuple(np.ascontiguousarray(array, np.float32) for array in arrays))


class NoRoom(MemoryError):
    """There is no memory for the arrays of a frame; its ``header`` was read."""

    def __init__(self, header: dict[str, Any]) -> None:
        super().__init__("no memory for the audio of a message")
        self.header = header


def own_streams() -> tuple[BufferedReader, BufferedWriter]:
    """Take stdin and stdout for frames: what a library prints goes to stderr from now on."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return incoming, outgoing


def write_frame(stream: BufferedIOBase, sent: Frame) -> None:
    """Write and flush.

    Raises:
        OSError: the other end is gone.
    """
    header = json.dumps({**sent.header, "shapes": [array.shape for array in sent.arrays]}).encode()
    stream.write(_LENGTH.pack(len(header)) + header)
    for array in sent.arrays:
        content = array.reshape(-1).view(np.uint8).data
        for start in range(0, len(content), _BLOCK):
            stream.write(content[start : start + _BLOCK])
    stream.flush()


def read_frame(stream: BufferedIOBase) -> Frame | None:
    """The next frame, or None where the stream ends before one begins.

    Raises:
        EOFError: the stream ends within a frame.
        NoRoom: there is no memory for its arrays; the stream stands behind it.
    """
    start = stream.read(_LENGTH.size)
    if not start:
        return None
    if len(start) < _LENGTH.size:
        raise EOFError("the pipe ended within a frame")
    header = json.loads(_read(stream, _LENGTH.unpack(start)[0]))
    arrays, shapes = [], header.pop("shapes")
    try:
        for shape in shapes:
            arrays.append(np.empty(shape, np.float32))
    except MemoryError as error:
        _skip(stream, sum(4 * math.prod(shape) for shape in shapes))
        raise NoRoom(header) from error
    for array in arrays:
        _fill(stream, array.reshape(-1).view(np.uint8).data)
    return Frame(header, tuple(arrays))


def _skip(stream: BufferedIOBase, count: int) -> None:
    while count > 0:
        count -= len(_read(stream, min(count, _LEAST)))


def _read(stream: BufferedIOBase, count: int) -> bytes:
    content = bytearray(count)
    _fill(stream, memoryview(content))
    return bytes(content)


def _fill(stream: BufferedIOBase, into: memoryview) -> None:
    done = 0
    while done < len(into):
        got = stream.readinto(into[done:])
        if not got:
            raise EOFError("the pipe ended within a frame")
        done += got
