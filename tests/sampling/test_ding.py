"""Delayed DING: a transition is a product of two Gaussians, the gap beside a certain context follows the posterior."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.mean_step import mean_step
from segue.guidance.objective import ObjectiveSpec, TermSpec
from segue.registry import Choice
from segue.sampling.contract import Latents, Step
from segue.sampling.ding import DING
from segue.sampling.noise import start_noise
from segue.sampling.schedule import Schedule, alpha, sigma
from tests.sampling.gaussian import example, generators, moments, without_shape_checks

INF = float("inf")
COPIES = 8000


def frames_of(values: list[float]) -> Latents:
    return torch.tensor(values).reshape(1, 1, -1).expand(1, COPIES, -1)


def sigmas(values: list[float]) -> Float[Tensor, "1 1 frames"]:
    return torch.tensor(values).reshape(1, 1, -1)


def test_one_transition_is_the_bayesian_product() -> None:
    """N(mu, eta^2) times N(y; (x_s - sigma_s eps_hat) / alpha_s, sigma_y^2), sigma_y from 0 to infinity."""
    t, s, x0_hat, x_t, y = 0.8, 0.5, 0.4, -1.1, 1.3
    widths = [0.0, 0.05, 0.4, 3.0, INF]
    seen: list[Step] = []
    DING(frames_of([y] * 5), sigmas(widths))(
        lambda x, _: torch.full_like(x, x0_hat),
        Schedule((t, s, 0.0)),
        frames_of([x_t] * 5),
        generators(1),
        callback=seen.append,
    )
    x_s = seen[1].x_s[0]
    eps_hat = (x_t - alpha(t) * x0_hat) / sigma(t)
    eta2 = sigma(s) ** 2 * (1.0 - alpha(s))
    mu = alpha(s) * x0_hat + (sigma(s) ** 2 - eta2) ** 0.5 * eps_hat
    for frame, width in enumerate(widths):
        known = alpha(s) * y + sigma(s) * eps_hat
        likelihood_var = (alpha(s) * width) ** 2
        weight = 0.0 if width == INF else eta2 / (eta2 + likelihood_var)
        variance = eta2 if width == INF else eta2 * likelihood_var / (eta2 + likelihood_var)
        expected = mu + weight * (known - mu)
        drawn = x_s[:, frame]
        assert drawn.mean() == pytest.approx(expected, abs=4.5 * (variance / COPIES) ** 0.5 + 1e-6)
        assert drawn.var() == pytest.approx(variance, abs=4.5 * variance * (2.0 / COPIES) ** 0.5 + 1e-12)


def across_frames(x: Latents, t: Tensor) -> Latents:
    return example().denoise(x.transpose(1, 2), t).transpose(1, 2)


def observed(sigma_y: float, steps: int) -> tuple[Tensor, Tensor]:
    """Moments of (frame 0 observed at 1.2, frame 1 unknown, frame 2 observed at 0.5)."""
    seeded = generators(1)
    ding = DING(frames_of([1.2, 0.0, 0.5]), sigmas([sigma_y, INF, sigma_y]))
    x = ding(across_frames, Schedule.linear(steps), start_noise(seeded, COPIES, 3), seeded)
    mean, covariance, _ = moments(x.transpose(1, 2))
    return mean, covariance


def test_the_gap_beside_a_certain_context_follows_the_posterior() -> None:
    H = torch.eye(3, dtype=torch.float64)[[0, 2]]
    posterior = example().posterior(H, torch.tensor([1.2, 0.5], dtype=torch.float64), 0.01)
    mean, covariance = observed(0.01, 50)
    spread = float(posterior.C[1, 1].sqrt())
    assert mean[1] == pytest.approx(float(posterior.mu[1]), abs=0.15 * spread)
    assert covariance[1, 1].sqrt() == pytest.approx(spread, rel=0.05)
    assert mean[[0, 2]].tolist() == pytest.approx([1.2, 0.5], abs=0.05)


def test_a_wider_sigma_y_lets_the_observed_frames_go_towards_the_prior() -> None:
    means, spreads = zip(*((m[0], c[0, 0]) for m, c in (observed(w, 50) for w in (0.01, 0.5, 1.0, 3.0))), strict=True)
    assert sorted(spreads) == list(spreads)
    assert spreads[-1] < example().C[0, 0] * 1.05
    assert abs(means[-1] - example().mu[0]) < 0.5 * abs(means[0] - example().mu[0])


@pytest.mark.parametrize("certain", [0.01, 0.05, 0.1])
def test_guidance_moves_the_output_in_the_gap_and_not_the_certain_context(certain: float) -> None:
    """Between the last evaluation and the output the only difference is delta: RMS kappa sigma_t, on movable frames."""
    widths = sigmas([certain, 0.3, INF])
    x_T = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(0))
    target = TermSpec(Choice("squared_l2"), torch.full((1, 5, 3), 10.0))

    def prior(x: Latents, t: Tensor) -> Latents:
        return 0.5 * x

    steered = mean_step(prior, ObjectiveSpec((target,)).build(), 0.1)
    ding, schedule = DING(torch.zeros(1, 5, 3), widths, certain), Schedule((1.0, 0.0))
    free, moved = (ding(p, schedule, x_T, generators(1)) for p in (prior, steered))
    assert torch.equal(free[..., 0], moved[..., 0])
    assert bool((moved[..., 1:] > free[..., 1:] + 0.05).all())


def test_bad_observations_are_refused() -> None:
    y = torch.zeros(1, 2, 3)
    with without_shape_checks(), pytest.raises(InvalidRequest, match="one per frame"):
        DING(y, torch.zeros(1, 1, 4))
    with pytest.raises(InvalidRequest, match="negative value or NaN"):
        DING(y, sigmas([0.1, -0.1, 0.1]))
    with pytest.raises(InvalidRequest, match="negative value or NaN"):
        DING(y, sigmas([0.1, float("nan"), 0.1]))
    with pytest.raises(InvalidRequest, match="observation y to be finite"):
        DING(y / 0.0, sigmas([0.1, 0.1, 0.1]))
    with pytest.raises(InvalidRequest, match="y's shape"):
        DING(y, sigmas([0.1] * 3))(lambda x, _: x, Schedule.linear(2), torch.zeros(1, 2, 4), generators(1))
