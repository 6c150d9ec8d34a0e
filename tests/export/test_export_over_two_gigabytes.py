"""Weights past two gigabytes, which no ONNX file can hold by itself: written beside the graphs once, and opened."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from segue_export.graphs.export import TOLERANCE, export_denoiser
from segue_export.graphs.parity import ParityCases

CHANNELS, WIDTH, LAYERS = 4, 13_500, 3
LIMIT = 1 << 31


class Wide(nn.Module):
    """Three matrices of 182 million weights each."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(CHANNELS, WIDTH), nn.Linear(WIDTH, CHANNELS)
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(LAYERS))

    def forward(self, x_t: Tensor, time: Tensor) -> Tensor:
        h = self.enter(x_t.transpose(1, 2)) + time[:, None, None]
        for layer in self.layers:
            h = torch.tanh(layer(h))
        return x_t - self.leave(h).transpose(1, 2)


@pytest.mark.nightly
def test_weights_over_two_gigabytes_are_written_once_opened_and_pulled_back_through(tmp_path: Path) -> None:
    """Needs about 9 GB of memory and 5 GB of disk, which it gives back."""
    cases = ParityCases(times=(0.3, 0.8), sizes=((1, 3), (2, 2)))
    report = export_denoiser(Wide(), tmp_path / "wide", channels=CHANNELS, store="fp32", cases=cases, consume=True)
    assert 0 < report.largest < TOLERANCE
    weights = tmp_path / "wide" / "weights.bin"
    size = weights.stat().st_size
    assert LIMIT < size < 4.2 * LAYERS * WIDTH**2
    for name in ("denoise", "fw", "bw"):
        graph = onnx.load(tmp_path / "wide" / f"{name}.onnx", load_external_data=False).graph
        offsets = [int(e.value) for t in graph.initializer for e in t.external_data if e.key == "offset"]
        assert max(offsets) < size and len(set(offsets)) >= LAYERS
    weights.unlink()
