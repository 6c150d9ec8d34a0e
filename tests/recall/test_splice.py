from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.recall.donors import MARGIN, DonorPair
from segue.recall.song import Song
from segue.recall.splice import copy, donor_audio, splice
from tests.recall.material import RATE, codec, notes, repeating

PERIOD = 99_001
LOOP = repeating(3, PERIOD, 9)
GAP = Span(4 * PERIOD + 1234, 4 * PERIOD + 1234 + 60_007)


@pytest.mark.parametrize("render", [splice, copy])
def test_a_perfectly_repeating_song_is_restored(render: object) -> None:
    song = Song.of(LOOP, [GAP], codec())
    pair = song.donors(GAP)
    assert pair is not None
    made = splice(song, pair, GAP, MARGIN)[0] if render is splice else copy(song, pair, GAP, MARGIN)
    hidden = LOOP[:, GAP.start - MARGIN : GAP.stop + MARGIN] * np.float32(song.gain)
    np.testing.assert_allclose(made, hidden, atol=1e-5)


def test_two_donors_of_the_same_material_join_without_a_trace() -> None:
    song = Song.of(LOOP, [GAP], codec())
    pair = DonorPair(GAP.start - 2 * PERIOD, GAP.start + 2 * PERIOD, 20_000, 0, 1.0, 1.0, 1.0)
    made, _ = splice(song, pair, GAP, 500)
    np.testing.assert_allclose(made, LOOP[:, GAP.start - 500 : GAP.stop + 500] * np.float32(song.gain), atol=1e-5)


def test_the_switch_moves_to_where_the_donors_are_alike() -> None:
    track = notes(5, 20.0)
    gap = Span(10 * RATE, 12 * RATE)
    left, right, alike = 2 * RATE, 15 * RATE, RATE + 1500
    track[:, right + alike - 3000 : right + alike + 3000] = track[:, left + alike - 3000 : left + alike + 3000]
    song = Song.of(track, [gap], codec())
    made, switch = splice(song, DonorPair(left, right, RATE, left, 1.0, 1.0, 1.0), gap, 0)
    assert abs(switch - alike) <= 3000 - 1323
    np.testing.assert_allclose(made[:, : switch - 1323], song.audio[:, left:][:, : switch - 1323])
    np.testing.assert_allclose(made[:, switch + 1323 :], song.audio[:, right + switch + 1323 : right + 2 * RATE])
    np.testing.assert_allclose(
        made[:, switch - 1000 : switch], song.audio[:, left + switch - 1000 : left + switch], atol=1e-5
    )


@pytest.mark.parametrize("margin", [-1, MARGIN + 1])
def test_a_margin_donors_do_not_cover_is_refused(margin: int) -> None:
    song = Song.of(LOOP, [GAP], codec())
    pair = song.donors(GAP)
    assert pair is not None
    with pytest.raises(InvalidRequest, match="margin"):
        splice(song, pair, GAP, margin)


def test_a_pair_of_another_song_is_refused_rather_than_heard_as_silence() -> None:
    song = Song.of(LOOP, [GAP], codec())
    pair = song.donors(GAP)
    assert pair is not None
    for place in (GAP.start - 100, -1, song.samples - 10):
        with pytest.raises(InvalidRequest, match="known material"):
            copy(song, dataclasses.replace(pair, copy=place), GAP, 0)


@settings(max_examples=30, deadline=None)
@given(
    left=st.integers(-3000, 12_000),
    right=st.integers(-3000, 12_000),
    low=st.integers(-4000, 9000),
    length=st.integers(0, 6000),
)
def test_donor_windows_are_the_song_where_it_is_known_and_absent_elsewhere(
    left: int, right: int, low: int, length: int
) -> None:
    blocked = (Span(2000, 2500), Span(7000, 9000))
    audio = 1.0 + np.arange(20_000, dtype=np.float32).reshape(2, 10_000)
    gap, window = Span(7000, 9000), Span(low, low + length)
    song = Song(audio, 10_000, 1.0, blocked, codec())
    heard, presence = donor_audio(song, DonorPair(left, right, 0, 0, 1.0, 1.0, 1.0), gap, window)
    for k, place in enumerate((left, right)):
        for n in range(0, length, 37):
            sample = place + window.start + n - gap.start
            known = 0 <= sample < 10_000 and not any(b.start <= sample < b.stop for b in blocked)
            assert presence[k, n] == known
            assert heard[k, :, n].tolist() == (audio[:, sample].tolist() if known else [0.0, 0.0])
