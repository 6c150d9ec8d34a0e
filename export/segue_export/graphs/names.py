"""Weights keep their names: constants that folding left nameless are called after the parameter they came from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from torch import nn

from segue_export.graphs.weights import read_tensor

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
    taken = {tensor.name for tensor in model.graph.initializer}
    renamed: dict[str, str] = {}
    for tensor in model.graph.initializer:
        if len(tensor.dims) != 2 or tensor.name.startswith(prefix):
            continue
        found = parameters.get(_key(read_tensor(tensor, folder)))
        if found is None:
            continue
        name = found + (".half" if tensor.name.endswith(".half") else "")
        if name not in taken:
            taken.add(name)
            renamed[tensor.name] = name
            tensor.name = name
    for node in model.graph.node:
        for index, source in enumerate(node.input):
            node.input[index] = renamed.get(source, source)
