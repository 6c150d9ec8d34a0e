"""Methods of the bench that ask no network: what they return, and the ones whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.render.sound import MARGIN
from segue_bench.contract import RATE, TaskName
from segue_bench.methods.baselines import BASELINES
from segue_bench.methods.filling import ALL
from segue_bench.methods.references import REFERENCES
from segue_bench.methods.registry import FAMILIES, METHODS, methods_for
from segue_bench.workbench import Workbench
from segue_export.train.measures import mel_distance
from tests.quality.bench_loop_case import (
    check,
    check_twice,
    clicks,
    error_db,
    inside,
    loop_case,
    rendered,
    renderer,
)


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return Workbench(loop_case(), renderer())


@pytest.fixture(scope="module")
def extended() -> Workbench:
    return Workbench(loop_case("continuation"), renderer())


NAMES = [m.name for m in (*REFERENCES, *BASELINES) if m.name != "janssen"]


@pytest.mark.parametrize("name", NAMES)
def test_every_method_fills_the_gap_and_the_same_seed_gives_the_same_samples(bench: Workbench, name: str) -> None:
    check_twice(bench, name)


@pytest.mark.parametrize("name", ["cross-fade", "mirrored", "loop", "copy", "context splice", "splice"])
def test_a_continuation_has_one_context_and_no_margin(extended: Workbench, name: str) -> None:
    made = rendered(extended, name)
    check(extended, made)
    assert made.margin == 0


def test_the_real_row_is_the_truth_to_the_bit(bench: Workbench) -> None:
    assert np.array_equal(rendered(bench, "real").audio, bench.case.truth)


def test_the_floor_is_the_other_track_and_silence_is_silent(bench: Workbench) -> None:
    assert np.array_equal(rendered(bench, "other").audio, bench.case.other)
    assert not rendered(bench, "silence").audio.any()


def test_noise_is_at_the_songs_level_and_another_for_another_seed() -> None:
    bench = Workbench(loop_case(level=0.25), renderer())
    one, two = rendered(bench, "noise", 0).audio, rendered(bench, "noise", 1).audio
    known = np.concatenate([bench.case.original[:, : bench.gap.start], bench.case.original[:, bench.gap.stop :]], 1)
    assert float(np.sqrt(np.mean(one**2)) / np.sqrt(np.mean(known**2))) == pytest.approx(1.0, abs=0.02)
    assert abs(float(np.corrcoef(one.ravel(), two.ravel())[0, 1])) < 0.02


def test_elsewhere_is_another_place_of_the_same_track_for_each_seed(bench: Workbench) -> None:
    made = [rendered(bench, "elsewhere", seed) for seed in (0, 1, 2)]
    length, original = bench.gap.length, bench.case.original
    for one in made:
        start = int(one.how.split()[4])
        assert not Span(start, start + length).overlaps(bench.gap)
        assert np.allclose(one.audio, original[:, start : start + length], atol=1e-5)
    assert len({one.how for one in made}) == 3


@pytest.mark.parametrize("level", [1.0, 0.1])
def test_what_the_loop_holds_is_recalled_at_the_tracks_own_level(level: float) -> None:
    bench = Workbench(loop_case(level=level), renderer())
    for name in ("copy", "context splice", "splice"):
        assert error_db(bench, rendered(bench, name)) < -30.0


def test_the_copy_is_faded_over_100_ms_of_context_and_leaves_its_outer_edge_alone(bench: Workbench) -> None:
    made = rendered(bench, "copy")
    assert made.margin == RATE // 10
    edge = bench.case.original[:, bench.gap.start - made.margin]
    assert np.allclose(made.audio[:, 0], edge, atol=1e-5)


def test_the_loop_finds_the_period_of_a_song_that_has_one() -> None:
    """Clicks every half second: whatever period it takes, the clicks of the gap come in time."""
    bench = Workbench(loop_case(song=clicks(0.5, 12.0)), renderer())
    made = rendered(bench, "loop")
    assert made.margin == MARGIN
    assert error_db(bench, made) < -20.0
    period = float(made.how.split()[0])
    assert period / 0.5 == pytest.approx(round(period / 0.5), abs=1e-3)


def test_a_clip_without_room_for_a_copy_is_looped_by_the_splice_and_refused_by_copies() -> None:
    """The paper's setting: 2 s of 6 s."""
    bench = Workbench(loop_case(song=clicks(0.5, 6.0), start=2.0, seconds=2.0), renderer())
    assert "looped" in rendered(bench, "splice").how
    for name in ("copy", "context splice"):
        with pytest.raises(InvalidRequest, match="place"):
            rendered(bench, name)


def test_the_cross_fade_of_the_contexts_is_at_constant_power(bench: Workbench) -> None:
    made, length = inside(bench, rendered(bench, "cross-fade")), bench.gap.length
    before = bench.case.original[:, bench.gap.start - length : bench.gap.start]
    after = bench.case.original[:, bench.gap.stop : bench.gap.stop + length]
    angle = np.pi / 2 * (np.arange(length) + 0.5) / length
    assert np.allclose(made, np.cos(angle) * before + np.sin(angle) * after, atol=1e-5)


def test_the_round_trip_is_near_the_truth_with_the_gain_and_without(bench: Workbench) -> None:
    """Exact but for the joins without, as the loop holds the very bar; the gain is computed in bands."""
    trip, mosaic, mirrored = (
        mel_distance(inside(bench, rendered(bench, name)), bench.case.truth)
        for name in ("round trip", "round trip, mosaic", "mirrored")
    )
    assert max(trip, mosaic) < 3.0 < mirrored


@pytest.mark.parametrize(
    ("name", "task", "reason"),
    [("janssen", "infill", "80 ms"), ("reshaped", "infill", "reshaped"), ("mean", "regenerate", "mean")],
)
def test_what_a_method_cannot_do_it_refuses_by_name_or_reason(name: str, task: TaskName, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        METHODS[name].render(Workbench(loop_case(task), renderer()), 0)


def test_janssen_interpolates_50_ms_of_the_loop() -> None:
    bench = Workbench(loop_case(seconds=0.05), renderer())
    made = METHODS["janssen"].render(bench, 0)
    check(bench, made)
    assert error_db(bench, made) < error_db(bench, rendered(bench, "silence"))


def test_a_short_gap_looks_for_no_donors_and_says_so() -> None:
    with pytest.raises(InvalidRequest, match="place"):
        METHODS["copy"].render(Workbench(loop_case(seconds=0.05), renderer()), 0)


def test_methods_have_one_name_each_and_every_task_its_reference_and_its_default() -> None:
    assert len(METHODS) == sum(len(family) for family in FAMILIES.values())
    for task in ALL:
        names = [method.name for method in methods_for(task)]
        assert {"real", "round trip", "other", "default"} <= set(names)
        assert names == [name for name in METHODS if name in names]
