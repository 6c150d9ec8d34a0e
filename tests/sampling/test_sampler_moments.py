"""Every sampler, on a prior whose distribution is known, draws from that distribution."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from segue.sampling.contract import Latents, Prior, Sampler
from segue.sampling.ddim import DDIM
from segue.sampling.ddpm import DDPM
from segue.sampling.ding import DING
from segue.sampling.dpmpp import DPMpp2M
from segue.sampling.noise import start_noise
from segue.sampling.pingpong import PingPong
from segue.sampling.schedule import Schedule
from tests.sampling.gaussian import assert_distributed, example, generators

BATCH, FRAMES = 4, 2000
PRIOR = example()


def draw(sampler: Sampler, prior: Prior, steps: int) -> Latents:
    seeded = generators(BATCH)
    return sampler(prior, Schedule.linear(steps), start_noise(seeded, 3, FRAMES), seeded)


# Steps at which the bias of the discretisation is below the standard error of 8,000 samples.
@pytest.mark.parametrize(
    ("sampler", "steps"),
    [(DDPM(), 300), (DDIM(), 200), (DDIM(eta=0.5), 300), (DDIM(eta=1.0), 300), (DPMpp2M(), 24)],
    ids=str,
)
def test_a_gaussian_prior_is_sampled_with_its_mean_and_covariance(sampler: Sampler, steps: int) -> None:
    assert_distributed(draw(sampler, PRIOR.denoise, steps), PRIOR)


def test_ding_without_observations_samples_the_prior() -> None:
    nothing = DING(torch.zeros(BATCH, 3, FRAMES), torch.full((BATCH, 1, FRAMES), torch.inf))
    assert_distributed(draw(nothing, PRIOR.denoise, 400), PRIOR)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_ping_pong_is_exact_for_a_distilled_prior_at_any_number_of_steps(steps: int) -> None:
    assert_distributed(draw(PingPong(), PRIOR.consistency, steps), PRIOR)


def test_ddim_with_full_noise_is_ddpm() -> None:
    """Song et al. 2021: at eta = 1 the generalised sampler is DDPM, number for number."""
    a, b = (draw(sampler, PRIOR.denoise, 20) for sampler in (DDIM(eta=1.0), DDPM()))
    torch.testing.assert_close(a, b, rtol=0.0, atol=1e-5)


def test_few_ddpm_steps_have_the_bias_the_recursion_of_moments_predicts() -> None:
    """x_s = a x0_hat + b x_t + c eps is affine in x_t, so the covariance after each step has a closed form."""
    schedule = Schedule((1.0, 0.6, 0.25, 0.0))
    cov = torch.eye(3, dtype=torch.float64)
    for t, s in pairwise(schedule.times):
        joint = PRIOR.gain(t)
        # q(x_s | x_t, x_0) of VDM (Kingma et al. 2021, appendix A.2), written with its own symbols.
        a_t, a_s = alpha_of(t), alpha_of(s)
        s_t, s_s = 1.0 - a_t**2, 1.0 - a_s**2
        between = s_t - (a_t / a_s) ** 2 * s_s
        step = (a_t / a_s) * s_s / s_t * torch.eye(3).double() + a_s * between / s_t * joint
        cov = step @ cov @ step.T + between * s_s / s_t * torch.eye(3).double()
    seeded = generators(BATCH, seed=3)
    x = DDPM()(PRIOR.denoise, schedule, start_noise(seeded, 3, FRAMES), seeded)
    assert_distributed(x, type(PRIOR)(PRIOR.mu, cov))


def alpha_of(t: float) -> float:
    return float(torch.cos(torch.tensor(torch.pi * t / 2.0, dtype=torch.float64)))
