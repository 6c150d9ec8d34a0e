"""How fast the deterministic samplers approach the probability-flow ODE, whose solution is known for a Gaussian."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from segue.sampling.contract import Sampler
from segue.sampling.ddim import DDIM
from segue.sampling.dpmpp import DPMpp2M
from segue.sampling.noise import start_noise
from segue.sampling.schedule import Schedule
from tests.sampling.gaussian import example, generators, relative_error, slope

PRIOR = example()
STEPS = [32, 64, 128, 256]


def errors(sampler: Sampler, start: float, stop: float) -> list[float]:
    x_T = start_noise(generators(2, seed=5), 3, 64)
    reference = PRIOR.flowed(x_T.double(), start, stop)
    return [
        relative_error(sampler(PRIOR.denoise, Schedule.linear(n, start, stop), x_T, generators(2)), reference)
        for n in STEPS
    ]


@pytest.mark.parametrize(("sampler", "order"), [(DDIM(), 1.0), (DPMpp2M(), 2.0)], ids=["ddim", "dpmpp"])
def test_order_of_convergence(sampler: Sampler, order: float) -> None:
    assert slope(STEPS, errors(sampler, 0.98, 0.02)) == pytest.approx(order, abs=0.06)


def log_snr(steps: int) -> Schedule:
    return Schedule.log_snr(steps, -5.0, 5.0)


@pytest.mark.parametrize("schedule", [Schedule.linear, log_snr], ids=["linear", "log_snr"])
def test_dpmpp_converges_from_pure_noise_to_clean_data(schedule: Callable[[int], Schedule]) -> None:
    """Through both infinitely long steps in log-SNR; ten evaluations err less than half as much as DDIM's ten."""
    x_T = start_noise(generators(2, seed=5), 3, 64)
    reference = PRIOR.flowed(x_T.double(), 1.0, 0.0)
    coarse, fine = (
        relative_error(DPMpp2M()(PRIOR.denoise, schedule(n), x_T, generators(2)), reference) for n in (10, 80)
    )
    assert coarse < 0.5 * relative_error(DDIM()(PRIOR.denoise, Schedule.linear(10), x_T, generators(2)), reference)
    assert fine < coarse / 3.0
