"""Methods that ask the network: what they cost, what they give, and that the default is the product's own."""

from __future__ import annotations

import numpy as np
import pytest

import segue
from segue_bench.contract import RATE
from segue_bench.methods.filling import Filling
from segue_bench.methods.ours import Chosen, Generated
from segue_bench.methods.paper import Paper
from segue_bench.workbench import Workbench, first_seed
from tests.quality.bench_loop_case import START, check, check_twice, loop_case, rendered, renderer


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return Workbench(loop_case(seconds=0.5), renderer())


@pytest.fixture(scope="module")
def varied() -> Workbench:
    return Workbench(loop_case("regenerate", 0.5), renderer())


@pytest.mark.parametrize(
    "name", ["ddpm-50 guided", "ddim-50", "mean", "generated-10", "ding-20 unconditional", "regenerated splice"]
)
def test_every_method_fills_the_gap_and_the_same_seed_gives_the_same_samples(bench: Workbench, name: str) -> None:
    check_twice(bench, name)


@pytest.mark.parametrize("name", ["reshaped", "ding-20", "ddpm-50 guided", "default"])
def test_what_starts_from_the_original_is_filled_too(varied: Workbench, name: str) -> None:
    check(varied, rendered(varied, name))


def test_the_default_is_what_a_musician_gets(bench: Workbench) -> None:
    seed = first_seed(3)
    settings = segue.RenderSettings(seed=seed, steps=1)
    gap = (START, START + bench.gap.length / RATE)
    filled = segue.fill(bench.case.original, RATE, gap, settings=settings)
    made = Filling("default", "", Chosen(steps=1)).render(bench, 3)
    assert np.array_equal(made.audio, filled.audio[:, bench.gap.start : bench.gap.stop])


@pytest.mark.parametrize(
    ("fill", "forward", "vjp"),
    [
        (Paper("ddpm", steps=5), 0, 5),
        (Paper("ddim", steps=3), 0, 3),
        (Paper("ddpm", steps=5, xi=0.0), 5, 0),
        (Generated(steps=4), 4, 0),
        (Generated("ding", 3, conditioned=False), 3, 0),
        (Chosen(3, steps=1), 3 + 3 + 1, 0),  # a mean and a sample of three turns each, one from the first splice
    ],
)
def test_evaluations_are_those_the_algorithm_says(bench: Workbench, fill: object, forward: int, vjp: int) -> None:
    made = Filling("", "", fill).render(bench, 0)  # type: ignore[arg-type]
    assert (made.forward, made.vjp) == (forward, vjp)


def test_the_mean_is_one_evaluation_and_windows_count_singly(bench: Workbench) -> None:
    assert rendered(bench, "mean").forward == 1
    long = Workbench(loop_case(seconds=4.0), renderer())
    windows = len(long.scene.layout.windows)
    assert windows > 1
    assert rendered(long, "mean").forward == windows
    assert Filling("", "", Paper("ddpm", steps=2)).render(long, 0).vjp == 2 * windows


def test_each_method_is_counted_by_itself(bench: Workbench) -> None:
    with bench.counted() as outer:
        rendered(bench, "mean")
        bench.sample(bench.studio.sampling, 0)
    assert outer.forward == bench.studio.sampling.steps


def test_the_bench_gives_no_two_seeds_the_same_samples() -> None:
    settings = [segue.RenderSettings(seed=first_seed(s), candidates=16) for s in (0, 1)]
    one, two = (set(renderer().seeds(s)) for s in settings)
    assert not one & two


@pytest.mark.parametrize("choices", range(2, 9))
def test_four_seeds_of_the_bench_hear_as_many_places_as_there_are(choices: int) -> None:
    assert len({first_seed(seed) % choices for seed in range(4)}) == min(4, choices)
