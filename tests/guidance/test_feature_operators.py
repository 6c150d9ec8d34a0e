"""Brightness, onsets and chroma against signals whose answer is known, and their gradients against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.brightness import Brightness
from segue.guidance.operators.chroma import Chroma
from segue.guidance.operators.contract import Operator
from segue.guidance.operators.identity import Identity
from segue.guidance.operators.onset_strength import OnsetStrength
from segue.guidance.operators.registry import OPERATORS
from segue.guidance.operators.select import Select
from segue.guidance.operators.within import Within

RATE = 44100.0
MIDDLE = slice(4, -4)  # frames whose window does not reach over the edge


def noise(samples: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, 2, samples, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sine(hertz: float, amplitude: float = 0.3, samples: int = 1 << 16) -> Tensor:
    t = torch.arange(samples, dtype=torch.float64) / RATE
    return (amplitude * torch.sin(2.0 * math.pi * hertz * t)).expand(1, 2, -1).clone()


def clicks(rate: float, seconds: float = 2.0, height: float = 0.5) -> Tensor:
    """``rate`` bursts of noise a second, 5 ms long."""
    audio = noise(int(seconds * RATE)) * 1e-3
    for start in np.arange(0.05, seconds - 0.05, 1.0 / rate):
        at = int(start * RATE)
        audio[..., at : at + 220] += height * noise(220, seed=at) / 0.1
    return audio


@pytest.mark.parametrize("amplitude", [0.3, 0.03])
@pytest.mark.parametrize("hertz", [250.0, 1000.0, 4000.0])
def test_a_tone_is_as_bright_as_its_frequency_however_quiet(hertz: float, amplitude: float) -> None:
    measured = Brightness(RATE)(sine(hertz, amplitude))[0, MIDDLE]
    assert measured.numpy() == pytest.approx(math.log2(hertz / 1000.0), abs=0.15)


def test_white_noise_is_as_bright_as_half_of_the_band_and_silence_as_white_noise() -> None:
    half = math.log2(RATE / 4.0 / 1000.0)
    assert float(Brightness(RATE)(noise(1 << 17)).mean()) == pytest.approx(half, abs=0.02)
    assert Brightness(RATE)(torch.zeros(1, 2, 16384))[0].numpy() == pytest.approx(half, abs=0.02)


def test_brightness_does_not_hear_level() -> None:
    audio = noise(1 << 15)
    torch.testing.assert_close(Brightness(RATE)(audio), Brightness(RATE)(10.0 * audio), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("hertz", "note"), [(65.41, 0), (123.47, 11), (440.0, 9), (261.63, 0), (880.0, 9), (1479.98, 6)]
)
def test_a_tone_is_its_own_note_in_every_octave(hertz: float, note: int) -> None:
    chroma = Chroma(RATE)(sine(hertz))[0, :, MIDDLE]
    assert bool((chroma.argmax(0) == note).all())
    torch.testing.assert_close(chroma.square().sum(0), torch.ones(chroma.shape[1], dtype=torch.float64))


def test_a_chord_is_its_notes_and_a_transposition_turns_them() -> None:
    triad = sum((sine(f) for f in (261.63, 329.63, 392.0)), torch.zeros(1))
    higher = sum((sine(f * 2 ** (2 / 12)) for f in (261.63, 329.63, 392.0)), torch.zeros(1))
    one, two = (Chroma(RATE)(x)[0, :, MIDDLE].mean(1) for x in (triad, higher))
    assert set(one.topk(3).indices.tolist()) == {0, 4, 7}
    assert float(torch.roll(one, 2) @ two / (one.norm() * two.norm())) > 0.98


def test_twice_as_many_onsets_measure_as_about_an_octave() -> None:
    """The strength's mean is onsets times height, but for what the noise between them adds."""
    slow, fast = (2.0 ** OnsetStrength(RATE)(clicks(rate))[0, 8:-8] for rate in (4.0, 8.0))
    quiet = 2.0 ** OnsetStrength(RATE)(noise(88200) * 1e-3)[0, 8:-8].mean()
    ratio = float((fast.mean() - quiet) / (slow.mean() - quiet))
    assert 1.7 < ratio < 2.3


