"""Straight descent, and strengths of their own per frame: known minima, known lengths of steps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segue.guidance.descend import descend
from segue.guidance.distances import SquaredL2
from segue.guidance.gradient import unit_rms
from segue.guidance.objective import Decode, Objective, Term
from segue.guidance.operators.identity import Identity

SHAPE = (1, 3, 8)
ALL = torch.ones(1, 1, 8)
FAR = 100.0


def noise(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def towards(y: Tensor) -> Objective:
    return Objective((Term(Identity(), SquaredL2(), y),))


def test_it_reaches_the_minimum_of_a_bowl_and_stops_where_it_is_near_enough() -> None:
    y, goal = noise(0), towards(noise(0))
    near = descend(goal, noise(1), 0.5, FAR, 60, 1e-3, ALL)
    assert float(goal(near)) <= 1e-3
    assert float((near - y).abs().max()) < 0.05
    start = noise(1)
    assert torch.equal(descend(goal, start, 0.5, FAR, 60, 1e9, ALL), start)


@pytest.mark.parametrize("step", [0.01, 0.5, 50.0])
def test_it_never_ends_higher_than_it_began(step: float) -> None:
    goal, start = towards(noise(0)), noise(1)
    assert float(goal(descend(goal, start, step, FAR, 8, 0.0, ALL))) <= float(goal(start))


def test_it_finds_the_bottom_of_a_narrow_valley_in_few_looks() -> None:
    """Curvatures of 1 to 10,000: steps down the gradient alone would take thousands."""
    steepness = torch.logspace(0.0, 4.0, 24).reshape(SHAPE)
    y, looks = noise(0), 0

    class Valley:
        def check_decode(self, decode: Decode | None) -> None: ...

        def __call__(self, x: Tensor, decode: Decode | None = None) -> Tensor:
            nonlocal looks
            looks += 1
            return (steepness * (x - y).square()).sum((1, 2))

    start = noise(1)
    began = float(Valley()(start))
    assert float(Valley()(descend(Valley(), start, 0.3, FAR, 60, 1e-4 * began, ALL))) <= 1e-4 * began
    assert looks < 65


def test_no_entry_goes_further_than_it_may() -> None:
    course = torch.linspace(0.1, 1.0, 8)[None, None]
    start = noise(1)
    moved = (descend(towards(noise(0) + 9.0), start, 0.5, 2.0, 60, 0.0, course) - start).abs()
    assert bool((moved <= 2.0 * course + 1e-5).all())
    assert float((moved / course).min()) == pytest.approx(2.0, rel=1e-3)


def test_frames_without_weight_stay_as_they_are_bit_for_bit() -> None:
    where = ALL.clone()
    where[..., :3] = 0.0
    start = noise(1)
    moved = descend(towards(noise(0)), start, 0.3, FAR, 10, 0.0, where)
    assert torch.equal(moved[..., :3], start[..., :3])
    assert float((moved - start)[..., 3:].abs().min()) > 0.0


def test_a_weight_scales_its_frames_and_the_same_weight_everywhere_the_whole_step() -> None:
    g = noise(2)
    whole = unit_rms(g, ALL)
    assert float(whole.square().mean().sqrt()) == pytest.approx(1.0, rel=1e-5)
    torch.testing.assert_close(unit_rms(g, 0.5 * ALL), 0.5 * whole)
    course = torch.linspace(0.1, 2.0, 8)[None, None]
    drawn = unit_rms(g, course)
    torch.testing.assert_close(drawn / drawn.norm(), g * course / (g * course).norm())
    assert float(drawn.norm()) == pytest.approx(float((3 * course.square().sum()).sqrt()), rel=1e-5)
