"""To the model's rate and back onto the clip's own sample grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.clip import MODEL_RATE, Clip
from segue.clip.resample import (
    filter_margin,
    model_length,
    model_span,
    native_span,
    patch_from_model,
    to_channels,
    to_model,
)
from segue.clip.span import Span
from segue.errors import InvalidRequest

RATES = [8000, 11025, 22050, 32000, 44100, 44056, 48000, 88200, 96000, 192000]


def chirp(rate: int, seconds: float) -> np.ndarray:
    """50 Hz to 0.4 of the lower of both rates, (2, samples) float32, faded at the ends."""
    t = np.arange(int(rate * seconds)) / rate
    top = 0.4 * min(rate, MODEL_RATE)
    phase = 2 * np.pi * (50 * t + (top - 50) * t**2 / (2 * seconds))
    fade = np.clip(np.minimum(t, seconds - t) / 0.05, 0, 1)
    return (0.5 * fade * np.stack([np.sin(phase), np.cos(phase)])).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
def test_a_chirp_there_and_back_equals_itself_sample_by_sample(rate: int) -> None:
    x = chirp(rate, 1.5)
    model = to_model(Clip(x, rate))
    gap = Span(rate // 3 + 1, rate // 3 + 1 + rate // 2)
    inner, margin = model_span(gap, rate), filter_margin(rate) + 3
    covers = Span(inner.start - margin, inner.stop + margin)
    back = patch_from_model(model[:, covers.start : covers.stop], covers, gap, rate, model.shape[1])
    assert back.shape == (2, gap.length)
    assert np.abs(back - x[:, gap.start : gap.stop]).max() < 1e-3


@pytest.mark.parametrize("rate", RATES)
def test_the_model_hears_a_chirp_at_the_right_times(rate: int) -> None:
    model = to_model(Clip(chirp(rate, 1.5), rate))
    t = np.arange(model.shape[1]) / MODEL_RATE
    top = 0.4 * min(rate, MODEL_RATE)
    expected = 0.5 * np.sin(2 * np.pi * (50 * t + (top - 50) * t**2 / 3.0))
    middle = slice(MODEL_RATE // 4, MODEL_RATE)
    assert np.abs(model[0, middle] - expected[middle]).max() < 1e-3


@settings(max_examples=60, deadline=None)
@given(
    rate=st.one_of(st.sampled_from(RATES), st.integers(8000, 768_000)),
    start=st.integers(0, 4000),
    length=st.integers(1, 4000),
    after=st.integers(0, 4000),
)
def test_a_patch_comes_back_with_exactly_the_gaps_samples(rate: int, start: int, length: int, after: int) -> None:
    gap = Span(start, start + length)
    timeline = model_length(gap.stop + after, rate)
    covers = Span(0, timeline)
    patch = np.ones((2, timeline), np.float32)
    assert patch_from_model(patch, covers, gap, rate, timeline).shape == (2, length)


@given(rate=st.integers(8000, 768_000), start=st.integers(-(10**6), 10**9), length=st.integers(0, 10**6))
def test_spans_are_rounded_outwards(rate: int, start: int, length: int) -> None:
    native = Span(start, start + length)
    model = model_span(native, rate)
    assert model.start * rate <= native.start * MODEL_RATE < (model.start + 1) * rate
    assert (model.stop - 1) * rate < native.stop * MODEL_RATE <= model.stop * rate
    back = native_span(model, rate)
    assert back.start <= native.start
    assert back.stop >= native.stop


@settings(max_examples=40, deadline=None)
@given(rate=st.integers(8000, 768_000), samples=st.integers(0, 3000), channels=st.sampled_from([1, 2]))
def test_the_timeline_covers_the_clip(rate: int, samples: int, channels: int) -> None:
    clip = Clip(np.zeros((channels, samples), np.float32), rate)
    assert to_model(clip).shape == (2, model_length(samples, rate))


def test_mono_is_heard_as_two_equal_channels_and_leaves_as_their_mean() -> None:
    model = to_model(Clip(chirp(48000, 0.5)[:1], 48000))
    assert np.array_equal(model[0], model[1])
    assert np.array_equal(to_channels(model, 1)[0], model[0])
    assert to_channels(np.array([[1.0], [0.0]], np.float32), 1) == pytest.approx(0.5)


def test_44100_hz_stereo_passes_bit_identical() -> None:
    x = chirp(44100, 0.5)
    assert np.array_equal(to_model(Clip(x, 44100)), x)
    assert np.array_equal(patch_from_model(x[:, 100:200], Span(100, 200), Span(120, 180), 44100, 22050), x[:, 120:180])


def test_more_channels_a_wrong_length_and_a_short_margin_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="3 channels"):
        to_model(Clip(np.zeros((3, 10), np.float32), 48000))
    with pytest.raises(InvalidRequest, match="expected a patch of 1000"):
        patch_from_model(np.zeros((2, 999), np.float32), Span(0, 1000), Span(200, 300), 48000, 9000)
    with pytest.raises(InvalidRequest, match="render more context"):
        patch_from_model(np.zeros((2, 300), np.float32), Span(100, 400), Span(200, 300), 48000, 9000)
