"""A weights file: tensors at stated places, and nothing else.

What is no tensor of a graph must be padding of zeros, so that nothing (a pickle, say) travels hidden in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segue.errors import BundleRejected

MAX_PADDING = 4096
_CHUNK = 1 << 22


@dataclass(frozen=True, order=True)
class StoredTensor:
    """A tensor of a graph in a weights file: bytes [offset, offset + length) of numpy type ``dtype``."""

    offset: int
    length: int
    file: str
    name: str
    dtype: str

    @property
    def stop(self) -> int:
        """The first byte after it."""
        return self.offset + self.length


def check_coverage(path: Path, tensors: Iterable[StoredTensor]) -> None:
    """Every byte belongs to a tensor or is zero padding of less than 4 KiB; tensors share their place or are apart.

    Raises:
        BundleRejected: overlapping tensors, or bytes that belong to none.
    """
    places = sorted({(t.offset, t.stop): t for t in tensors}.values())
    size, end = path.stat().st_size, 0
    with path.open("rb") as stream:
        for tensor in places:
            if tensor.offset < end:
                raise BundleRejected(f"{tensor.name} overlaps another tensor of {path.name}: export the bundle again")
            _check_padding(
                stream.seek(end), stream.read(min(tensor.offset - end, MAX_PADDING)), tensor.offset, path.name
            )
            end = tensor.stop
        _check_padding(stream.seek(end), stream.read(MAX_PADDING), size, path.name)


def _check_padding(start: int, data: bytes, stop: int, file: str) -> None:
    if stop - start >= MAX_PADDING or any(data):
        raise BundleRejected(
            f"{file}: bytes {start} to {stop} belong to no tensor of any graph: export the bundle again"
        )


def check_finite(folder: Path, tensors: Iterable[StoredTensor]) -> None:
    """Refuse NaN and infinite weights. Reads the files through once.

    Raises:
        BundleRejected: names the first tensor that holds one.
    """
    for tensor in sorted({(t.file, t.offset): t for t in tensors}.values()):
        if not all(np.isfinite(chunk).all() for chunk in _chunks(folder / tensor.file, tensor)):
            raise BundleRejected(
                f"{tensor.file}: {tensor.name} holds NaN or infinite weights: the training that made them diverged, "
                "or the file is damaged; get the bundle again"
            )


def _chunks(path: Path, tensor: StoredTensor) -> Iterator[np.ndarray]:
    dtype = np.dtype(tensor.dtype)
    values = np.memmap(path, dtype, "r", tensor.offset, (tensor.length // dtype.itemsize,))
    for first in range(0, len(values), _CHUNK):
        yield np.asarray(values[first : first + _CHUNK])
