"""Embedder and classifier guidance on the bench: what is wished for, what it costs, and that it is heard."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from numpy.testing import assert_array_equal

from segue.sampling.contract import Latents
from segue_bench.contract import RATE, TaskName
from segue_bench.methods.filling import STEERED, Filling
from segue_bench.methods.registry import methods_for
from segue_bench.methods.steered import ExactGradient, MeanSteps, SteeredPaper, Unsteered, ear_at, wish
from segue_bench.workbench import Workbench
from tests.quality.bench_loop_case import check, loop_case, rendered, renderer


@pytest.fixture(scope="module", params=["embedder", "classifier"])
def bench(request: pytest.FixtureRequest) -> Workbench:
    return Workbench(loop_case(request.param), renderer())


class Caught(Workbench):
    """A workbench that keeps the latents it is to sound."""

    latents: Latents | None = None

    def sample(self, *args: object, **kwargs: object) -> Latents:
        self.latents = super().sample(*args, **kwargs)  # type: ignore[arg-type]
        return self.latents


def test_the_wish_is_least_for_the_truth(bench: Workbench) -> None:
    """L2 is 0 there but for the codec; the cross-entropy is at its least, the entropy of the tags."""
    ear = ear_at(bench)
    term = wish(bench, ear.span)
    original = bench.heard(bench.case.original[:, ear.span.start : ear.span.stop])
    audio = torch.from_numpy(original)[None]
    at_truth, silent, noisy = (
        float(term(x)) for x in (audio, torch.zeros_like(audio), 0.1 * torch.randn(1, 2, 3 * RATE))
    )
    assert at_truth < silent
    assert at_truth < noisy
    if bench.case.task == "embedder":
        assert at_truth < 1e-3


@pytest.mark.parametrize(
    ("fill", "forward", "vjp"),
    [
        (SteeredPaper("ddpm", steps=2), 0, 2),
        (SteeredPaper("ddim", steps=2, wished=False), 0, 2),
        (MeanSteps(steps=3), 3, 0),
        (ExactGradient(steps=2), 0, 2),
        (Unsteered(steps=2), 2, 0),
    ],
)
def test_evaluations_are_those_the_algorithm_says(task_bench: Caught, fill: object, forward: int, vjp: int) -> None:
    made = Filling("", "", fill, STEERED).render(task_bench, 0)  # type: ignore[arg-type]
    assert (made.forward, made.vjp) == (forward, vjp)
    check(task_bench, made)


@pytest.mark.parametrize("fill", [MeanSteps(steps=3), ExactGradient(steps=3)])
def test_steering_brings_the_wish_nearer_than_its_twin(task_bench: Caught, fill: object) -> None:
    """The wish is another song's sound: what this one repeats needs no steering."""
    case, gap = task_bench.case, task_bench.case.gap
    original = case.original.copy()
    original[:, gap.start : gap.stop] = case.other
    bench = Caught(replace(case, original=original), renderer())
    ear = ear_at(bench)
    term = wish(bench, ear.span)

    def left(method: object) -> float:
        method(bench, 0)  # type: ignore[operator]
        assert bench.latents is not None
        return float(term(ear(bench.latents)))

    assert left(fill) < left(Unsteered(steps=3))


def test_without_strength_mean_steps_are_their_twin(task_bench: Caught) -> None:
    off, twin = MeanSteps(kappa=0.0, steps=2)(task_bench, 0), Unsteered(steps=2)(task_bench, 0)
    assert_array_equal(off.audio, twin.audio)


@pytest.fixture(scope="module")
def task_bench() -> Caught:
    return Caught(loop_case("embedder"), renderer())


@pytest.mark.parametrize("task", ["embedder", "classifier"])
def test_both_tasks_have_each_method_beside_its_twin(task: TaskName) -> None:
    names = [method.name for method in methods_for(task)]
    for steered, twin in (("ddpm-50 steered", "ddpm-50 unsteered"), ("mean step", "unsteered")):
        assert names.index(steered) == names.index(twin) + 1


def test_tags_are_wished_for_and_sounded_by_the_mosaic() -> None:
    bench = Workbench(loop_case("classifier", 0.5), renderer())
    made = rendered(bench, "mean step, mosaic")
    check(bench, made)
    assert "mosaic" in made.how
