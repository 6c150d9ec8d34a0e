"""Each operator against what it claims to measure, and the linear ones against linear algebra."""

from __future__ import annotations

import math

import numpy as np
import pyloudnorm
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.band_energy import BandEnergy, frame_power
from segue.guidance.operators.block_mean import BlockMean
from segue.guidance.operators.contract import LinearOperator, project
from segue.guidance.operators.identity import Identity
from segue.guidance.operators.keep import Keep
from segue.guidance.operators.loudness import Loudness
from segue.guidance.operators.low_pass import LowPass
from segue.guidance.operators.registry import OPERATORS

RATE = 44100.0


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sine(hertz: float, amplitude: float, seconds: float = 1.0) -> Tensor:
    t = torch.arange(int(seconds * RATE), dtype=torch.float64) / RATE
    return (amplitude * torch.sin(2.0 * math.pi * hertz * t)).expand(1, 2, -1)


@st.composite
def linear_operators(draw: st.DrawFn) -> tuple[LinearOperator, int]:
    """An operator and a number of frames it takes."""
    frames = draw(st.integers(1, 24))
    kind = draw(st.sampled_from(["keep", "low_pass", "block_mean", "identity"]))
    if kind == "keep":
        mask = draw(st.lists(st.booleans(), min_size=frames, max_size=frames))
        return Keep(torch.tensor(mask, dtype=torch.float32).reshape(1, 1, -1)), frames
    if kind == "low_pass":
        return LowPass(draw(st.floats(0.0, 0.5)), 1.0), frames
    if kind == "block_mean":
        size = draw(st.integers(1, 4))
        return BlockMean(size), frames * size
    return Identity(), frames


@given(linear_operators())
def test_linear_operators_have_their_adjoint_and_the_inverse_of_their_gram_matrix(
    case: tuple[LinearOperator, int],
) -> None:
    A, frames = case
    x, z = noise(0, 1, 3, frames), noise(1, 1, 3, frames)
    measured = A(z)
    # <A x, y> = <x, A^T y> for any y in the range of A.
    torch.testing.assert_close((A(x) * measured).sum(), (x * A.adjoint(measured)).sum())
    # (A A^T)^-1 A A^T y = y there.
    torch.testing.assert_close(A.solve(A(A.adjoint(measured))), measured)


@given(linear_operators())
def test_the_projection_measures_the_target_and_leaves_what_already_does(case: tuple[LinearOperator, int]) -> None:
    A, frames = case
    x, y = noise(2, 1, 3, frames), A(noise(3, 1, 3, frames))
    projected = project(A, x, y)
    torch.testing.assert_close(A(projected), y)
    torch.testing.assert_close(project(A, projected, y), projected)


def test_keep_measures_the_context_and_nothing_of_the_gap() -> None:
    x = noise(0, 2, 3, 4)
    mask = torch.tensor([[1.0, 0, 0, 1], [0, 1, 1, 1]])[:, None]
    kept = Keep(mask)(x)
    assert torch.equal(kept[0, :, 1:3], torch.zeros(3, 2, dtype=torch.float64))
    assert torch.equal(kept[0][:, [0, 3]], x[0][:, [0, 3]])
    assert torch.equal(kept[1][:, 1:], x[1][:, 1:])


def test_low_pass_passes_a_slow_sine_and_stops_a_fast_one() -> None:
    frames = torch.arange(100, dtype=torch.float64)
    slow, fast = (torch.sin(2 * math.pi * f * frames / 100).expand(1, 1, -1) for f in (3, 30))
    torch.testing.assert_close(LowPass(10.0, 100.0)(slow + fast), slow)


@pytest.mark.parametrize("amplitude", [1.0, 0.1])
def test_band_energy_of_a_sine_is_its_level_inside_the_band_and_the_floor_outside(amplitude: float) -> None:
    audio = sine(1000.0, amplitude)
    inside, outside = BandEnergy(RATE, 500.0, 2000.0)(audio), BandEnergy(RATE, 5000.0, 20000.0)(audio)
    level = 20.0 * math.log10(amplitude) - 10.0 * math.log10(2.0)
    middle = slice(4, -4)  # frames whose window does not reach over the edge
    assert inside[:, middle] == pytest.approx(torch.full_like(inside[:, middle], level).numpy(), abs=0.01)
    assert float(outside[:, middle].max()) < -70.0


def test_weights_of_one_give_the_mean_square_of_noise() -> None:
    audio = noise(0, 1, 1, 1 << 18)
    power = frame_power(audio, 1024, 256, torch.ones(513))
    frames = power.shape[-1] / 4  # independent ones among the overlapping
    assert float(power.mean()) == pytest.approx(float(audio.square().mean()), rel=4.5 * math.sqrt(2.0 / (frames * 400)))


@pytest.mark.parametrize("hertz", [40.0, 200.0, 1000.0, 4000.0, 12000.0])
def test_loudness_agrees_with_pyloudnorm(hertz: float) -> None:
    """A steady tone: pyloudnorm's gates do not act, and integrated loudness is that of every frame."""
    audio = sine(hertz, 0.2, seconds=3.0)
    expected = pyloudnorm.Meter(int(RATE)).integrated_loudness(np.ascontiguousarray(audio[0].numpy().T))
    measured = Loudness(RATE)(audio)
    assert float(measured[0, 5:-5].mean()) == pytest.approx(expected, abs=0.1)


def test_levels_of_silence_are_finite_with_a_finite_gradient() -> None:
    for operator in (BandEnergy(RATE, 20.0, 20000.0), Loudness(RATE)):
        audio = torch.zeros(1, 2, 32768, requires_grad=True)
        level = operator(audio)
        level.sum().backward()
        assert audio.grad is not None
        assert bool(torch.isfinite(level).all()) and bool(torch.isfinite(audio.grad).all())


def test_settings_no_operator_can_have_are_refused() -> None:
    refusals = {
        "mask of 1": lambda: Keep(torch.full((1, 1, 3), 0.5)),
        "cut-off between": lambda: LowPass(60.0, 100.0),
        "at least 1 frame": lambda: BlockMean(0),
        "multiple of 3 frames": lambda: BlockMean(3)(noise(0, 1, 1, 7)),
        "holds a bin": lambda: BandEnergy(RATE, 100.0, 100.5),
        "even n_fft": lambda: Loudness(RATE, n_fft=1023),
        "rate above 0": lambda: BandEnergy(0.0, 1.0, 2.0),
        "one frame": lambda: BandEnergy(RATE, 20.0, 2000.0)(noise(0, 1, 2, 100)),
        "unknown operator": lambda: OPERATORS.make("blur"),
    }
    for message, attempt in refusals.items():
        with pytest.raises(InvalidRequest, match=message):
            attempt()
