"""DDIM with guidance: Algorithm 2 of Levy et al. 2023 (arXiv 2311.00613).

eta is that of Song et al. 2021 (arXiv 2010.02502).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from segue.errors import InvalidRequest
from segue.sampling.contract import Constraint, Latents, Prior, StepCallback
from segue.sampling.schedule import Schedule, alpha, sigma, variance_between
from segue.sampling.walk import Walk


@dataclass(frozen=True)
class DDIM:
    """Deterministic at ``eta`` 0 (Algorithm 2); at 1 each step has DDPM's noise. Guidance acts through eps_hat alone.

    As printed, the gradient of a distance is subtracted from eps_hat while x0_hat stays: x_s moves by
    -xi sigma_t sigma_s grad d, down the distance. The step to s = 0 therefore takes no guidance.

    Raises:
        InvalidRequest: eta outside [0, 1].
    """

    eta: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.eta <= 1.0:
            raise InvalidRequest(f"eta must lie in [0, 1] (0 is deterministic, 1 as noisy as DDPM), got {self.eta}")

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
            x0_hat, xi_gradient = walk.predict(x_t)

            # Alg. 2, eps_hat = (x_t - alpha_t x0_hat) / sigma_t - xi sigma_t grad_{x_t} d(y, A(.)).
            eps_hat = (x_t - alpha_t * x0_hat) / sigma_t
            if xi_gradient is not None:
                eps_hat = eps_hat - sigma_t * xi_gradient

            # Alg. 2, x_s = alpha_s x0_hat + sqrt(1 - alpha_s^2) eps_hat; Song et al. eq. 12 where eta > 0.
            # The root is sqrt(1 - alpha_s^2 - fresh^2), in a form that rounding cannot turn negative.
            fresh = self.eta * sigma_s / sigma_t * math.sqrt(variance_between(t, s))
            shared = alpha_t * sigma_s / (alpha_s * sigma_t)
            x_s = alpha_s * x0_hat + sigma_s * math.hypot(math.sqrt(1.0 - self.eta**2), self.eta * shared) * eps_hat
            if fresh > 0.0:
                x_s = x_s + fresh * walk.noise()

            # Alg. 2, data consistency where possible.
            x_t = walk.finish(x_s, x0_hat)
        return walk.result(x_t)
