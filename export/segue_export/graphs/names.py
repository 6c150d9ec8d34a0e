"""Weights keep their names: constants that folding left nameless are called after the parameter they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from torch import nn

from segue_export.graphs.weights import HALF, INT8, SCALE, read_tensor

TRANSPOSED = ".transposed"


def _key(array: np.ndarray) -> bytes:
    """Of float32 values: what is stored as float16 holds the rounded parameter exactly."""
    return hashlib.sha256(np.ascontiguousarray(array, dtype=np.float32).tobytes()).digest()


def name_weights(model: onnx.ModelProto, folder: Path, module: nn.Module, prefix: str) -> None:
    """Rename, in place, matrices that equal a parameter's transpose to ``<prefix><parameter>.transposed``.

    A matrix that is two parameters at once (both zero, say) keeps the first's name; equal tensors share storage anyway.
    """
    parameters: dict[bytes, str] = {}
    for name, value in module.state_dict().items():
        if value.dim() == 2:
            parameters.setdefault(_key(value.detach().float().numpy().T), f"{prefix}{name}{TRANSPOSED}")
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    renamed: dict[str, str] = {}
    for tensor in list(tensors.values()):
        if len(tensor.dims) != 2 or tensor.name.startswith(prefix):
            continue
        found = next((parameters[k] for k in _keys(tensor, tensors, folder) if k in parameters), None)
        stem, suffix = _stem(tensor.name)
        if found is None or f"{found}{suffix}" in tensors or f"{found}{suffix}" in renamed.values():
            continue
        for ending in (suffix, SCALE) if suffix == INT8 else (suffix,):
            renamed[f"{stem}{ending}"] = tensors[f"{stem}{ending}"].name = f"{found}{ending}"
    for node in model.graph.node:
        for index, source in enumerate(node.input):
            node.input[index] = renamed.get(source, source)


def _stem(name: str) -> tuple[str, str]:
    """A weight's name, and what says how it is stored."""
    suffix = next((s for s in (HALF, INT8) if name.endswith(s)), "")
    return name.removesuffix(suffix), suffix


def _keys(tensor: onnx.TensorProto, tensors: Mapping[str, onnx.TensorProto], folder: Path) -> Iterator[bytes]:
    """Of the matrix that a stored tensor stands for; levels of a square one may be of rows or of columns."""
    stem, suffix = _stem(tensor.name)
    values = read_tensor(tensor, folder)
    if suffix != INT8:
        yield _key(values)
        return
    scale = read_tensor(tensors[f"{stem}{SCALE}"], folder)
    for axis in (0, 1):
        if len(scale) == values.shape[axis]:
            yield _key(values * np.expand_dims(scale, 1 - axis))
