"""Fault 30: steps 1, 0, -1; reversed schedules; strength 0 or infinite.

1 works, strength 0 equals unguided, the rest is INVALID.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.guided import guided
from segue.guidance.mean_step import mean_step
from segue.guidance.objective import Objective, ObjectiveSpec, TermSpec
from segue.guidance.strength import Xi, exact_ddpm
from segue.registry import Choice
from segue.sampling.contract import Latents, Prior, Sampler
from segue.sampling.ddim import DDIM
from segue.sampling.ddpm import DDPM
from segue.sampling.ding import DING
from segue.sampling.dpmpp import DPMpp2M
from segue.sampling.noise import start_noise
from segue.sampling.pingpong import PingPong
from segue.sampling.schedule import Schedule

SHAPE = (2, 3, 5)
SAMPLERS: dict[str, Sampler] = {
    "ddpm": DDPM(),
    "ddim": DDIM(),
    "dpmpp": DPMpp2M(),
    "pingpong": PingPong(),
    "ding": DING(torch.full(SHAPE, 0.3), torch.tensor([0.0, 0.01, 0.5, torch.inf, torch.inf]).expand(2, 1, 5)),
}
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())


def prior(x_t: Latents, t: Tensor) -> Latents:
    return torch.tanh(x_t) * (1.5 - t[:, None, None])


def objective() -> Objective:
    return ObjectiveSpec((TermSpec(Choice("l2"), torch.full(SHAPE, 0.5)),)).build()


def run(sampler: Sampler, prior: Prior, schedule: Schedule) -> Latents:
    seeded = [torch.Generator().manual_seed(i) for i in range(2)]
    return sampler(prior, schedule, start_noise(seeded, 3, 5), seeded)


@every_sampler
def test_fault_30_one_step_gives_the_first_prediction(sampler: Sampler) -> None:
    seeded = [torch.Generator().manual_seed(i) for i in range(2)]
    expected = prior(start_noise(seeded, 3, 5), torch.ones(2))
    assert torch.equal(run(sampler, prior, Schedule.linear(1)), expected)


@pytest.mark.parametrize("make", [Schedule.linear, Schedule.log_snr])
@pytest.mark.parametrize("steps", [0, -1])
def test_fault_30_no_steps_are_refused(make: Callable[[int], Schedule], steps: int) -> None:
    with pytest.raises(InvalidRequest, match=f"steps must be at least 1, got {steps}"):
        make(steps)


@pytest.mark.parametrize("times", [(0.0, 1.0), (0.0, 0.5, 1.0), (1.0, 0.5, 0.5, 0.0), (1.0, 0.2, 0.3)])
def test_fault_30_schedules_that_do_not_fall_are_refused(times: tuple[float, ...]) -> None:
    with pytest.raises(InvalidRequest, match="fall strictly"):
        Schedule(times)


@every_sampler
@pytest.mark.parametrize("xi", [0.0, Curve.constant(0.0), lambda t, s: 0.0], ids=["number", "curve", "function"])
def test_fault_30_strength_zero_is_the_unguided_prior_to_the_bit(sampler: Sampler, xi: Xi) -> None:
    unguided = run(sampler, prior, Schedule.linear(7))
    for place in ("x0_hat", "x_t"):
        for normalise in ("none", "item"):
            steered = guided(prior, objective(), xi, at=place, normalise=normalise)
            assert torch.equal(run(sampler, steered, Schedule.linear(7)), unguided)
    if not callable(xi):
        assert torch.equal(run(sampler, mean_step(prior, objective(), xi), Schedule.linear(7)), unguided)
    assert not torch.equal(run(sampler, guided(prior, objective(), 0.1), Schedule.linear(7)), unguided)


@pytest.mark.parametrize("make", [guided, mean_step])
@pytest.mark.parametrize("xi", [math.inf, math.nan, -0.1, Curve(((0.0, 0.1), (1.0, math.inf)))])
def test_fault_30_infinite_nan_or_negative_strengths_are_refused(
    make: Callable[[Prior, Objective, float | Curve], Prior], xi: float | Curve
) -> None:
    with pytest.raises(InvalidRequest, match="finite and 0 or above"):
        make(prior, objective(), xi)


@every_sampler
@pytest.mark.parametrize("xi", [lambda t, s: math.inf, lambda t, s: math.nan, exact_ddpm])
def test_fault_30_a_strength_that_diverges_is_refused_at_the_step(sampler: Sampler, xi: Xi) -> None:
    """The exact strength is infinite at t = 1, where x_1 tells nothing of x_0."""
    with pytest.raises(InvalidRequest, match=r"xi\(1, 0.5\)"):
        run(sampler, guided(prior, objective(), xi), Schedule.linear(2))


def test_fault_30_the_next_request_works_after_a_refusal() -> None:
    before = run(SAMPLERS["ddpm"], prior, Schedule.linear(3))
    with pytest.raises(InvalidRequest):
        run(SAMPLERS["ddpm"], guided(prior, objective(), exact_ddpm), Schedule.linear(3))
    assert torch.equal(run(SAMPLERS["ddpm"], prior, Schedule.linear(3)), before)
