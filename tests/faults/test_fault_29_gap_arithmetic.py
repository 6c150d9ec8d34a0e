"""Fault 29, the clip's part: gaps at the edges of what can be are defined or refused; the rest stays bit-identical."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.clip.clip import MODEL_RATE
from segue.clip.files import read_audio, write_filled
from segue.clip.gaps import check_gaps, kept_spans
from segue.clip.janssen import interpolate
from segue.clip.resample import filter_margin, model_length, model_span, patch_from_model, to_channels, to_model
from segue.clip.seam import SeamSettings, join
from segue.clip.span import Span
from segue.errors import InvalidRequest


def fill(path: Path, gap: Span, patch_seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The whole way of a gap with noise for a renderer; native samples before and after."""
    source = read_audio(path)
    (gap,) = check_gaps([gap], source.length, elsewhere=True)
    timeline = to_model(source.clip())
    hole = model_span(gap, source.rate)
    margin = SeamSettings().margin
    covers = Span(max(0, hole.start - margin), min(timeline.shape[1], hole.stop + margin))
    noise = np.random.default_rng(patch_seed).uniform(-0.2, 0.2, (2, covers.length)).astype(np.float32)
    joined = join(timeline, hole, noise, covers)
    around = Span(max(0, hole.start - filter_margin(source.rate)), timeline.shape[1])
    parts = [timeline[:, around.start : hole.start], joined.samples, timeline[:, hole.stop :]]
    patch = patch_from_model(np.concatenate(parts, axis=1), around, gap, source.rate, timeline.shape[1])
    write_filled(path.with_name("out.wav"), source, [gap], [to_channels(patch, source.channels)])
    return source.samples, read_audio(path.with_name("out.wav")).samples


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    length=st.integers(1, 3000),
    cut=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    form=st.tuples(st.sampled_from([1, 2]), st.sampled_from([22050, 44100, 48000, 96000])),
    silent=st.booleans(),
)  # fmt: skip
def test_fault_29_any_gap_of_any_clip_is_filled_and_the_rest_is_bit_identical(
    tmp_path: Path, length: int, cut: tuple[float, float], form: tuple[int, int], silent: bool
) -> None:
    channels, rate = form
    start = int(min(cut) * (length - 1))
    gap = Span(start, max(start + 1, round(max(cut) * length)))
    noise = np.random.default_rng(length).uniform(-0.5, 0.5, (length, channels))
    soundfile.write(tmp_path / "in.wav", np.zeros_like(noise) if silent else noise, rate, subtype="PCM_24")
    before, after = fill(tmp_path / "in.wav", gap, length)
    assert after.shape == before.shape
    for span in kept_spans([gap], length):
        assert np.array_equal(after[:, span.start : span.stop], before[:, span.start : span.stop])


@pytest.mark.parametrize(
    "gap",
    [Span(0, 500), Span(2500, 3000), Span(0, 3000), Span(1500, 1501)],
    ids=["start", "end", "whole", "one sample"],
)
@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_fault_29_a_gap_at_the_start_the_end_of_the_whole_and_of_one_sample(
    tmp_path: Path, gap: Span, rate: int, channels: int
) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (3000, channels))
    soundfile.write(tmp_path / "in.wav", noise, rate, subtype="PCM_16")
    before, after = fill(tmp_path / "in.wav", gap, 5)
    for span in kept_spans([gap], 3000):
        assert np.array_equal(after[:, span.start : span.stop], before[:, span.start : span.stop])
    assert not np.array_equal(after[:, gap.start : gap.stop], before[:, gap.start : gap.stop])


def test_fault_29_a_clip_of_one_sample(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.array([0.5]), 48_000)
    before, after = fill(tmp_path / "in.wav", Span(0, 1), 5)
    assert before.shape == after.shape == (1, 1)
    with pytest.raises(InvalidRequest, match="whole clip"):
        check_gaps([Span(0, 1)], 1)
    with pytest.raises(InvalidRequest, match="no context"):
        interpolate(np.zeros((1, 1), np.float32), 48_000, Span(0, 1))


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        ([Span(5, 5)], "is empty"), ([Span(5, 20), Span(10, 30)], "overlap"), ([Span(5, 9), Span(5, 9)], "overlap"),
        ([Span(5, 9), Span(9, 12)], "touch"), ([Span(-1, 5)], "not inside"), ([Span(90, 101)], "not inside"),
        ([Span(0, 100)], "whole clip"), ([], "at least one gap"),
    ],
)  # fmt: skip
def test_fault_29_zero_length_overlapping_and_outlying_gaps_are_refused(gaps: list[Span], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        check_gaps(gaps, 100)


def test_fault_29_the_whole_clip_is_allowed_with_material_elsewhere() -> None:
    assert check_gaps([Span(0, 100)], 100, elsewhere=True) == (Span(0, 100),)


def test_fault_29_a_mono_gap_is_filled_with_the_mean_of_both_channels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(3000), MODEL_RATE, subtype="FLOAT")
    _, after = fill(tmp_path / "in.wav", Span(1000, 2000), 5)
    covers = Span(0, model_length(3000, MODEL_RATE))
    noise = np.random.default_rng(5).uniform(-0.2, 0.2, (2, covers.length)).astype(np.float32)
    joined = join(np.zeros((2, 3000), np.float32), Span(1000, 2000), noise, covers)
    assert np.array_equal(after[0, 1000:2000], joined.samples.mean(axis=0))
    assert not after[0, :1000].any()
    assert not after[0, 2000:].any()
