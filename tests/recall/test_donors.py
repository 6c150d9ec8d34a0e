from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.span import Span
from segue.recall.blocked import is_clear
from segue.recall.donors import MARGIN, find_donors, sliding_distance
from segue.recall.features import HOP, song_features
from segue.recall.song import Song
from tests.recall.material import RATE, codec, notes, phrases, with_repeat

FIRST, SECOND = 100_037, 600_011  # no multiple of any hop lies between them
REPEATED = with_repeat(7, FIRST, SECOND, 6 * RATE, 24.0)
SONG = notes(8, 16.0)
FEATURES = song_features(SONG)


def test_an_exact_repeat_is_found_to_the_sample() -> None:
    gap = Span(SECOND + 2 * RATE, SECOND + 2 * RATE + 70_001)
    song = Song.of(REPEATED, [gap], codec())
    pair = song.donors(gap)
    assert pair is not None
    place = gap.start - (SECOND - FIRST)
    assert (pair.left, pair.right, pair.copy) == (place, place, place)
    assert pair.distance_db < 5.0  # not 0: the lag is no multiple of the frames' hop


@pytest.mark.parametrize("side", ["start", "end"])
def test_a_gap_at_an_edge_uses_its_one_context(side: str) -> None:
    if side == "start":
        gap, track = Span(0, 50_000), REPEATED[:, SECOND - 50_000 + RATE :]
        track = np.concatenate([track, REPEATED[:, :SECOND]], 1)
        place = track.shape[1] - SECOND + FIRST + RATE - 50_000
    else:
        track = REPEATED[:, : SECOND + 4 * RATE]
        gap = Span(track.shape[1] - 50_000, track.shape[1])
        place = gap.start - (SECOND - FIRST)
    pair = Song.of(track, [gap], codec()).donors(gap)
    assert pair is not None
    assert pair.left == pair.right == pair.copy == place
    assert math.isnan(pair.left_db if side == "start" else pair.right_db)
    assert pair.switch == (0 if side == "start" else gap.length)


def test_the_start_of_a_further_song_is_no_context_of_a_gap_at_the_tracks_end() -> None:
    track = REPEATED[:, : SECOND + 4 * RATE]
    gap = Span(track.shape[1] - 50_000, track.shape[1])
    alone, beside = (Song.of(track, [gap], codec(), songs).donors(gap) for songs in ((), (SONG,)))
    assert alone is not None and beside is not None
    assert math.isnan(beside.right_db)
    assert (beside.left, beside.right, beside.copy) == (alone.left, alone.right, alone.copy)


@settings(max_examples=15, deadline=None)
@given(
    start=st.integers(0, SONG.shape[1] - 1),
    length=st.integers(1, 3 * RATE),
    other=st.integers(0, SONG.shape[1] - RATE),
)
def test_donors_and_their_margins_are_known_material(start: int, length: int, other: int) -> None:
    gap = Span(start, min(SONG.shape[1], start + length))
    blocked = [gap, Span(other, other + RATE)]
    pair = find_donors(SONG, FEATURES, gap, blocked)
    if pair is None:
        return
    for place in (pair.left, pair.right, pair.copy):
        assert is_clear(Span(place - MARGIN, place + gap.length + MARGIN), SONG.shape[1], blocked)
    assert 0 <= pair.switch <= gap.length
    assert math.isfinite(pair.distance_db)
    assert pair.distance_db < 100.0


def test_of_several_places_that_fit_as_well_each_has_its_turn_and_then_the_first_again() -> None:
    """The gap is in the last of four phrases."""
    track, begins = phrases()
    period = begins[1] - begins[0]
    gap = Span(begins[3] + RATE, begins[3] + 2 * RATE)
    song = Song.of(track, [gap], codec())
    pairs = [song.turns(gap, [turn])[0] for turn in range(6)]
    heard = []
    for pair in pairs:
        heard.append({begins.index(min(begins, key=lambda b: abs(b - p))) for p in (pair.left, pair.right)})
        for place in (pair.left, pair.right):
            assert abs((place - gap.start) % period) in (*range(1200), *range(period - 1200, period))
    assert pairs[0] == song.donors(gap)
    assert {0, 1, 2} == heard[0] | heard[1] | heard[2]
    choices = len({(pair.left, pair.right) for pair in pairs})
    assert choices < len(pairs), "turns come round"
    assert [pair.lap for pair in pairs] == [turn // choices for turn in range(6)]


def test_the_highest_seed_has_a_turn_too() -> None:
    gap = Span(300_000, 340_000)
    song = Song.of(SONG, [gap], codec())
    highest = 2**63 - 1
    assert song.turns(gap, [highest])[0] in {song.turns(gap, [turn])[0] for turn in range(8)}


def test_where_the_song_holds_the_music_once_more_every_turn_is_that() -> None:
    gap = Span(SECOND + 2 * RATE, SECOND + 2 * RATE + 70_001)
    song = Song.of(REPEATED, [gap], codec())
    assert len({song.turns(gap, [turn])[0] for turn in range(4)}) == 1


def test_pairs_of_the_same_places_are_one_where_a_context_has_no_distance() -> None:
    track = REPEATED[:, : SECOND + 4 * RATE]
    gap = Span(track.shape[1] - 50_000, track.shape[1])
    one, two = (Song.of(track, [gap], codec()).donors(gap) for _ in range(2))
    assert one is not None and math.isnan(one.right_db)
    assert len({one, two}) == 1, "seeds that hear the same places take one turn"


def test_a_song_without_room_has_no_donors() -> None:
    gap = Span(RATE, 3 * RATE)
    assert Song.of(notes(1, 4.0), [gap], codec()).donors(gap) is None
    whole = Span(0, 4 * RATE)
    assert Song.of(notes(1, 4.0), [whole], codec()).donors(whole) is None


def test_silence_is_no_reason_to_move_a_donor() -> None:
    track = np.zeros((2, 20 * RATE), np.float32)
    gap = Span(10 * RATE, 11 * RATE)
    pair = find_donors(track, song_features(track), gap, [gap])
    assert pair is not None
    assert pair.left % HOP == pair.copy % HOP == gap.start % HOP


def test_the_search_is_the_same_each_time() -> None:
    gap = Span(5 * RATE, 7 * RATE)
    assert find_donors(SONG, FEATURES, gap, [gap]) == find_donors(SONG, FEATURES, gap, [gap])


def test_the_sliding_distance_is_the_weighted_mean_square_at_every_start() -> None:
    rng = np.random.default_rng(0)
    song, context = rng.standard_normal((30, 5)).astype(np.float32), rng.standard_normal((7, 5)).astype(np.float32)
    weights = np.array([0, 0.1, 0.2, 0, 0.5, 1, 1], np.float32)
    expected = [
        float((weights @ ((song[s : s + 7] - context) ** 2).mean(1)) / weights.sum()) for s in range(30 - 7 + 1)
    ]
    np.testing.assert_allclose(sliding_distance(song, context, weights), expected, rtol=1e-4)
