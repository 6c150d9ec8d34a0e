"""An export leaves no copy of the weights in memory: the next part of an import needs the room."""

from __future__ import annotations

import gc
from pathlib import Path

import torch
from torch import Tensor, nn

from segue_export.graphs.export import export_denoiser
from segue_export.graphs.parity import ParityCases

CHANNELS, WIDTH = 4, 307  # a matrix of a size that nothing else has
FEW = ParityCases(times=(0.5,), sizes=((1, 3),))


class Square(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter, self.square, self.leave = (
            nn.Linear(a, b) for a, b in ((CHANNELS, WIDTH), (WIDTH, WIDTH), (WIDTH, CHANNELS))
        )

    def forward(self, x_t: Tensor, time: Tensor) -> Tensor:
        h = torch.tanh(self.enter(x_t.transpose(1, 2)) + time[:, None, None])
        return x_t - self.leave(torch.tanh(self.square(h))).transpose(1, 2)


def _matrices() -> list[Tensor]:
    gc.collect()
    return [o for o in gc.get_objects() if type(o) in (Tensor, nn.Parameter) and o.numel() == WIDTH**2]


def test_a_module_that_may_be_consumed_is_the_last_to_hold_its_weights(tmp_path: Path) -> None:
    before = {id(matrix) for matrix in _matrices()}
    module = Square()
    assert len(_matrices()) == len(before) + 1, "what is looked for is found where it is"
    export_denoiser(module, tmp_path / "made", channels=CHANNELS, store="fp32", cases=FEW, consume=True)
    assert not [matrix.shape for matrix in _matrices() if id(matrix) not in before]
