"""Weights as int8 levels: exact for a network rounded to them, its gradient too, a quarter of the size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from segue.prior.bundle import Bundle
from segue_export.bundle import write_bundle
from segue_export.graphs.export import TOLERANCE, export_denoiser
from segue_export.graphs.weights import INT8, SCALE, as_int8, read_tensor, round_weights
from tests.tiny_models import CACHE, CHANNELS, FEW, MASK, description, randomised


def _rounded(rows: int, columns: int, scale: float = 1.0) -> nn.Linear:
    layer = nn.Linear(columns, rows)
    nn.init.normal_(layer.weight, std=scale, generator=torch.Generator().manual_seed(rows))
    round_weights(layer, "int8")
    return layer


@pytest.mark.parametrize("scale", [1.0, 1e-6, 3e4])
@pytest.mark.parametrize(("rows", "columns"), [(40, 60), (64, 64), (7, 500)])
def test_a_rounded_matrix_and_its_transpose_are_levels_without_error(rows: int, columns: int, scale: float) -> None:
    matrix = _rounded(rows, columns, scale).weight.detach().numpy()
    for array, axis in ((matrix, 0), (np.ascontiguousarray(matrix.T), 1)):
        levels = as_int8(array)
        assert levels is not None and levels.axis == axis and levels.values.dtype == np.int8
        assert np.array_equal(levels.values * np.expand_dims(levels.scale, 1 - axis), array)


def test_rounding_moves_a_weight_by_half_a_level_at_most_and_once() -> None:
    layer = nn.Linear(50, 30)
    before = layer.weight.detach().clone()
    before[3] = 0
    layer.weight.data.copy_(before)
    round_weights(layer, "int8")
    level = before.abs().amax(1, keepdim=True) / 127 * (1 + 1 / 1024)
    assert bool(((layer.weight - before).abs() <= 0.5 * level + 1e-12).all()) and not bool(layer.weight[3].any())
    again = layer.weight.detach().clone()
    round_weights(layer, "int8")
    assert torch.equal(layer.weight, again)


def test_other_matrices_are_not_taken_for_levels() -> None:
    draws = torch.Generator().manual_seed(1)
    for matrix in (torch.randn(40, 60, generator=draws), torch.zeros(40, 60), _rounded(4, 8).weight.detach()):
        assert as_int8(matrix.numpy()) is None
    assert as_int8(_rounded(40, 60).weight.detach().double().numpy()) is None


class Mixer(nn.Module):
    """Frames are mixed by a convolution, channels by a square and an oblong matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.square, self.leave = nn.Linear(CHANNELS + 2, 64), nn.Linear(64, 64), nn.Linear(64, CHANNELS)
        self.wide = nn.Conv1d(64, 64, 3, padding=1)

    def forward(self, x_t: Tensor, time: Tensor, mask: Tensor) -> Tensor:
        clock = time[:, None, None].expand(-1, 1, x_t.shape[2])
        h = torch.tanh(self.enter(torch.cat([x_t, mask, clock], 1).transpose(1, 2)))
        h = self.wide(torch.tanh(self.square(h)).transpose(1, 2)).transpose(1, 2)
        return x_t - self.leave(h).transpose(1, 2)


def test_a_bundle_of_int8_weights_is_opened_and_predicts_and_pulls_back_as_its_rounded_self(tmp_path: Path) -> None:
    reports = []

    def write(folder: Path) -> None:
        given = {"channels": CHANNELS, "conditioning": [MASK], "store": "int8", "cases": FEW}
        reports.append(export_denoiser(randomised(Mixer()), folder, **given))

    bundle = write_bundle(tmp_path / "levels", description(name="levels"), write, cache=CACHE)
    assert 0 < reports[0].largest < TOLERANCE
    assert isinstance(bundle, Bundle)
    for name in ("denoise", "fw", "bw"):
        model = onnx.load(bundle.folder / f"{name}.onnx", load_external_data=False)
        square = [t for t in model.graph.initializer if list(t.dims) == [64, 64]]
        assert [t.data_type for t in square] == [onnx.TensorProto.INT8]
        assert {e.key: e.value for e in square[0].external_data}["length"] == str(64 * 64)
    module, matrix = randomised(Mixer()), denoise_matrix(bundle.folder)
    round_weights(module, "int8")
    assert np.array_equal(matrix, module.get_parameter("square.weight").detach().numpy().T)


def denoise_matrix(folder: Path) -> np.ndarray:
    """The square matrix as its name says it lies in the bundle: transposed, levels and scale beside each other."""
    tensors = {t.name: t for t in onnx.load(folder / "denoise.onnx", load_external_data=False).graph.initializer}
    name = "net.square.weight.transposed"
    levels, scale = (read_tensor(tensors[f"{name}{ending}"], folder) for ending in (INT8, SCALE))
    return levels * scale
