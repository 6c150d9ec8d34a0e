"""Weights out of a committed bundle, to train on from there; a larger network begins as the smaller one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from segue.errors import BundleRejected, InvalidRequest
from segue_export.graphs.names import TRANSPOSED
from segue_export.graphs.weights import read_tensor
from segue_export.models.mel_transformer import MelTransformer


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


def grown(state: dict[str, Tensor], net: MelTransformer) -> dict[str, Tensor]:
    """Weights for ``net`` from those of the same network with as many or fewer donors and layers, or no consensus.

    What is new begins with no effect: what it is shown further is multiplied by zero, further layers add zero. So
    ``net`` computes what the smaller network computed.

    Raises:
        InvalidRequest: the weights are of a network that differs in more than that.
    """
    fresh = net.state_dict()
    had = 1 + max((int(name.split(".")[1]) for name in state if name.startswith("blocks.")), default=-1)
    grew: dict[str, Tensor] = {}
    for name, value in fresh.items():
        block = int(name.split(".")[1]) if name.startswith("blocks.") else -1
        if name in state:
            grew[name] = _shown_more(name, state[name], net)
        elif block >= had:
            adds = name.split(".")[2] in ("out", "down")
            grew[name] = torch.zeros_like(value) if adds else value.clone()
        else:
            raise InvalidRequest(f"the weights to go on from lack {name}: they are of another network")
        if grew[name].shape != value.shape:
            raise InvalidRequest(
                f"{name}: expected shape {tuple(value.shape)}, the weights to go on from have "
                f"{tuple(state[name].shape)}: only donors, a consensus and layers can be added to trained weights"
            )
    if gone := sorted(set(state) - set(fresh)):
        raise InvalidRequest(
            f"the network lacks {gone[0]}, which the weights to go on from have: nothing can be removed"
        )
    return grew


def _shown_more(name: str, value: Tensor, net: MelTransformer) -> Tensor:
    """``value`` with zeros where further donors or a consensus, or their presence, come in or go out.

    Donors come in twos and the consensus behind them, so that an odd number has one already: its place stays.
    """
    c, shown = net.settings.channels, net.settings.shown
    if name in ("head_donors.weight", "head_donors.bias"):
        had = len(value) // c
        more = (shown - had) * c
        return torch.cat([value, value.new_zeros(more, *value.shape[1:])]) if more > 0 and had % 2 == 0 else value
    if name == "embed.weight":
        had = value.shape[1] // (c + 1) - 1
        if had >= shown or had % 2 or value.shape[1] != (1 + had) * (c + 1):
            return value
        channels, present = value[:, : (1 + had) * c], value[:, (1 + had) * c :]
        missing = value.new_zeros(len(value), shown - had)
        return torch.cat([channels, missing.repeat(1, c), present, missing], 1)
    return value
