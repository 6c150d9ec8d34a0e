"""Plans leave everything outside the regions as it was, and say exactly what the regions start from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.tasks.continuation import Continuation
from segue.tasks.infill import Infill
from segue.tasks.regenerate import Regenerate
from segue.tasks.registry import TASKS
from segue.tasks.restyle import Restyle
from segue.tasks.transition import Transition, constant_power


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (2, samples)).astype(np.float32)


@st.composite
def tracks_with_gaps(draw: st.DrawFn) -> tuple[np.ndarray, tuple[Span, ...]]:
    """A track and legal gaps in it, in any order; some at the very start or end."""
    cuts = sorted(draw(st.sets(st.integers(0, 400), min_size=3, max_size=12)))
    pairs = list(zip(cuts[0::2], cuts[1::2], strict=False))
    length = cuts[-1] if len(cuts) % 2 else cuts[-1] + draw(st.integers(1, 5))
    gaps = draw(st.permutations([Span(a, b) for a, b in pairs]))
    return noise(length, seed=draw(st.integers(0, 9))), tuple(gaps)


def outside(gaps: tuple[Span, ...], length: int) -> np.ndarray:
    keep = np.ones(length, bool)
    for gap in gaps:
        keep[gap.start : gap.stop] = False
    return keep


@given(tracks_with_gaps())
def test_infill_keeps_every_sample_outside_its_gaps_and_none_inside(case: tuple[np.ndarray, tuple[Span, ...]]) -> None:
    track, gaps = case
    plan = Infill(gaps).plan([track])
    keep = outside(gaps, track.shape[1])
    assert plan.timeline[:, keep].tobytes() == track[:, keep].tobytes()
    assert not plan.timeline[:, ~keep].any()
    assert [r.gap for r in plan.regions] == sorted(gaps)
    assert all(r.x_bar is None and r.freedom is None for r in plan.regions)


@given(tracks_with_gaps())
def test_regenerate_hides_the_original_from_the_timeline_and_keeps_it_in_x_bar(
    case: tuple[np.ndarray, tuple[Span, ...]],
) -> None:
    track, gaps = case
    before = track.copy()
    plan = Regenerate(gaps).plan([track])
    keep = outside(gaps, track.shape[1])
    assert plan.timeline[:, keep].tobytes() == track[:, keep].tobytes()
    assert not plan.timeline[:, ~keep].any()
    for region, gap in zip(plan.regions, sorted(gaps), strict=True):
        assert region.gap == gap
        assert region.x_bar is not None
        assert region.x_bar.tobytes() == track[:, gap.start : gap.stop].tobytes()
    assert track.tobytes() == before.tobytes()


@settings(max_examples=30)
@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from(["forward", "backward"]))
def test_continuation_adds_silence_of_the_asked_length_on_the_asked_side(length: int, added: int, side: str) -> None:
    track = noise(length)
    plan = Continuation(added / MODEL_RATE, side).plan([track])
    (region,) = plan.regions
    assert plan.timeline.shape == (2, length + added)
    assert region.gap == (Span(length, length + added) if side == "forward" else Span(0, added))
    known = plan.timeline[:, :length] if side == "forward" else plan.timeline[:, added:]
    assert known.tobytes() == track.tobytes()
    assert not plan.timeline[:, region.gap.start : region.gap.stop].any()
    assert region.x_bar is None


@settings(max_examples=30)
@given(st.integers(2, 2000), st.integers(2, 2000), st.data())
def test_transition_joins_the_tracks_at_the_overlap(a: int, b: int, data: st.DataObject) -> None:
    left, right = noise(a, 1), noise(b, 2)
    overlap = data.draw(st.integers(1, min(a, b) - 1))
    plan = Transition(overlap / MODEL_RATE).plan([left, right])
    (region,) = plan.regions
    assert region.gap == Span(a - overlap, a)
    assert plan.timeline.shape == (2, a + b - overlap)
    assert plan.timeline[:, : a - overlap].tobytes() == left[:, :-overlap].tobytes()
    assert plan.timeline[:, a:].tobytes() == right[:, overlap:].tobytes()
    assert not plan.timeline[:, a - overlap : a].any()
    assert region.x_bar is not None
    assert region.x_bar.shape == (2, overlap)
    assert len(plan.songs) == 2
    assert plan.songs[0] is left
    assert plan.songs[1] is right


@given(st.integers(1, 5000))
def test_cross_fade_has_constant_power_and_reads_the_same_backwards(length: int) -> None:
    falling, rising = constant_power(length)
    np.testing.assert_allclose(falling**2 + rising**2, 1.0, rtol=0, atol=1e-12)
    np.testing.assert_allclose(falling, rising[::-1], rtol=0, atol=1e-12)
    assert (np.diff(rising) > 0).all()


def test_cross_fade_starts_as_the_left_track_and_ends_as_the_right() -> None:
    n = MODEL_RATE
    left, right = np.full((2, 2 * n), 0.5, np.float32), np.full((2, 2 * n), -0.25, np.float32)
    x_bar = Transition(1.0).plan([left, right]).regions[0].x_bar
    assert x_bar is not None
    np.testing.assert_allclose(x_bar[:, 0], 0.5, atol=1e-4)
    np.testing.assert_allclose(x_bar[:, -1], -0.25, atol=1e-4)
    middle = (0.5 - 0.25) * np.sqrt(0.5)
    np.testing.assert_allclose(x_bar[:, n // 2], middle, atol=1e-4)


def test_cross_fade_of_uncorrelated_noise_keeps_its_power() -> None:
    left, right = noise(2 * MODEL_RATE, 1), noise(2 * MODEL_RATE, 2)
    x_bar = Transition(1.0).plan([left, right]).regions[0].x_bar
    assert x_bar is not None
    tenths = (x_bar**2).reshape(2, 10, -1).mean((0, 2))
    np.testing.assert_allclose(tenths, 1.0 / 3.0, rtol=0.05)  # uniform on [-1, 1] has power 1/3


def test_paper_freedom_is_the_default_and_a_curve_is_handed_on() -> None:
    track, gap = noise(100), (Span(10, 20),)
    assert Regenerate(gap).freedom == Freedom(Curve.constant(0.85))
    assert Transition().freedom == Freedom(Curve.constant(0.85))
    rising = Freedom(Curve(((0.0, 0.0), (1.0, 1.0))))
    assert Regenerate(gap, rising).plan([track]).regions[0].freedom == rising


def test_songs_of_other_lengths_are_handed_on_for_recall() -> None:
    songs = [noise(7), noise(13)]
    plan = Infill((Span(1, 2),)).plan([noise(5)], songs)
    assert [s.shape[1] for s in plan.songs] == [7, 13]
    crossed = Transition(3 / MODEL_RATE).plan([noise(9), noise(4)], songs)
    assert [s.shape[1] for s in crossed.songs] == [9, 4, 7, 13]


@pytest.mark.parametrize("task", [Infill, Regenerate])
@pytest.mark.parametrize(
    ("gaps", "reason"),
    [
        ((), "at least one gap"),
        ((Span(5, 5),), "is empty"),
        ((Span(-1, 5),), "not inside the clip"),
        ((Span(90, 101),), "not inside the clip"),
        ((Span(10, 20), Span(19, 30)), "overlap"),
        ((Span(10, 40), Span(15, 20)), "overlap"),
        ((Span(10, 20), Span(20, 30)), "touch"),
        ((Span(0, 100),), "whole clip"),
    ],
)
def test_bad_gaps_are_refused_with_the_reason(
    task: type[Infill] | type[Regenerate], gaps: tuple[Span, ...], reason: str
) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        task(gaps).plan([noise(100)])


def test_the_whole_track_may_be_a_gap_where_another_song_is_given() -> None:
    plan = Infill((Span(0, 100),)).plan([noise(100)], [noise(300)])
    assert plan.regions[0].gap == Span(0, 100)
    assert not plan.timeline.any()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 1e9, 1e-6])
def test_continuation_of_impossible_length_is_refused(seconds: float) -> None:
    with pytest.raises(InvalidRequest, match="the continuation must"):
        Continuation(seconds).plan([noise(100)])


def test_continuation_in_an_unknown_direction_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'forward' or 'backward', got 'up'"):
        Continuation(1.0, "up").plan([noise(100)])


@pytest.mark.parametrize(("left", "right", "side"), [(100, 200, "left"), (200, 100, "right"), (50, 200, "left")])
def test_overlap_that_swallows_a_track_is_refused_naming_it(left: int, right: int, side: str) -> None:
    with pytest.raises(InvalidRequest, match=f"the {side} one lasts"):
        Transition(100 / MODEL_RATE).plan([noise(left), noise(right)])


@pytest.mark.parametrize(
    "task", [Infill((Span(0, 1),)), Regenerate((Span(0, 1),)), Continuation(1.0), Transition(0.0001)]
)
@pytest.mark.parametrize("count", [0, 3])
def test_wrong_number_of_tracks_is_refused(task: Infill, count: int) -> None:
    with pytest.raises(InvalidRequest, match=f"got {count}"):
        task.plan([noise(100)] * count)


@pytest.mark.parametrize("task", [Infill((Span(0, 1),)), Regenerate((Span(0, 1),)), Continuation(1.0)])
def test_not_finite_audio_is_refused_where_it_stands(task: Infill) -> None:
    track = noise(MODEL_RATE)
    track[1, MODEL_RATE // 2] = np.nan
    with pytest.raises(InvalidRequest, match=r"the first at 0\.500 s"):
        task.plan([track])


def test_a_restyling_without_gaps_is_of_the_whole_track_and_of_its_own_sound() -> None:
    track = noise(100)
    (region,) = Restyle().plan([track]).regions
    assert region.gap == Span(0, 100) and region.own_sound
    assert region.x_bar is not None and region.x_bar.tobytes() == track.tobytes()
    named = Restyle((Span(3, 9),)).plan([track])
    assert named.regions[0].gap == Span(3, 9) and not named.timeline[:, 3:9].any()


def test_every_registered_task_carries_its_own_name() -> None:
    gaps = (Span(0, 1),)
    needed: dict[str, dict[str, object]] = {
        "infill": {"gaps": gaps},
        "regenerate": {"gaps": gaps},
        "continuation": {"seconds": 1.0},
        "transition": {},
        "restyle": {},
    }
    assert {name: TASKS.make(name, **needed[name]).name for name in TASKS.names} == {name: name for name in needed}


def test_an_unknown_task_and_unknown_settings_are_refused() -> None:
    with pytest.raises(
        InvalidRequest, match="'reverse'; expected one of continuation, infill, regenerate, restyle, transition"
    ):
        TASKS.make("reverse")
    with pytest.raises(InvalidRequest, match="settings of task 'infill' do not fit"):
        TASKS.make("infill", seconds=3.0)
