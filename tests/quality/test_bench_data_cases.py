"""Cases hide the gap and nothing else, at the sizes the tables name, and come together by excerpt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.tasks.transition import constant_power
from segue_bench.cases import CLIP, LONGEST, Maker, Setting, centred, clip_around
from segue_bench.contract import RATE, Case, Excerpt, condition_name
from segue_bench.manifest import REACH, Manifest
from segue_bench.methods.registry import METHODS
from segue_bench.profiles import ALONE, MAIN, OTHERS, PROFILES, Condition, Profile, cases, schedule

EVERY = (MAIN, *OTHERS, *ALONE)
WITH_BOTH_SIDES = tuple(s for s in EVERY if s.task not in ("continuation", "transition"))


def excerpt(number: int, samples: int = 21 * RATE, centre: int = REACH + 1234, distance_db: float = 4.0) -> Excerpt:
    return Excerpt(
        name=f"track-{number}",
        package="pack",
        file=f"{number}.ogg",
        sha256="0" * 64,
        title="",
        artist="",
        licence="",
        split="test",
        heard=False,
        samples=samples,
        centre=centre,
        distance_db=distance_db,
    )


def manifest(excerpts: Sequence[Excerpt]) -> Manifest:
    names = [e.name for e in excerpts]
    couples = list(zip(names, names[1:] + names[:1], strict=True))
    return Manifest("none", {"pack": "1"}, tuple(excerpts), tuple(couples[::2]), dict(couples), tuple(names[:2]))


def noise(e: Excerpt) -> np.ndarray:
    """The track of an excerpt: no sample of it is 0, so that silence is seen."""
    rng = np.random.default_rng(int(e.file.removesuffix(".ogg")))
    audio = rng.uniform(0.01, 1.0, (2, e.samples)).astype(np.float32)
    return np.copysign(audio, rng.uniform(-1.0, 1.0, audio.shape).astype(np.float32))


LISTED = manifest([excerpt(n, centre=REACH + 999 * n) for n in range(4)])
TRACKS = {e.name: noise(e) for e in LISTED.excerpts}
MAKER = Maker(LISTED, lambda e: TRACKS[e.name])
ONE = LISTED.excerpts[0]


def made(setting: Setting) -> Case:
    return MAKER.case(ONE, setting)


@pytest.mark.parametrize("setting", EVERY, ids=str)
def test_the_plan_is_silent_in_the_gap_and_bit_exact_outside_it(setting: Setting) -> None:
    case = made(setting)
    kept = np.ones(case.original.shape[1], bool)
    kept[case.gap.start : case.gap.stop] = False
    assert case.plan.timeline.shape == case.original.shape
    assert not case.plan.timeline[:, ~kept].any()
    assert case.plan.timeline[:, kept].tobytes() == np.ascontiguousarray(case.original[:, kept]).tobytes()
    assert case.original[:, kept].all()
    assert len(case.plan.regions) == 1


@pytest.mark.parametrize("setting", EVERY, ids=str)
def test_gap_truth_and_floor_are_as_long_as_the_condition_says(setting: Setting) -> None:
    case = made(setting)
    assert case.gap.length == round(setting.seconds * RATE)
    assert case.truth.shape == case.other.shape == (2, case.gap.length)
    assert case.condition == condition_name(setting.task, setting.seconds, setting.whole_song)
    assert case.key == f"{case.condition}/{ONE.name}"


@pytest.mark.parametrize("setting", WITH_BOTH_SIDES, ids=str)
def test_gaps_are_centred_on_the_excerpt_and_hold_what_the_track_holds_there(setting: Setting) -> None:
    case, half = made(setting), round(setting.seconds * RATE) // 2
    assert np.array_equal(case.truth, TRACKS[ONE.name][:, ONE.centre - half :][:, : case.gap.length])
    before, after = case.gap.start, case.original.shape[1] - case.gap.stop
    if setting.whole_song:
        assert case.original.shape == TRACKS[ONE.name].shape
        assert case.gap == Span(ONE.centre - half, ONE.centre - half + case.gap.length)
    else:
        assert abs(before - after) <= 1
        assert case.original.shape[1] == max(CLIP, 3 * case.gap.length)


def test_a_clip_of_the_paper_is_the_middle_two_seconds_of_six() -> None:
    case = made(Setting("infill", 2.0, whole_song=False))
    assert (case.gap.start, case.gap.stop, case.original.shape[1]) == (2 * RATE, 4 * RATE, 6 * RATE)


@pytest.mark.parametrize("whole_song", [True, False])
def test_a_continuation_hears_nothing_after_its_start(whole_song: bool) -> None:
    case = made(Setting("continuation", 3.6, whole_song))
    start = ONE.centre - round(1.8 * RATE)
    assert case.gap.stop == case.plan.timeline.shape[1]
    assert not case.plan.songs
    known = start if whole_song else round(2.4 * RATE)
    assert case.gap.start == known
    assert np.array_equal(case.plan.timeline[:, :known], TRACKS[ONE.name][:, start - known : start])
    assert np.array_equal(case.truth, TRACKS[ONE.name][:, start : start + case.gap.length])


@pytest.mark.parametrize("whole_song", [True, False])
def test_a_transition_has_both_centres_in_the_middle_of_its_cross_fade(whole_song: bool) -> None:
    case = made(Setting("transition", 2.5, whole_song))
    other = LISTED.by_name[dict(LISTED.pairs)[ONE.name]]
    length, half = case.gap.length, case.gap.length // 2
    leaving = TRACKS[ONE.name][:, ONE.centre - half :][:, :length]
    entering = TRACKS[other.name][:, other.centre - half :][:, :length]
    falling, rising = constant_power(length)
    np.testing.assert_allclose(case.truth, falling * leaving + rising * entering, rtol=0, atol=1e-6)
    after = TRACKS[other.name][:, other.centre - half + length :]
    if whole_song:
        assert case.gap.start == ONE.centre - half
        assert np.array_equal(case.original[:, case.gap.stop :], after)
    else:
        assert case.original.shape[1] == 2 * CLIP - length
        assert np.array_equal(case.original[:, case.gap.stop :], after[:, : CLIP - length])
    assert case.plan.regions[0].x_bar is not None


def test_regenerate_starts_from_what_stands_there_and_infill_knows_nothing_of_it() -> None:
    region = made(Setting("regenerate", 2.0)).plan.regions[0]
    assert region.x_bar is not None
    assert np.array_equal(region.x_bar, made(Setting("infill", 2.0)).truth)
    for task in ("infill", "embedder", "classifier"):
        assert made(Setting(task, 2.0)).plan.regions[0].x_bar is None


def test_the_floor_is_the_other_excerpts_own_music_at_its_centre() -> None:
    case = made(Setting("infill", 2.0))
    floor = LISTED.by_name[LISTED.others[ONE.name]]
    assert np.array_equal(case.other, TRACKS[floor.name][:, floor.centre - RATE : floor.centre + RATE])
    assert not np.shares_memory(case.other, TRACKS[floor.name])


def test_making_cases_leaves_the_track_as_it_was() -> None:
    before = TRACKS[ONE.name].tobytes()
    for setting in EVERY:
        made(setting)
    assert TRACKS[ONE.name].tobytes() == before


def test_a_transition_from_an_excerpt_without_a_pair_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="track-1 is the left excerpt of no pair"):
        MAKER.case(LISTED.excerpts[1], Setting("transition", 2.5))


@pytest.mark.parametrize("seconds", [0.0, -1.0, 4.001, float("nan"), float("inf")])
def test_a_gap_that_does_not_fit_around_every_centre_is_refused(seconds: float) -> None:
    with pytest.raises(InvalidRequest, match="up to 4 s"):
        Setting("infill", seconds)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="expected a task among"):
        Setting("restyle", 2.0)  # type: ignore[arg-type]


@given(st.integers(0, 10**9), st.integers(0, 10**7))
def test_centred_spans_hold_their_centre_in_the_middle(centre: int, length: int) -> None:
    span = centred(centre, length)
    assert span.length == length
    assert span.stop - centre - (centre - span.start) in (0, 1)


@given(st.integers(1, round(LONGEST * RATE)))
def test_the_clip_around_a_gap_is_six_seconds_or_three_gaps_and_lies_within_reach(length: int) -> None:
    gap = centred(REACH, length)
    clip = clip_around(gap)
    assert clip.length == max(CLIP, 3 * length)
    assert abs((gap.start - clip.start) - (clip.stop - gap.stop)) <= 1
    assert clip.start >= 0
    assert clip.stop <= 2 * REACH


@settings(max_examples=20)
@given(st.integers(0, 9999), st.floats(0.001, LONGEST), st.booleans())
def test_any_gap_hides_exactly_its_own_samples(at: int, seconds: float, whole_song: bool) -> None:
    one = excerpt(0, centre=REACH + at)
    listed = manifest([one, *LISTED.excerpts[1:]])
    case = Maker(listed, lambda e: TRACKS[e.name]).case(one, Setting("infill", seconds, whole_song))
    changed = np.flatnonzero((case.plan.timeline != case.original).any(0))
    assert Span(int(changed[0]), int(changed[-1]) + 1) == case.gap
    assert len(changed) == case.gap.length


def test_all_conditions_of_an_excerpt_come_together_in_the_manifests_order() -> None:
    profile = Profile(
        "some", (Condition(MAIN), Condition(Setting("transition", 2.5), 1), Condition(Setting("infill", 0.3), 2))
    )
    made = list(cases(profile, Path("nowhere"), LISTED, lambda e: TRACKS[e.name]))
    assert [name for name, _ in groupby(case.excerpt.name for _, case in made)] == [e.name for e in LISTED.excerpts]
    assert [case.condition for _, case in made if case.excerpt is ONE] == [
        "infill-2s-song",
        "transition-2.5s-song",
        "infill-0.3s-song",
    ]
    assert len({case.key for _, case in made}) == len(made) == 4 + 1 + 2
    assert all(c.setting == Setting(case.task, case.seconds, case.whole_song) for c, case in made)


@pytest.mark.parametrize(("task", "wanted"), [("infill", 5), ("infill", 0), ("transition", 3)])
def test_a_profile_that_asks_for_more_than_there_is_is_refused(task: str, wanted: int) -> None:
    setting = Setting(task, 2.0)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match=f"asks for {wanted}"):
        schedule(Profile("greedy", (Condition(setting, wanted),)), LISTED)


def test_every_profile_can_be_scheduled_and_full_holds_every_condition() -> None:
    for profile in PROFILES.values():
        assert schedule(profile, profile.manifest())
        for condition in profile.conditions:
            assert condition.methods == "all" or set(condition.methods) <= set(METHODS)
    full = PROFILES["full"]
    asked = {condition.setting for condition in full.conditions}
    for profile in PROFILES.values():
        assert {condition.setting for condition in profile.conditions} <= asked
    assert len(asked) == len(full.conditions) == 2 * len({(s.task, s.seconds) for s in asked})