def test_a_rise_over_two_frames_of_half_the_hop_is_the_same_rise_at_more_moments() -> None:
    audio = clicks(4.0)
    sparse, dense = OnsetStrength(RATE)(audio)[0].exp2(), OnsetStrength(RATE, hop=256, lag=2)(audio)[0].exp2()
    inside = slice(10, -10)
    assert float(dense.mean()) == pytest.approx(float(sparse.mean()), rel=0.05)
    together = torch.stack([sparse[inside], dense[::2][: len(sparse)][inside]])
    assert float(torch.corrcoef(together)[0, 1]) > 0.95


def test_an_onset_is_measured_where_it_is_and_a_decay_is_none() -> None:
    audio = noise(1 << 16) * 1e-3
    audio[..., 30000:] += noise(1 << 16)[..., 30000:]
    measured = OnsetStrength(RATE, smooth=0.03)(audio)[0]
    assert abs(int(measured[4:].argmax()) + 4 - 30000 / 512) <= 2
    falling = OnsetStrength(RATE, smooth=0.03)(audio.flip(-1))[0]
    assert float(measured[40:80].max()) > float(falling[40:80].max()) + 2.0


@pytest.mark.parametrize(
    "operator",
    [
        Brightness(RATE, n_fft=256, hop=128),
        OnsetStrength(RATE, n_fft=256, hop=128, bands=8, smooth=0.01),
        OnsetStrength(RATE, n_fft=256, hop=64, lag=2, bands=8, smooth=0.01),
        Chroma(RATE, n_fft=1024, hop=512, low=200.0),
    ],
    ids=["brightness", "onset strength", "onset strength, lagged", "chroma"],
)
def test_gradients_are_those_of_finite_differences(operator: Operator) -> None:
    audio = noise(2048).requires_grad_()
    weights = torch.randn_like(operator(audio).detach())
    (operator(audio) * weights).sum().backward()
    assert audio.grad is not None
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        direction = torch.randn(audio.shape, generator=generator, dtype=torch.float64)
        step = 1e-6
        with torch.no_grad():
            ahead, behind = (float((operator(audio + s * direction) * weights).sum()) for s in (step, -step))
        assert float((audio.grad * direction).sum()) == pytest.approx((ahead - behind) / (2 * step), rel=1e-3)


@pytest.mark.parametrize("name", ["brightness", "onset_strength", "chroma"])
def test_silence_has_a_finite_value_and_gradient(name: str) -> None:
    audio = torch.zeros(1, 2, 16384, requires_grad=True)
    measured = OPERATORS.make(name, rate=RATE)(audio)
    measured.sum().backward()
    assert audio.grad is not None
    assert bool(torch.isfinite(measured).all()) and bool(torch.isfinite(audio.grad).all())


def test_select_and_within_take_what_they_say_and_nothing_else() -> None:
    x = torch.arange(12.0).reshape(1, 2, 6)
    assert torch.equal(Within(Identity(), 1, 3)(x), x[..., 1:3])
    assert torch.equal(Select((3, 0))(x[:, 0]), torch.tensor([[3.0, 0.0]]))


def test_settings_they_cannot_have_are_refused() -> None:
    refusals = {
        "rise over at least 1 frame": lambda: OnsetStrength(RATE, lag=0),
        "smoothing over at least a frame": lambda: OnsetStrength(RATE, smooth=0.001),
        "width above 0": lambda: Chroma(RATE, width=0.0),
        "even n_fft": lambda: Brightness(RATE, n_fft=255),
        "different indices": lambda: Select((1, 1)),
        "at least 8 features": lambda: Select((7,))(torch.zeros(1, 3)),
        "frames from 0 up": lambda: Within(Identity(), 2, 2),
        "at least 9 frames": lambda: Within(Identity(), 0, 9)(torch.zeros(1, 2, 4)),
    }
    for message, attempt in refusals.items():
        with pytest.raises(InvalidRequest, match=message):
            attempt()
