"""Data consistency, frames held until their release, and both at once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.block_mean import BlockMean
from segue.guidance.operators.contract import LinearOperator
from segue.guidance.operators.keep import Keep
from segue.guidance.operators.low_pass import LowPass
from segue.sampling.constraint import Chain, DataConsistency, Hold
from segue.sampling.contract import Latents, Step
from segue.sampling.ddpm import DDPM
from segue.sampling.noise import start_noise
from segue.sampling.schedule import Schedule, alpha, sigma
from tests.sampling.gaussian import generators, without_shape_checks

FRAMES = 8
MASK = torch.tensor([1.0, 1, 1, 0, 0, 0, 1, 1]).reshape(1, 1, FRAMES)


def draw(seed: int) -> Latents:
    return start_noise([torch.Generator().manual_seed(seed)], 2, FRAMES)


def half(x_t: Latents, t: Tensor) -> Latents:
    return 0.5 * x_t


@pytest.mark.parametrize("A", [Keep(MASK), LowPass(1.0, 8.0), BlockMean(4)], ids=["keep", "low_pass", "block_mean"])
def test_the_projection_measures_y_and_moves_x_no_further_than_needed(A: LinearOperator) -> None:
    x, y = draw(0).double(), A(draw(1).double())
    projected = DataConsistency(A, y)(x, 0.5)
    torch.testing.assert_close(A(projected), y)
    # Nearest: the way from x to its projection stands at right angles to all that A does not see.
    unseen = draw(2).double()
    unseen = unseen - A.adjoint(A.solve(A(unseen)))
    assert float(((projected - x) * unseen).sum()) == pytest.approx(0.0, abs=1e-12)
    torch.testing.assert_close(DataConsistency(A, y)(projected, 0.5), projected)


def test_to_the_letter_the_context_is_y_at_every_noise_level() -> None:
    y = draw(1) * MASK
    steps: list[Step] = []
    DDPM()(
        half,
        Schedule.linear(4),
        draw(0),
        generators(1),
        constraint=DataConsistency(Keep(MASK), y),
        callback=steps.append,
    )
    for step in steps[1:]:
        torch.testing.assert_close(step.x_s * MASK, y.double(), rtol=0, atol=1e-15)


def test_the_noised_form_keeps_the_context_on_its_noised_course_and_ends_at_y() -> None:
    x_bar, eps = draw(1), draw(3)
    steps: list[Step] = []
    constraint = DataConsistency(Keep(MASK), x_bar * MASK, eps=eps)
    x_0 = DDPM()(half, Schedule.linear(4), draw(0), generators(1), constraint=constraint, callback=steps.append)
    for step in steps[1:]:
        course = (alpha(step.s) * x_bar.double() + sigma(step.s) * eps.double()) * MASK
        torch.testing.assert_close(step.x_s * MASK, course, rtol=0, atol=1e-15)
    assert torch.equal(x_0 * MASK, x_bar * MASK)


def test_frames_are_held_until_their_time_of_release_and_sampled_after() -> None:
    t0 = torch.tensor([0.0, 0.25, 0.5, 0.6, 0.75, 1.0, 1.0, 1.0]).reshape(1, 1, FRAMES)
    x_bar, noise = draw(1), draw(3)
    steps: list[Step] = []
    x_0 = DDPM()(
        half, Schedule.linear(4), draw(0), generators(1), constraint=Hold(x_bar, noise, t0), callback=steps.append
    )
    for step in steps[1:]:
        on_course = (step.x_s == alpha(step.s) * x_bar.double() + sigma(step.s) * noise.double()).all(1)[0]
        assert on_course.tolist() == (t0[0, 0] <= step.s).tolist()
    assert torch.equal(x_0[..., 0], x_bar[..., 0])


def test_frames_that_are_free_are_untouched_to_the_bit() -> None:
    free = Hold(draw(1), draw(3), torch.ones(1, 1, FRAMES))
    a, b = (DDPM()(half, Schedule.linear(4), draw(0), generators(1), constraint=c) for c in (free, None))
    assert torch.equal(a, b)


def test_in_a_chain_the_last_has_the_last_word() -> None:
    first, second = (DataConsistency(Keep(MASK), draw(seed) * MASK) for seed in (4, 5))
    x = draw(0).double()
    torch.testing.assert_close(Chain((first, second))(x, 0.3) * MASK, draw(5).double() * MASK)
    torch.testing.assert_close(Chain((second, first))(x, 0.3) * MASK, draw(4).double() * MASK)


def test_bad_holds_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"in \[0, 1\]"):
        Hold(draw(0), draw(1), torch.full((1, 1, FRAMES), 1.5))
    with pytest.raises(InvalidRequest, match=r"in \[0, 1\]"):
        Hold(draw(0), draw(1), torch.full((1, 1, FRAMES), float("nan")))
    with without_shape_checks(), pytest.raises(InvalidRequest, match="x_bar's shape"):
        Hold(draw(0), draw(1), torch.ones(1, 1, FRAMES - 1))
    with pytest.raises(InvalidRequest, match="mask of 1"):
        Keep(torch.full((1, 1, FRAMES), 0.5))
