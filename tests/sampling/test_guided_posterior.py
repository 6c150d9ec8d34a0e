"""With the gradient of the true likelihood and the exact strength, guided sampling is conditional sampling.

The observation is y = h x_0 + N(0, r^2) for one row h, so that -log p(y | x_t) = (y - h x0_hat)^2 / (2 S_t) + const
with the number S_t = h Cov[x_0 | x_t] h^T + r^2. It is split as the library would: the distance is half a square, and
1 / S_t goes into xi. The gradient crosses the denoiser by autograd.
"""

from __future__ import annotations

import pytest
import torch

from segue.guidance.distances import Mahalanobis
from segue.guidance.guided import guided
from segue.guidance.objective import Objective, Term
from segue.guidance.strength import exact_ddim, exact_ddpm, exact_mean
from segue.sampling.contract import Latents, Sampler, Strength
from segue.sampling.ddim import DDIM
from segue.sampling.ddpm import DDPM
from segue.sampling.dpmpp import DPMpp2M
from segue.sampling.schedule import Schedule
from tests.sampling.gaussian import assert_distributed, example, generators, moments

BATCH, FRAMES, START = 4, 1000, 0.999
PRIOR = example()
H, R, Y = torch.tensor([[1.0, 0.5, -0.7]], dtype=torch.float64), 0.3, 1.5
POSTERIOR = PRIOR.posterior(H, torch.tensor([Y], dtype=torch.float64), R)


class Row:
    """A x = h x, over the channels."""

    def __call__(self, x: Latents) -> Latents:
        return torch.einsum("md,bdn->bmn", H.to(x), x)


def sample(sampler: Sampler, exact: Strength, steps: int, factor: float = 1.0) -> Latents:
    def xi(t: float, s: float) -> float:
        return factor * exact(t, s) / (float(H @ PRIOR.covariance_given(t) @ H.T) + R**2)

    objective = Objective((Term(Row(), Mahalanobis(1.0), torch.full((BATCH, 1, FRAMES), Y)),))
    x_T = POSTERIOR.noised(START).sample(BATCH, FRAMES, seed=9)
    schedule = Schedule.linear(steps, START)
    return sampler(guided(PRIOR.denoise, objective, xi), schedule, x_T, generators(BATCH))


CASES = [(DDPM(), exact_ddpm, 250), (DDIM(), exact_ddim, 200), (DPMpp2M(), exact_mean, 40)]


@pytest.mark.parametrize(("sampler", "exact", "steps"), CASES, ids=["ddpm", "ddim", "dpmpp"])
def test_the_exact_strength_gives_the_posterior(sampler: Sampler, exact: Strength, steps: int) -> None:
    assert_distributed(sample(sampler, exact, steps), POSTERIOR)


@pytest.mark.parametrize(("sampler", "exact", "steps"), CASES, ids=["ddpm", "ddim", "dpmpp"])
def test_a_weaker_strength_stays_between_prior_and_posterior(sampler: Sampler, exact: Strength, steps: int) -> None:
    """The sign: guidance descends the distance. Half the strength leaves h x_0 spread more widely about y."""
    mean, covariance, _ = moments(sample(sampler, exact, 40, factor=0.5))
    h = H[0]
    assert h @ POSTERIOR.C @ h < h @ covariance @ h < h @ PRIOR.C @ h
    assert h @ PRIOR.mu < h @ mean


def test_the_exact_strengths_are_one_update_in_three_places() -> None:
    """Each is what its sampler multiplies the same shift of x0_hat by: x0_hat -= (sigma_t^2 / alpha_t) grad d.

    From one x_t, DDPM's and DDIM's guided step equals the step whose x0_hat was shifted.
    """
    t, s = 0.7, 0.6
    x_t = PRIOR.noised(t).sample(1, 50, seed=1)
    objective = Objective((Term(Row(), Mahalanobis(0.5), torch.full((1, 1, 50), Y)),))

    def shifted(x: Latents, times: torch.Tensor) -> Latents:
        prediction = guided(PRIOR.denoise, objective, 1.0).predict(x, times)
        assert prediction.gradient is not None
        return prediction.x0_hat - exact_mean(t, s) * prediction.gradient

    for sampler, exact in ((DDPM(), exact_ddpm), (DDIM(), exact_ddim)):
        one_step = Schedule((t, s))
        by_gradient = sampler(guided(PRIOR.denoise, objective, exact), one_step, x_t, generators(1))
        by_shift = sampler(shifted, one_step, x_t, generators(1))
        torch.testing.assert_close(by_gradient, by_shift, rtol=1e-4, atol=1e-5)
