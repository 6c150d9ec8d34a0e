"""What likely places agree on, against weighted means and standard deviations written out."""

from __future__ import annotations

import numpy as np
import pytest

from segue.clip.span import Span
from segue.recall.blocked import touching_frames
from segue.recall.consensus import PLACES, TEMPERATURE, Consensus, agreed
from segue.recall.donors import find_donors
from segue.recall.features import HOP, song_features

STEP = 512


def test_a_place_counts_by_how_well_it_is_foretold_to_fit() -> None:
    """One temperature further away: a factor of e less, and between the parts of the gap it goes over evenly."""
    both = Consensus(np.array([0, 9000]), np.array([[2.0, 2.0], [2.0, 2.0 + TEMPERATURE]]))
    weights = both.weights(np.array([-1.0, 0.25, 0.5, 0.75, 2.0]))
    e = np.exp(-1.0)
    np.testing.assert_allclose(weights[1] / weights[0], [1.0, 1.0, (1 + e) / 2, e, e])


def test_only_the_likeliest_places_are_kept() -> None:
    """The nearest on the mean over the gap come first."""
    foretold = np.stack([np.arange(2.0 * PLACES)[::-1], np.zeros(2 * PLACES)], 1)
    kept = Consensus.of(np.arange(2 * PLACES) * 1000, foretold)
    np.testing.assert_array_equal(kept.places, np.arange(2 * PLACES)[::-1][:PLACES] * 1000)


def test_mel_and_spread_are_those_of_the_known_places() -> None:
    """Three moments: both places known, one, none."""
    song = np.zeros((40, 2), np.float32)
    song[10:13], song[30:33] = [1.0, 4.0], [3.0, 0.0]
    known = np.ones(40, bool)
    known[[31, 12, 32]] = False
    both = Consensus(np.array([10 * STEP, 30 * STEP + 100]), np.full((2, 1), 5.0))
    found = agreed(both, song, known, np.arange(3.0) * STEP, 3 * STEP, STEP)
    np.testing.assert_allclose(found.mel, [[2.0, 2.0], [1.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(found.spread, [[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]], atol=1e-6)
    np.testing.assert_array_equal(found.seen, [True, True, False])


@pytest.mark.parametrize("place", [-5 * STEP, 100 * STEP])
def test_a_place_beyond_the_song_says_nothing(place: int) -> None:
    """Frames before the first and after the last are not those at the ends."""
    alone = Consensus(np.array([place]), np.full((1, 1), 5.0))
    found = agreed(alone, np.ones((40, 2), np.float32), np.ones(40, bool), np.arange(4.0) * STEP, 4 * STEP, STEP)
    assert not found.seen.any()
    assert not found.mel.any()


def test_a_song_that_repeats_agrees_on_what_is_missing() -> None:
    """Bars of noise in four notes, each bar the same: the places agree on the missing one, and hardly differ."""
    bar = 32 * HOP
    rng = np.random.default_rng(4)
    loudness = np.repeat([0.3, 0.05, 0.15, 0.02], bar // 4)
    song = np.tile(rng.standard_normal((2, bar)) * loudness, 24).astype(np.float32)
    gap = Span(12 * bar, 12 * bar + bar // 2)
    features = song_features(song)
    hidden = song.copy()
    hidden[:, gap.start : gap.stop] = 0.0
    pair = find_donors(hidden, song_features(hidden), gap, [gap])
    assert pair is not None
    assert pair.consensus is not None
    heard = song_features(hidden)
    known = ~touching_frames(len(heard), HOP, HOP, HOP, [gap])
    moments = np.arange(gap.length // HOP) * float(HOP)
    found = agreed(pair.consensus, heard, known, moments, gap.length, HOP)
    real = features[gap.start // HOP :][: len(moments)]
    assert found.seen.all()
    assert np.abs(found.mel - real)[1:].mean() < 0.5
