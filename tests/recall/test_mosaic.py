from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.recall.joining import JoinSettings
from segue.recall.mosaic import Mosaic, MosaicSettings, mosaic, unit_borders
from segue.recall.song import Song
from tests.recall.material import RATE, codec, notes, repeating

HOP, BANDS = 512, 144
NONE = np.zeros((0, BANDS), np.float32)


def target_of(track: np.ndarray, gap: Span, song: Song) -> np.ndarray:
    """The gap's true frames."""
    known = torch.from_numpy(np.float32(song.gain) * track[None, :, gap.start - 8 * HOP : gap.stop + 9 * HOP])
    return np.asarray(song.codec.frames(known)[0, 8 : 8 + -(-gap.length // HOP)].numpy())


def fill(track: np.ndarray, gap: Span, song: Song) -> Mosaic:
    left, right = song.context_frames(gap, 4)
    before, after = song.context(gap, 4000)
    made = mosaic(
        song.audio,
        song.frames,
        target_of(track, gap, song),
        song.blocked,
        left,
        right,
        samples=gap.length,
        left_audio=before,
        right_audio=after,
    )
    assert made is not None
    return made


@given(st.integers(1, 2000), st.integers(1, 40))
def test_units_cover_the_target_and_are_equal_within_a_frame(frames: int, unit: int) -> None:
    borders = unit_borders(frames, unit)
    lengths = np.diff(borders)
    assert borders[0] == 0
    assert borders[-1] == frames
    assert lengths.min() >= 1
    assert lengths.max() - lengths.min() <= 1
    if frames >= unit:
        assert 2 / 3 * unit - 1 <= lengths.mean() <= 1.5 * unit


@pytest.mark.parametrize("period", [64 * HOP, 30_011])
def test_a_repeating_song_is_restored_from_its_own_mel(period: int) -> None:
    track = repeating(3, period, 10)
    gap = Span(4 * period + 777, 4 * period + 777 + 50_001)
    song = Song.of(track, [gap], codec())
    made = fill(track, gap, song)
    hidden = track[:, gap.start - made.fade : gap.stop + made.fade] * np.float32(song.gain)
    error = float(np.mean((made.audio - hidden) ** 2) / np.mean(hidden**2))
    assert error < (1e-8 if period % HOP == 0 else 1e-3)


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 40_000))
def test_any_length_of_gap_is_filled_exactly(length: int) -> None:
    gap = Span(2 * RATE, 2 * RATE + length)
    song = Song.of(TRACK, [gap], codec())
    song.__dict__["frames"] = FRAMES  # blocked places are never looked at, so the whole track's frames serve all gaps
    made = fill(TRACK, gap, song)
    assert made.audio.shape == (2, length + 2 * made.fade)
    assert made.runs[0].start == 0
    assert made.runs[-1].stop == length
    assert all(a.stop == b.start for a, b in zip(made.runs, made.runs[1:], strict=False))
    assert np.isfinite(made.audio).all()


TRACK = notes(11, 5.0)
FRAMES = Song.of(TRACK, [], codec()).frames


def test_without_contexts_the_target_alone_decides() -> None:
    """A gap that is the whole clip, filled from another song: its units may come from anywhere."""
    target = FRAMES[100:121]
    made = mosaic(TRACK, FRAMES, target, [], NONE, NONE, MosaicSettings(unit=7))
    assert made is not None
    assert [r.place for r in made.runs] == [100 * HOP]
    np.testing.assert_array_equal(made.audio, TRACK[:, 100 * HOP - made.fade : 121 * HOP + made.fade])


def test_a_song_without_a_clear_place_gives_none() -> None:
    everywhere = [Span(k, k + 100) for k in range(0, TRACK.shape[1], 3000)]
    assert mosaic(TRACK, FRAMES, FRAMES[:20], everywhere, NONE, NONE) is None
    assert mosaic(TRACK[:, :500], NONE, FRAMES[:20], [], NONE, NONE) is None


def test_the_choice_is_the_same_each_time() -> None:
    target = FRAMES[60:99] + np.random.default_rng(0).standard_normal((39, BANDS)).astype(np.float32)
    first, second = (mosaic(TRACK, FRAMES, target, [Span(20_000, 60_000)], NONE, NONE) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.runs == second.runs
    np.testing.assert_array_equal(first.audio, second.audio)


def test_the_path_is_the_cheapest_of_all() -> None:
    """Against every path there is, costs written out from their definition."""
    rng = np.random.default_rng(1)
    song, target = rng.standard_normal((14, 6)).astype(np.float32), rng.standard_normal((9, 6)).astype(np.float32)
    left, right = rng.standard_normal((2, 6)).astype(np.float32), rng.standard_normal((2, 6)).astype(np.float32)
    s = MosaicSettings(
        unit=3, around=1, candidates=14, beam=200, join=0.2, mismatch=0.3, seam=0.4, side_weight=0.5,
        mid_bands=4, hop=8,
        joining=JoinSettings(fade=1, align=0, window=2),
    )  # fmt: skip
    weights = np.array([1, 1, 1, 1, 0.5, 0.5]) / 5.0

    def apart(a: np.ndarray, b: np.ndarray) -> float:
        return float(weights @ (a - b) ** 2)

    around = np.concatenate([left[-1:], target, right[:1]])

    def cost(path: tuple[int, ...]) -> float:
        total = s.seam * (apart(song[path[0] - 1], left[-1]) + apart(song[path[-1] + 3], right[0]))
        for u, place in enumerate(path):
            total += sum(apart(song[place - 1 + k], around[3 * u + k]) for k in range(5)) / 5
            if u and place != path[u - 1] + 3:
                total += s.join + s.mismatch * apart(song[path[u - 1] + 3], song[place])
        return total

    places = range(1, 11)  # a unit and a sample of reach on each side lie within the song; frame place + 3 exists
    audio = rng.standard_normal((2, 13 * 8 + 4)).astype(np.float32)
    made = mosaic(audio, song, target, [], left, right, s)
    assert made is not None
    best = min(product(places, repeat=3), key=cost)
    assert made.cost * 3 == pytest.approx(cost(best), rel=1e-4)


def test_bad_targets_are_refused_before_anything_is_searched() -> None:
    with pytest.raises(InvalidRequest, match="same bands"):
        mosaic(TRACK, FRAMES, FRAMES[:8, :100], [], NONE, NONE)
    with pytest.raises(InvalidRequest, match="within one hop"):
        mosaic(TRACK, FRAMES, FRAMES[:8], [], NONE, NONE, samples=8 * HOP + 1)
    with pytest.raises(InvalidRequest, match="got 0 frames"):
        mosaic(TRACK, FRAMES, NONE, [], NONE, NONE)
    with pytest.raises(InvalidRequest, match="all finite"):
        mosaic(TRACK, FRAMES, np.full((8, BANDS), np.nan, np.float32), [], NONE, NONE)


@pytest.mark.parametrize("setting", [{"unit": 0}, {"candidates": 0}, {"join": -1.0}, {"mismatch": float("nan")}])
def test_settings_outside_their_range_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(setting))):
        MosaicSettings(**setting)
