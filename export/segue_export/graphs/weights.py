"""One file of weights for several graphs: raw little-endian tensors, 64-byte aligned, each stored once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from torch import nn

ALIGNMENT = 64
INLINE_BYTES = 1024  # smaller tensors stay in the graph, where constants are folded
_HALF_MIN = 1024  # entries from which a tensor is worth a cast


def round_to_half(module: nn.Module) -> None:
    """Round every large float32 parameter and buffer to the nearest float16, in place.

    Tensors with entries past float16's range (65504) are left as they are, and so stored as float32.
    """
    for tensor in (*module.parameters(), *module.buffers()):
        half = tensor.data.half()
        if tensor.is_floating_point() and tensor.numel() >= _HALF_MIN and bool(half.isfinite().all()):
            tensor.data.copy_(half)


def is_half(array: np.ndarray) -> bool:
    """Whether float16 holds every entry of a large float32 array exactly."""
    if array.dtype != np.float32 or array.size < _HALF_MIN:
        return False
    with np.errstate(over="ignore"):
        return bool(np.array_equal(array.astype(np.float16).astype(np.float32), array))


class WeightsFile:
    """Writes tensors one after the other; used as a context. Equal tensors share their place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[bytes, tuple[int, int]] = {}
        self._stream = path.open("wb")

    def __enter__(self) -> WeightsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def add(self, name: str, array: np.ndarray) -> TensorProto:
        """An initializer ``name`` whose data lie in this file."""
        data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        key = hashlib.sha256(data).digest()
        if key not in self._places:
            self._stream.write(bytes(-self._stream.tell() % ALIGNMENT))
            self._places[key] = (self._stream.tell(), len(data))
            self._stream.write(data)
        offset, length = self._places[key]
        tensor = TensorProto(
            name=name,
            data_type=onnx.helper.np_dtype_to_tensor_dtype(array.dtype),
            dims=array.shape,
            data_location=TensorProto.EXTERNAL,
        )
        for field, value in (("location", self.path.name), ("offset", offset), ("length", length)):
            tensor.external_data.add(key=field, value=str(value))
        return tensor


def read_tensor(tensor: TensorProto, folder: Path) -> np.ndarray:
    """An initializer's data; external ones are mapped, not read."""
    if tensor.data_location != TensorProto.EXTERNAL:
        return numpy_helper.to_array(tensor)
    entry = {e.key: e.value for e in tensor.external_data}
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    shape = tuple(tensor.dims)
    return np.memmap(folder / entry["location"], dtype, "r", int(entry.get("offset", "0")), shape)
