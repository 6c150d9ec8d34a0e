"""Weights out of a committed bundle, to train on from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from segue.errors import BundleRejected
from segue_export.graphs.names import TRANSPOSED
from segue_export.graphs.weights import read_tensor


def weights_of(bundle: Path, net: nn.Module) -> dict[str, Tensor]:
    """The state of ``net`` as a bundle's denoiser holds it, float32 (rounded to float16 where stored so).

    Raises:
        BundleRejected: the bundle holds another network.
    """
    graphs = [onnx.load(bundle / name, load_external_data=False).graph for name in ("denoise.onnx", "bw.onnx")]
    stored = {t.name.removeprefix("net.").removesuffix(".half"): t for graph in graphs for t in graph.initializer}
    state = {}
    for name, value in net.state_dict().items():
        turned = name + TRANSPOSED
        if name not in stored and turned not in stored:
            raise BundleRejected(f"{bundle} has no weights named {name}: it was made from another network")
        array = np.array(read_tensor(stored[name if name in stored else turned], bundle), dtype=np.float32)
        if name not in stored:
            array = np.ascontiguousarray(array.T)
        if array.shape != tuple(value.shape):
            raise BundleRejected(f"{name}: expected shape {tuple(value.shape)}, the bundle holds {array.shape}")
        state[name] = torch.from_numpy(array)
    return state
