"""SDE-DPM-Solver++(2M): second-order multistep in log-SNR with fresh noise; Stable Audio Open's own sampler.

Lu et al. 2022 (arXiv 2211.01095), appendix on the SDE solvers, in the midpoint form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from segue.sampling.contract import Constraint, Latents, Prior, StepCallback
from segue.sampling.multistep import Multistep
from segue.sampling.schedule import Schedule, alpha, sigma
from segue.sampling.walk import Walk


@dataclass(frozen=True)
class SDEDPMpp2M:
    """Stochastic; as accurate as :class:`segue.sampling.dpmpp.DPMpp2M` and forgets its errors. No settings.

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

            # x_s = (sigma_s / sigma_t) e^-h x_t + alpha_s (1 - e^-2h) D + sigma_s sqrt(1 - e^-2h) z,
            # where e^-h = alpha_t sigma_s / (alpha_s sigma_t) has no infinity at either end.
            shrink = alpha(t) * sigma(s) / (alpha(s) * sigma(t))
            x_s = sigma(s) / sigma(t) * shrink * x_t + alpha(s) * (1.0 - shrink**2) * D
            if sigma(s) > 0.0:
                x_s = x_s + sigma(s) * math.sqrt(1.0 - shrink**2) * walk.noise()
            x_t = walk.finish(x_s, x0_hat)
        return walk.result(x_t)
