"""DDPM with guidance: Algorithm 1 of Levy et al. 2023 (arXiv 2311.00613)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from segue.sampling.contract import Constraint, Latents, Prior, StepCallback
from segue.sampling.schedule import Schedule, alpha, sigma, variance_between
from segue.sampling.walk import Walk


@dataclass(frozen=True)
class DDPM:
    """Ancestral sampling; the guidance gradient is subtracted from x_s. No settings."""

    def __call__(
        self,
        prior: Prior,
        schedule: Schedule,
        x_T: Latents,
        generators: Sequence[torch.Generator],
        *,
        constraint: Constraint | None = None,
        callback: StepCallback | None = None,
    ) -> Latents:
        """See :class:`segue.sampling.contract.Sampler`."""
        walk = Walk(prior, schedule, x_T, generators, constraint=constraint, callback=callback)
        x_t = walk.x_T
        for t, s in walk.steps():
            alpha_t, sigma_t, alpha_s, sigma_s = alpha(t), sigma(t), alpha(s), sigma(s)
            ratio = variance_between(t, s)  # 1 - alpha_t^2 / alpha_s^2

            # Alg. 1, x0_hat = alpha_t x_t - sigma_t v_theta(x_t, t), which is what the prior returns.
            x0_hat, xi_gradient = walk.predict(x_t)

            # Alg. 1, x_s ~ q(x_s | x_t, x0_hat); sigma_{t->s} is the standard deviation of that posterior.
            x_s = (alpha_s / sigma_t**2) * ratio * x0_hat + (alpha_t * sigma_s**2) / (alpha_s * sigma_t**2) * x_t
            sigma_t_to_s = sigma_s / sigma_t * math.sqrt(ratio)
            if sigma_t_to_s > 0.0:
                x_s = x_s + sigma_t_to_s * walk.noise()

            # Alg. 1, x_s -= xi grad_{x_t} d(y, A(.)).
            if xi_gradient is not None:
                x_s = x_s - xi_gradient

            # Alg. 1, data consistency where possible.
            x_t = walk.finish(x_s, x0_hat)
        return walk.result(x_t)
