"""Fault 29, recall's part: gaps at the edges or over everything, silent contexts, one sample."""

from __future__ import annotations

import numpy as np
import pytest

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.recall.mirror import mirror
from segue.recall.mosaic import mosaic
from segue.recall.song import Song
from tests.recall.material import RATE, codec, notes

LENGTH = 8 * RATE
GAPS = {
    "at the start": Span(0, RATE),
    "at the end": Span(LENGTH - RATE, LENGTH),
    "one sample": Span(3 * RATE, 3 * RATE + 1),
    "all but a sample": Span(1, LENGTH),
    "of zero length": Span(RATE, RATE),
}


@pytest.mark.parametrize("where", GAPS)
@pytest.mark.parametrize("silent", [False, True])
def test_fault_29_every_gap_has_a_defined_result(where: str, silent: bool) -> None:
    gap = GAPS[where]
    song = Song.of(np.zeros((2, LENGTH), np.float32) if silent else notes(2, 8.0), [gap], codec())
    pair = song.donors(gap)
    assert pair is None or np.isfinite(pair.distance_db)
    left, right = song.context(gap, RATE)
    made = mirror(left, right, gap.length, 100)
    assert made.audio.shape == (2, gap.length + 200)
    assert np.isfinite(made.audio).all()
    if gap.length:
        frames = -(-gap.length // 512)
        target = np.zeros((frames, song.frames.shape[1]), np.float32)
        units = mosaic(song.audio, song.frames, target, song.blocked, *song.context_frames(gap, 2), samples=gap.length)
        assert (units is None) == (where == "all but a sample")


def test_fault_29_a_gap_over_the_whole_clip_recalls_nothing_and_says_so() -> None:
    gap = Span(0, RATE)
    song = Song.of(notes(2, 1.0), [gap], codec())
    assert song.donors(gap) is None
    assert [side.shape[1] for side in song.context(gap, RATE)] == [0, 0]
    assert [len(side) for side in song.context_frames(gap, 4)] == [0, 0]
    with pytest.raises(InvalidRequest, match="at least one sample"):
        mirror(*song.context(gap, RATE), gap.length)


def test_fault_29_a_clip_of_one_sample_has_nothing_to_recall() -> None:
    song = Song.of(np.full((2, 1), 0.5, np.float32), [], codec())
    assert len(song.frames) == 0
    assert len(song.features) == 1
    assert song.donors(Span(0, 1)) is None
