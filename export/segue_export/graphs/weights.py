"""One file of weights for several graphs: raw little-endian tensors, 64-byte aligned, each stored once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from torch import Tensor, nn

ALIGNMENT = 64
INLINE_BYTES = 1024  # smaller tensors stay in the graph, where constants are folded
_HALF_MIN = 1024  # entries from which a tensor is worth a cast
HALF, INT8, SCALE = ".half", ".int8", ".scale"  # what a weight's name ends in where it is stored in fewer bits
_LEVELS = 127  # of an int8 on each side of zero
_SCALE_STEPS = 2048  # a scale has 11 bits, so that its product with 7 more is exact in float32

Storage = Literal["fp32", "fp16", "int8"]
"""How weights lie in a bundle. The network is rounded first, so that its graphs are exactly what it then computes."""


def round_weights(module: nn.Module, storage: Storage) -> None:
    """Round a module's large weights, in place, to what ``storage`` holds exactly.

    "int8" rounds matrices to 255 levels a row and all else to float16.
    """
    if storage == "fp32":
        return
    if storage == "int8":
        for parameter in module.parameters():
            if parameter.dim() == 2 and parameter.is_floating_point() and parameter.numel() >= _HALF_MIN:
                parameter.data.copy_(_to_levels(parameter.data.float()))
    round_to_half(module, but_matrices=storage == "int8")


def _to_levels(matrix: Tensor) -> Tensor:
    mantissa, exponent = torch.frexp(matrix.abs().amax(1, keepdim=True) / _LEVELS)
    scale = torch.ldexp(torch.ceil(mantissa * _SCALE_STEPS) / _SCALE_STEPS, exponent)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return torch.round(matrix / scale) * scale + 0.0  # no zero is negative: levels know one


@dataclass(frozen=True)
class Quantised:
    """A matrix as int8 (the same shape) times ``scale`` (float32, one for each index of ``axis``), without error."""

    values: np.ndarray
    scale: np.ndarray
    axis: int


def as_int8(array: np.ndarray) -> Quantised | None:
    """A matrix that :func:`round_weights` rounded to int8, or its transpose; None for any other."""
    if array.dtype != np.float32 or array.ndim != 2 or array.size < _HALF_MIN or not array.any():
        return None
    for axis in (0, 1):
        scale = np.abs(array).max(1 - axis) / np.float32(_LEVELS)
        mantissa = np.frexp(scale)[0] * _SCALE_STEPS
        if not np.array_equal(mantissa, np.rint(mantissa)):
            continue
        scale[scale == 0] = 1
        whole = np.expand_dims(scale, 1 - axis)
        values = np.rint(array / whole).astype(np.int8)
        if np.array_equal(values * whole, array):
            return Quantised(values, scale, axis)
    return None


def round_to_half(module: nn.Module, *, but_matrices: bool = False) -> None:
    """Round every large float32 parameter and buffer to the nearest float16, in place.

    Tensors with entries past float16's range (65504) are left as they are, and so stored as float32.
    """
    for tensor in (*module.parameters(), *module.buffers()):
        if but_matrices and tensor.dim() == 2 and isinstance(tensor, nn.Parameter):
            continue
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
