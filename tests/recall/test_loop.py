from __future__ import annotations

import numpy as np
import pytest

from segue.clip.span import Span
from segue.recall.loop import find_loop, looped
from segue.recall.song import Recallable, Song
from segue.recall.splice import splice
from segue_export.train.measures import mel_distance
from tests.recall.material import codec
from tests.songs import loop_song

RATE = 44100
GAP = Span(2 * RATE, 4 * RATE)


def clip(period: float, seed: int = 0) -> np.ndarray:
    """Six seconds that repeat exactly after ``period`` seconds, to the sample."""
    bar = loop_song(RATE, 4.0, seed)[:, : round(period * RATE)]
    return np.tile(bar, (1, 8))[:, : 6 * RATE]


def song_of(audio: np.ndarray, gap: Span = GAP) -> Song:
    hidden = audio.copy()
    hidden[:, gap.start : gap.stop] = 0.0
    return Song.of(hidden, [gap], codec())


@pytest.mark.parametrize("period", [0.8, 1.0, 1.3003])
def test_the_period_of_a_loop_is_found_to_the_sample(period: float) -> None:
    found = find_loop(song_of(clip(period)), GAP)
    assert found is not None
    rounds = found.period / round(period * RATE)
    assert rounds == pytest.approx(round(rounds), abs=2 / RATE)
    assert found.distance_db < 3.0, "frames of 23 ms do not fall on whole periods"


def test_a_looped_clip_is_filled_with_what_stood_there() -> None:
    audio = clip(1.0)
    song = song_of(audio)
    assert song.donors(GAP) is None, "the clip has no room for a donor: the loop is all there is"
    loop = find_loop(song, GAP)
    assert loop is not None
    whole, pair = looped(song, GAP, loop)
    filled, _ = splice(whole, pair, GAP, 0)
    assert mel_distance(filled / whole.gain, audio[:, GAP.start : GAP.stop]) < 1.0


def test_the_timeline_keeps_its_samples_and_loops_are_no_recall() -> None:
    song = song_of(clip(1.0))
    loop = find_loop(song, GAP)
    assert loop is not None
    whole, pair = looped(song, GAP, loop)
    assert np.array_equal(whole.audio[:, : song.samples], song.audio)
    assert whole.timeline == song.timeline
    assert GAP in whole.blocked
    assert pair.period == loop.period
    assert Recallable.of(pair).word == "none"


def test_nothing_of_the_gap_is_looped() -> None:
    audio = clip(1.0)
    other = audio.copy()
    other[:, GAP.start : GAP.stop] = 0.5
    assert find_loop(song_of(audio), GAP) == find_loop(song_of(other), GAP)


@pytest.mark.parametrize("gap", [Span(0, 2 * RATE), Span(4 * RATE, 6 * RATE)])
def test_one_context_is_enough(gap: Span) -> None:
    audio = clip(1.0)
    song = song_of(audio, gap)
    loop = find_loop(song, gap)
    assert loop is not None
    whole, pair = looped(song, gap, loop)
    filled, _ = splice(whole, pair, gap, 0)
    assert mel_distance(filled / whole.gain, audio[:, gap.start : gap.stop]) < 1.0


def test_too_little_context_gives_no_loop() -> None:
    gap = Span(RATE // 4, 6 * RATE)
    assert find_loop(song_of(clip(1.0), gap), gap) is None
