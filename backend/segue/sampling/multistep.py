"""The second-order data prediction that DPM-Solver++ and its stochastic form share (Lu et al. 2022, Algorithm 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from segue.sampling.contract import Latents
from segue.sampling.schedule import log_snr
from segue.sampling.walk import Walk


@dataclass
class Multistep:
    """What was predicted last, and how long that step was in log-SNR.

    A step from alpha_t = 0 or to sigma_s = 0 is infinitely long; there the first-order prediction is used, and again on
    the step after the first, which has no finite history.
    """

    walk: Walk
    _previous: Latents | None = None
    _h_previous: float = math.inf

    def predict(self, x_t: Latents, t: float, s: float) -> tuple[Latents, Latents]:
        """The guided x0_hat, and D, with which the step to s is taken.

        Guidance is a mean step: xi * gradient is subtracted from x0_hat, and the guided x0_hat enters the history.
        """
        x0_hat, xi_gradient = self.walk.predict(x_t)
        if xi_gradient is not None:
            x0_hat = x0_hat - xi_gradient

        # Alg. 2, D_i = (1 + 1 / (2 r_i)) x0_hat_i - 1 / (2 r_i) x0_hat_{i-1}, r_i = h_{i-1} / h_i.
        h = log_snr(s) - log_snr(t)
        D = x0_hat
        if self._previous is not None and math.isfinite(h) and math.isfinite(self._h_previous):
            half_over_r = h / (2.0 * self._h_previous)
            D = (1.0 + half_over_r) * x0_hat - half_over_r * self._previous
        self._previous, self._h_previous = x0_hat, h
        return x0_hat, D
