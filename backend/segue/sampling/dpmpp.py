"""DPM-Solver++(2M): second-order multistep in log-SNR, data prediction.

Algorithm 2 of Lu et al. 2022 (arXiv 2211.01095).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from segue.sampling.contract import Constraint, Latents, Prior, StepCallback
from segue.sampling.schedule import Schedule, alpha, log_snr, sigma
from segue.sampling.walk import Walk


@dataclass(frozen=True)
class DPMpp2M:
    """Deterministic; meant for priors conditioned by mask, 10 to 12 evaluations. No settings.

    Guidance is a mean step: xi * gradient is subtracted from x0_hat, and the guided x0_hat enters the history.
    A step from alpha_t = 0 or to sigma_s = 0 is infinitely long in log-SNR; there the first-order formula, whose
    limit exists, is used, and again on the step after the first, which has no finite history.
    """

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
        previous, h_previous = None, math.inf
        for t, s in walk.steps():
            x0_hat, xi_gradient = walk.predict(x_t)
            if xi_gradient is not None:
                x0_hat = x0_hat - xi_gradient

            # Alg. 2, D_i = (1 + 1 / (2 r_i)) x0_hat_i - 1 / (2 r_i) x0_hat_{i-1}, r_i = h_{i-1} / h_i.
            h = log_snr(s) - log_snr(t)
            D = x0_hat
            if previous is not None and math.isfinite(h) and math.isfinite(h_previous):
                half_over_r = h / (2.0 * h_previous)
                D = (1.0 + half_over_r) * x0_hat - half_over_r * previous

            # Alg. 2, x_s = (sigma_s / sigma_t) x_t - alpha_s (e^-h - 1) D,
            # where alpha_s e^-h = alpha_t sigma_s / sigma_t has no infinity at either end.
            shrink = sigma(s) / sigma(t)
            x_s = shrink * x_t + (alpha(s) - alpha(t) * shrink) * D

            previous, h_previous = x0_hat, h
            x_t = walk.finish(x_s, x0_hat)
        return walk.result(x_t)
