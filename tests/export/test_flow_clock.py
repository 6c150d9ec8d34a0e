"""A flow's time, as networks hear it through fast sines, is the same number in torch and in ONNX Runtime."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from segue_export.graphs.export import export_denoiser
from segue_export.graphs.parity import ParityCases
from segue_export.importers.parts.clock import alpha_sigma, to_flow


class HearsTime(nn.Module):
    """x_flow with gains that turn 1 to 10,000 times while tau goes from 0 to 1, as in Stable Audio 3."""

    turns: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("turns", torch.logspace(0, 4, 32) * (2 * math.pi))

    def forward(self, x_t: Tensor, time: Tensor) -> Tensor:
        x_flow, tau = to_flow(x_t, time)
        heard = torch.sin(tau[:, None] * self.turns).sum(1)
        return x_flow * (2.0 + heard[:, None, None] / math.sqrt(32))


def test_the_last_bit_of_tau_does_not_depend_on_who_computes_it(tmp_path: Path) -> None:
    times = tuple(float(t) for t in torch.linspace(0.01, 0.99, 33))
    report = export_denoiser(
        HearsTime(),
        tmp_path / "made",
        channels=2,
        conditioning=[],
        store="fp32",
        cases=ParityCases(times=times, sizes=((1, 3), (2, 2))),
    )
    assert report.largest < 3e-6  # computed in float32, 1.6e-4


def test_the_clock_ends_exactly_and_keeps_the_type_it_was_given() -> None:
    time = torch.tensor([0.0, 0.5, 1.0])
    alpha, sigma = (one[:, 0, 0] for one in alpha_sigma(time))
    assert alpha.dtype == sigma.dtype == torch.float32
    assert (sigma[0], alpha[2]) == (0.0, 0.0)
    assert (alpha[0], sigma[2]) == (1.0, 1.0)
    x_flow, tau = to_flow(torch.ones(3, 1, 1), time)
    assert x_flow.dtype == tau.dtype == torch.float32
    assert tau.tolist() == [0.0, 0.5, 1.0]
    assert x_flow[1].item() == torch.tensor(math.sqrt(0.5)).item()
