"""Training goes on from the weights of a bundle."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from segue.errors import BundleRejected
from segue_export.graphs.export import export_denoiser
from segue_export.graphs.weights import round_to_half
from segue_export.train.resume import weights_of


class Small(nn.Module):
    """Two matrices, one bias, one vector: what a transformer's weights are like."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.up = nn.Linear(8, width)
        self.down = nn.Linear(width, 8)
        self.time = nn.Linear(1, 8)

    def forward(self, x_t: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        h = self.down(torch.tanh(self.up(x_t.transpose(1, 2)))) + self.time(time[:, None])[:, None]
        return h.transpose(1, 2)


def test_a_bundle_gives_back_the_weights_it_was_made_from(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = Small(width=256)
    export_denoiser(module, tmp_path / "b", channels=8)
    rounded = Small(width=256)
    rounded.load_state_dict(module.state_dict())
    round_to_half(rounded)
    found = weights_of(tmp_path / "b", Small(width=256))
    assert found.keys() == rounded.state_dict().keys()
    for name, value in rounded.state_dict().items():
        assert torch.equal(found[name], value), name


def test_another_network_is_refused(tmp_path: Path) -> None:
    export_denoiser(Small(width=256), tmp_path / "b", channels=8)
    with pytest.raises(BundleRejected, match=r"expected shape|no weights named"):
        weights_of(tmp_path / "b", Small(width=128))
