"""The differentiable resampler against soxr, closed forms and its stated stop band."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from segue.clip.polyphase import resample
from segue.errors import InvalidRequest

EDGE = 400  # samples of the output that hear the ends


def tone(hertz: float, rate: int, seconds: float = 0.3) -> Tensor:
    t = torch.arange(round(seconds * rate), dtype=torch.float64) / rate
    return torch.sin(2 * torch.pi * hertz * t)[None]


def decibels(x: Tensor) -> float:
    return float(20 * torch.log10(x[:, EDGE:-EDGE].abs().max()))


@pytest.mark.parametrize(("band", "below"), [(2000, 110), (7000, 65)])
@pytest.mark.parametrize(("rate", "to"), [(44100, 16000), (48000, 16000), (88200, 16000), (16000, 44100)])
def test_noise_comes_out_as_soxr_makes_it(rate: int, to: int, band: int, below: float) -> None:
    """Up to soxr's own roll-off, 0.01 dB at the end of its pass band, which is 59 dB below the signal."""
    samples = rate // 2
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(samples))
    spectrum[np.fft.rfftfreq(samples, 1 / rate) > band] = 0
    noise = np.fft.irfft(spectrum, samples) * np.hanning(samples)
    expected = torch.from_numpy(soxr.resample(noise, rate, to, "VHQ"))[None]
    ours = resample(torch.from_numpy(noise)[None], rate, to)
    assert ours.shape == expected.shape
    assert decibels(ours - expected) < decibels(expected) - below


@pytest.mark.parametrize("hertz", [50.0, 1000.0, 7300.0])
def test_a_tone_keeps_its_level_and_is_not_delayed(hertz: float) -> None:
    assert decibels(resample(tone(hertz, 44100), 44100, 16000) - tone(hertz, 16000)) < -115


@pytest.mark.parametrize("hertz", [8001.0, 8700.0, 12000.0, 15900.0, 21000.0])
def test_a_tone_above_the_new_nyquist_frequency_is_gone(hertz: float) -> None:
    assert decibels(resample(tone(hertz, 44100), 44100, 16000)) < -115


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.sampled_from([22050, 32000, 44100, 48000, 96000]), st.sampled_from([16000, 22050]))
def test_the_length_is_the_time_at_the_new_rate_rounded_up(samples: int, rate: int, to: int) -> None:
    assert resample(torch.zeros(2, samples), rate, to).shape == (2, -(-samples * to // rate))


def test_the_gradient_is_the_transposed_filter() -> None:
    """<R x, y> = <x, R^T y> for a linear R, whose gradient of <R x, y> at any x is R^T y."""
    generator = torch.Generator().manual_seed(0)
    x, at = (torch.randn(1, 3000, generator=generator, dtype=torch.float64) for _ in range(2))
    y = torch.randn(1, 1089, generator=generator, dtype=torch.float64)
    (transposed,) = torch.autograd.grad((resample(at.requires_grad_(), 44100, 16000) * y).sum(), at)
    torch.testing.assert_close((transposed * x).sum(), (resample(x, 44100, 16000) * y).sum())


def test_filters_first_used_without_gradients_serve_one_that_wants_them() -> None:
    with torch.inference_mode():
        resample(torch.ones(1, 100), 44100, 22050)
    audio = torch.ones(1, 100, requires_grad=True)
    (g,) = torch.autograd.grad(resample(audio, 44100, 22050).sum(), audio)
    assert torch.isfinite(g).all()


def test_audio_at_the_wanted_rate_is_left_alone() -> None:
    audio = torch.ones(1, 10)
    assert resample(audio, 16000, 16000) is audio


@pytest.mark.parametrize(("rate", "to"), [(44101, 16000), (0, 16000), (44100, -1)])
def test_rates_that_share_too_few_samples_or_are_none_are_refused(rate: int, to: int) -> None:
    with pytest.raises(InvalidRequest, match=r"share too few|above 0 Hz"):
        resample(torch.zeros(1, 100), rate, to)
