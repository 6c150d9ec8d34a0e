"""Fault 29, whole renders: gaps at the edges or over everything, silence, mono, next to nothing; kept audio is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from jaxtyping import Float

import segue
from segue.errors import InvalidRequest
from tests.songs import loop_song

FAST = segue.RenderSettings(steps=1)
Gaps = Sequence[tuple[float, float]]
Audio = Float[np.ndarray, "_channels _samples"]
Songs = Sequence[tuple[Audio, int]]


def render(
    audio: Audio, rate: int, gaps: Gaps, song: Sequence[tuple[Audio, int]] = ()
) -> tuple[segue.Result, list[Audio]]:
    """A fill and what is in its gaps, once the result is found defined and everything else untouched."""
    result = segue.fill(audio, rate, gaps, song=song, settings=FAST)
    spans = [slice(round(start * rate), round(stop * rate)) for start, stop in gaps]
    kept = np.ones(audio.shape[1], bool)
    for span in spans:
        kept[span] = False
    for candidate in result.candidates:
        assert candidate.shape == audio.shape
        assert np.isfinite(candidate).all()
        assert np.array_equal(candidate[:, kept].view(np.uint32), audio[:, kept].view(np.uint32))
    json.dumps(result.report, allow_nan=False)
    assert not any(gap["failed"] for gap in result.report["gaps"])
    return result, [result.audio[:, span] for span in spans]


def rms(audio: Audio) -> float:
    return float(np.sqrt(np.mean(audio**2)))


def methods(result: segue.Result) -> list[str]:
    return [c["method"] for c in result.report["gaps"][0]["candidates"]]


def test_fault_29_gaps_at_the_start_and_at_the_end_sound_like_the_song() -> None:
    song = loop_song(44100, 8.0)
    _, gaps = render(song, 44100, [(0.0, 1.0), (7.0, 8.0)])
    for gap in gaps:
        assert 0.3 < rms(gap) / rms(song) < 3.0


def test_fault_29_a_mono_clip_at_96_khz_stays_mono_and_at_its_rate() -> None:
    song = loop_song(96000, 6.0)[:1]
    result, (gap,) = render(song, 96000, [(3.0, 4.0)])
    assert (result.rate, gap.shape) == (96000, (1, 96000))
    assert 0.3 < rms(gap) / rms(song) < 3.0


def test_fault_29_silence_is_filled_with_silence() -> None:
    result, (gap,) = render(np.zeros((2, 6 * 44100), np.float32), 44100, [(3.0, 4.0)])
    assert not gap.any()
    assert "generated" in methods(result)


def test_fault_29_a_clip_with_hardly_any_music_is_filled_from_what_there_is() -> None:
    song = loop_song(44100, 3.0)
    _, (gap,) = render(song, 44100, [(1.0, 2.0)])
    assert 0.3 < rms(gap) / rms(song) < 3.0
    _, (gap,) = render(song, 44100, [(1.0, 1.0 + 1 / 44100)])
    assert gap.shape[1] == 1
    result, (gap,) = render(song[:, :22051], 44100, [(1 / 44100, 0.5)])  # all but the first and last sample
    assert gap.shape[1] == 22049
    assert "nothing to recall" in result.report["gaps"][0]["candidates"][0]["how"]


def test_fault_29_clips_of_one_and_two_samples_are_refused_or_defined() -> None:
    two = np.full((2, 2), 0.5, np.float32)
    with pytest.raises(InvalidRequest, match="whole clip"):
        segue.fill(two[:, :1], 44100, (0.0, 1 / 44100), settings=FAST)
    result, _ = render(two, 44100, [(0.0, 1 / 44100)])
    assert methods(result) == ["janssen"]


def test_fault_29_the_whole_clip_needs_another_song_and_then_sounds_like_it() -> None:
    clip, song = loop_song(44100, 2.0), loop_song(44100, 8.0, seed=1)
    with pytest.raises(InvalidRequest, match="another track"):
        segue.fill(clip, 44100, (0.0, 2.0), settings=FAST)
    result, (gap,) = render(clip, 44100, [(0.0, 2.0)], song=[(song, 44100)])
    assert {"splice", "generated"} <= set(methods(result))
    assert 0.3 < rms(gap) / rms(song) < 3.0


@pytest.mark.parametrize(
    ("gaps", "why"),
    [
        ([], "at least one gap"),
        ([(1.0, 1.0)], "empty"),
        ([(0.5, 1.5), (1.4, 2.0)], "overlap"),
        ([(0.5, 1.5), (1.5, 2.0)], "touch"),
        ([(2.5, 3.5)], "not inside the clip"),
        ([(-0.5, 0.5)], "0 or more"),
        ([(2.0, 1.0)], "end after it starts"),
        ([(float("nan"), 1.0)], "finite"),
    ],
)
def test_fault_29_gaps_that_mean_nothing_are_refused_before_any_work(gaps: Gaps, why: str) -> None:
    seen: list[segue.Progress] = []
    song = loop_song(44100, 3.0)
    with pytest.raises(InvalidRequest, match=why):
        segue.fill(song, 44100, gaps, settings=FAST, callback=seen.append)
    assert not seen
