"""DPM-Solver++(2M): second-order multistep in log-SNR, data prediction.

Algorithm 2 of Lu et al. 2022 (arXiv 2211.01095).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from segue.sampling.contract import Constraint, Latents, Prior, StepCallback
from segue.sampling.multistep import Multistep
from segue.sampling.schedule import Schedule, alpha, sigma
from segue.sampling.walk import Walk


@dataclass(frozen=True)
class DPMpp2M:
    """Deterministic; meant for priors conditioned by mask, 10 to 12 evaluations. No settings.

    Predictions, guidance and the first-order steps are those of :mod:`segue.sampling.multistep`.
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
        x_t, history = walk.x_T, Multistep(walk)
        for t, s in walk.steps():
            x0_hat, D = history.predict(x_t, t, s)

            # Alg. 2, x_s = (sigma_s / sigma_t) x_t - alpha_s (e^-h - 1) D,
            # where alpha_s e^-h = alpha_t sigma_s / sigma_t has no infinity at either end.
            shrink = sigma(s) / sigma(t)
            x_s = shrink * x_t + (alpha(s) - alpha(t) * shrink) * D
            x_t = walk.finish(x_s, x0_hat)
        return walk.result(x_t)
