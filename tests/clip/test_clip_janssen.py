"""Autoregressive estimation, continuation and interpolation against what theory says."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import toeplitz
from scipy.signal import lfilter

from segue.clip.ar import burg, continuation
from segue.clip.janssen import JanssenSettings, interpolate
from segue.clip.span import Span
from segue.errors import InvalidRequest

RATE = 44100
POLES = np.array([0.98 * np.exp(0.2j), 0.95 * np.exp(0.9j), 0.9 * np.exp(2.0j)])
A = -np.real(np.poly(np.concatenate([POLES, POLES.conj()])))[1:]  # a_1..a_6 of a process with three resonances


def process(samples: int, seed: int) -> np.ndarray:
    """The AR(6) process of A with unit innovation, settled."""
    noise = np.random.default_rng(seed).standard_normal(samples + 2000)
    return lfilter([1.0], np.concatenate([[1.0], -A]), noise)[2000:]


def tones(samples: int) -> np.ndarray:
    t = np.arange(samples) / RATE
    left = sum(a * np.sin(2 * np.pi * f * t + f) for f, a in ((110, 0.3), (220.5, 0.2), (1333, 0.1), (5000, 0.05)))
    return np.stack([left, 0.5 * left + 0.1 * np.sin(2 * np.pi * 700 * t)]).astype(np.float32)


def test_burg_finds_the_coefficients_of_a_known_process() -> None:
    assert burg([process(40_000, 1), process(40_000, 2)], 6) == pytest.approx(A, abs=0.02)


def test_burg_is_stable_for_tones_steps_and_noise() -> None:
    for x in (tones(4000)[0].astype(float), np.repeat([0.0, 1.0], 2000), process(3000, 3), np.ones(3000)):
        a = burg([x], 64)
        assert np.abs(np.roots(np.concatenate([[1.0], -a]))).max() < 1.0


def test_burg_of_silence_predicts_silence() -> None:
    assert not burg([np.zeros(100)], 10).any()
    assert not burg([], 10).any()


def test_the_continuation_of_a_damped_resonance_is_its_closed_form() -> None:
    t = np.arange(300)
    x = 0.98**t * np.cos(0.2 * t + 0.3)
    a = np.array([2 * 0.98 * np.cos(0.2), -(0.98**2)])
    assert continuation(a, x[:100], 200) == pytest.approx(x[100:], abs=1e-9)
    assert continuation(a, 2 * x[:100], 5) == pytest.approx(2 * continuation(a, x[:100], 5))


def test_the_error_on_a_known_process_is_the_least_there_is() -> None:
    length, order = 40, len(A)
    h = np.concatenate([[1.0], -A])
    b = np.correlate(h, h, "full")[order:]
    # given the model, the error of the best interpolation has covariance B^-1 (Janssen et al. 1986)
    least = np.trace(np.linalg.inv(toeplitz(np.pad(b, (0, length - len(b)))))) / length
    errors = []
    for seed in range(60):
        x = process(6000, seed)[None]
        gap = Span(3000, 3000 + length)
        estimate = interpolate(x, RATE, gap, JanssenSettings(order=6, context=3000))
        errors.append(np.mean((estimate - x[:, gap.start : gap.stop]) ** 2))
    assert 0.8 * least < np.mean(errors) < 1.2 * least


@pytest.mark.parametrize("length", [1, 44, 882, 3528])
def test_tones_come_back_within_minus_fifty_decibels(length: int) -> None:
    x = tones(30_000)
    gap = Span(14_000, 14_000 + length)
    torn = x.copy()
    torn[:, gap.start : gap.stop] = 9.0
    found = interpolate(torn, RATE, gap)
    true = x[:, gap.start : gap.stop]
    assert np.mean((found - true) ** 2) < 1e-5 * np.mean(x**2)


def test_an_80_millisecond_gap_in_stereo_takes_under_a_second() -> None:
    x = tones(30_000) + 0.01 * np.random.default_rng(0).standard_normal((2, 30_000)).astype(np.float32)
    fastest = float("inf")
    for _ in range(3):  # the machine is shared: the fastest run is the program's own time
        start = time.perf_counter()
        interpolate(x, RATE, Span(14_000, 17_528))
        fastest = min(fastest, time.perf_counter() - start)
    assert fastest < 1.0


@pytest.mark.parametrize("gap", [Span(0, 400), Span(29_600, 30_000)])
def test_a_gap_at_an_edge_is_extrapolated_from_its_one_side(gap: Span) -> None:
    x = tones(30_000)
    found = interpolate(x, RATE, gap)
    true = x[:, gap.start : gap.stop]
    assert np.mean((found - true) ** 2) < 1e-2 * np.mean(true**2)


@settings(max_examples=60, deadline=None)
@given(
    left=st.integers(0, 200), length=st.integers(1, 200), right=st.integers(0, 200), channels=st.sampled_from([1, 2])
)
def test_any_context_however_short_gives_finite_samples_of_a_like_level(
    left: int, length: int, right: int, channels: int
) -> None:
    if left + right == 0:
        return
    x = np.random.default_rng(left * 1000 + right).uniform(-1, 1, (channels, left + length + right)).astype(np.float32)
    found = interpolate(x, RATE, Span(left, left + length))
    assert found.shape == (channels, length)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 10.0


def test_only_what_is_known_is_listened_to() -> None:
    x = tones(30_000)
    gap, known = Span(14_000, 14_500), Span(12_000, 16_000)
    torn = x.copy()
    torn[:, : known.start] = 5.0
    torn[:, known.stop :] = -5.0
    torn[:, gap.start : gap.stop] = 1.0
    assert np.array_equal(interpolate(x, RATE, gap, known=known), interpolate(torn, RATE, gap, known=known))


def test_silence_around_gives_silence() -> None:
    assert not interpolate(np.zeros((2, 3000), np.float32), RATE, Span(1000, 1500)).any()


@pytest.mark.parametrize(("gap", "words"), [
    (Span(1000, 1000), "gap inside"), (Span(-1, 5), "gap inside"),
    (Span(1000, 4529), "80 ms"), (Span(0, 9000), "80 ms"),
])  # fmt: skip
def test_what_cannot_be_interpolated_is_refused(gap: Span, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        interpolate(np.zeros((2, 9000), np.float32), RATE, gap)


def test_a_gap_without_context_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="nothing to interpolate from"):
        interpolate(np.zeros((2, 900), np.float32), RATE, Span(0, 900))
    with pytest.raises(InvalidRequest, match="context > order"):
        JanssenSettings(order=100, context=100)
