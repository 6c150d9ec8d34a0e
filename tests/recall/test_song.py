from __future__ import annotations

import numpy as np
import pytest
import torch

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.recall.donors import DonorPair
from segue.recall.features import HOP, song_features
from segue.recall.song import JOIN, Recallable, Song
from tests.recall.material import RATE, codec, notes


def rms(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(audio.astype(np.float64) ** 2)))


def test_the_level_is_measured_on_known_samples_only() -> None:
    timeline = 0.03 * notes(1, 3.0)
    gap = Span(RATE, 2 * RATE)
    timeline[:, gap.start : gap.stop] = 9.0
    song = Song.of(timeline, [gap], codec())
    known = np.concatenate([song.audio[:, : gap.start], song.audio[:, gap.stop :]], 1)
    assert rms(known) == pytest.approx(0.1, rel=1e-4)
    assert not song.audio[:, gap.start : gap.stop].any()
    np.testing.assert_allclose(song.audio[:, : gap.start] / song.gain, timeline[:, : gap.start], rtol=1e-5)


def test_further_files_follow_a_blocked_silence_each_at_the_reference_level() -> None:
    first, second, third = notes(1, 2.0), 0.2 * notes(2, 1.0), 5.0 * notes(3, 1.5)
    song = Song.of(first, [], codec(), [second, third])
    at = first.shape[1]
    assert song.timeline == at
    assert song.blocked == (
        Span(at, at + JOIN),
        Span(at + JOIN + second.shape[1], at + 2 * JOIN + second.shape[1]),
    )
    np.testing.assert_allclose(song.audio[:, at + JOIN : at + JOIN + second.shape[1]], 5.0 * second, rtol=1e-4)
    assert rms(song.audio[:, at + 2 * JOIN + second.shape[1] :]) == pytest.approx(0.1, rel=1e-4)
    assert song.samples == at + 2 * JOIN + second.shape[1] + third.shape[1]


def test_frames_made_in_blocks_are_those_of_the_whole() -> None:
    timeline = np.random.default_rng(0).standard_normal((2, 2100 * 512 + 77)).astype(np.float32)
    song = Song.of(timeline, [Span(500_000, 560_000)], codec())
    whole = song.codec.frames(torch.from_numpy(song.audio[None]))[0].numpy()
    assert song.frames.shape == whole.shape
    np.testing.assert_allclose(song.frames, whole, atol=2e-4)
    assert song.frames is song.frames


def test_features_made_in_blocks_are_those_of_the_whole() -> None:
    audio = 0.1 * np.random.default_rng(0).standard_normal((2, 2060 * HOP)).astype(np.float32)
    cut = 2040 * HOP
    np.testing.assert_allclose(
        song_features(audio)[2038:2042], song_features(audio[:, cut - 8 * HOP :])[6:10], atol=1e-3
    )


def test_context_frames_hear_the_context_alone() -> None:
    timeline = notes(4, 6.0)
    gap = Span(2 * RATE, 2 * RATE + 40_000)
    song = Song.of(timeline, [gap], codec())
    left, right = song.context_frames(gap, 6)
    whole = torch.from_numpy(np.float32(song.gain) * timeline)
    before = song.codec.frames(whole[None, :, gap.start % 512 :])[0].numpy()
    after = song.codec.frames(whole[None, :, gap.stop % 512 :])[0].numpy()
    start, stop = gap.start // 512, gap.stop // 512
    np.testing.assert_allclose(left[:5], before[start - 6 : start - 1], atol=2e-3)
    np.testing.assert_allclose(right[2:], after[stop + 2 : stop + 6], atol=2e-3)
    assert np.abs(left[-1] - before[start - 1]).mean() < 0.5  # reflected at the gap, not silenced


def test_contexts_end_at_the_clip_and_at_other_gaps() -> None:
    gaps = [Span(10_000, 20_000), Span(30_000, 40_000)]
    song = Song.of(notes(5, 1.0), gaps, codec(), [notes(6, 1.0)])
    sizes = [[side.shape[1] for side in song.context(gap, 12_000)] for gap in gaps]
    assert sizes == [[10_000, 10_000], [10_000, 44_100 - 40_000]]


def test_units_come_from_the_other_song_once_it_is_to_sound_and_all_else_from_this_one() -> None:
    own = Song.of(notes(7, 3.0), [Span(RATE, RATE + 500)], codec())
    assert own.units is own
    sounding = own.sounding_like(0.01 * notes(8, 2.0))
    assert sounding.units.samples == 2 * RATE
    assert sounding.units.blocked == ()
    assert rms(sounding.units.audio) == pytest.approx(0.1, rel=1e-4)
    assert sounding.audio is own.audio
    assert sounding.blocked == own.blocked


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (np.zeros((2, 2 * RATE), np.float32), "silent"),
        (notes(9, 1.0)[:, :-1], "1 s or more"),
        (np.full((2, 2 * RATE), np.inf, np.float32), "finite"),
    ],
)
def test_a_song_that_has_no_sound_to_take_is_refused(other: np.ndarray, expected: str) -> None:
    with pytest.raises(InvalidRequest, match=expected):
        Song.of(notes(7, 3.0), [], codec()).sounding_like(other)


def test_a_silent_timeline_keeps_its_level() -> None:
    song = Song.of(np.zeros((2, RATE), np.float32), [Span(100, 200)], codec())
    assert song.gain == 1.0


@pytest.mark.parametrize("gap", [Span(-1, 10), Span(44_000, 44_101)])
def test_a_gap_outside_the_timeline_is_refused(gap: Span) -> None:
    with pytest.raises(InvalidRequest, match="within the timeline"):
        Song.of(notes(1, 1.0), [gap], codec())


def test_samples_that_are_not_finite_are_refused() -> None:
    bad = notes(1, 1.0)
    bad[0, 77] = np.nan
    with pytest.raises(InvalidRequest, match="recall file 1"):
        Song.of(notes(1, 1.0), [], codec(), [bad])


@pytest.mark.parametrize(("distance", "word"), [(4.9, "easy"), (5.0, "middle"), (6.9, "middle"), (7.0, "hard")])
def test_the_report_says_how_well_a_gap_can_be_recalled(distance: float, word: str) -> None:
    assert Recallable.of(DonorPair(0, 0, 0, 0, 1.0, 1.0, distance)) == Recallable(distance, word)
    assert Recallable.of(None) == Recallable(None, "none")
