"""Ping-pong: predict x_0, add fresh noise, again; for priors distilled to few steps.

Algorithm 1 of Song et al. 2023 (arXiv 2303.01469), multistep consistency sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from segue.sampling.contract import Constraint, Latents, Prior, StepCallback
from segue.sampling.schedule import Schedule, alpha, sigma
from segue.sampling.walk import Walk


@dataclass(frozen=True)
class PingPong:
    """Multistep consistency sampling. Exact for a consistency function; a plain denoiser loses variance. No settings.

    Guidance is a mean step: xi * gradient is subtracted from x0_hat.
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
        for _, s in walk.steps():
            x0_hat, xi_gradient = walk.predict(x_t)
            if xi_gradient is not None:
                x0_hat = x0_hat - xi_gradient

            # Alg. 1 of Song et al., x_s = alpha_s x0_hat + sigma_s z; nothing is added at s = 0.
            x_s = alpha(s) * x0_hat
            if sigma(s) > 0.0:
                x_s = x_s + sigma(s) * walk.noise()
            x_t = walk.finish(x_s, x0_hat)
        return walk.result(x_t)
