"""The guidance strength xi: a number, a curve over the noise level, or any function of the step.

Also the strengths that make guidance exact. Bayes' rule turns x0_hat into
E[x_0 | x_t, y] = x0_hat - (sigma_t^2 / alpha_t) grad_{x_t} d, where d = -log p(y | x_t); each sampler puts xi grad d in
another place, and so has another exact xi. Any other distance is a stand-in for d, its xi tuned by ear: the paper has
3e-2 in latents and 3e-3 on waveforms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.sampling.contract import Strength
from segue.sampling.schedule import alpha, sigma, variance_between

Xi = float | Curve | Strength


@dataclass(frozen=True)
class LevelStrength:
    """xi read from a curve over the noise level sigma_t in [0, 1], whose breakpoints are (sigma, xi).

    Raises:
        InvalidRequest: a value that is negative, infinite or NaN.
    """

    curve: Curve

    def __post_init__(self) -> None:
        values = [v for _, v in self.curve.points]
        if not all(math.isfinite(v) and v >= 0.0 for v in values):
            raise InvalidRequest(f"expected guidance strengths that are finite and 0 or above, got {values}")

    def at(self, t: float) -> float:
        """xi at time t."""
        return float(self.curve.at(np.array([sigma(t)]))[0])

    def __call__(self, t: float, s: float) -> float:
        """xi for the step from t to s."""
        return self.at(t)


def level_strength(xi: float | Curve) -> LevelStrength:
    """A number or curve as a strength.

    Raises:
        InvalidRequest: a value that is negative, infinite or NaN.
    """
    if isinstance(xi, int | float) and not (math.isfinite(xi) and xi >= 0.0):
        raise InvalidRequest(f"expected a guidance strength that is finite and 0 or above, got {xi}")
    return LevelStrength(Curve.of(xi))


def strength(xi: Xi) -> Strength:
    """``xi`` as a function of the step.

    Raises:
        InvalidRequest: a number or curve value that is negative, infinite or NaN.
    """
    return level_strength(xi) if isinstance(xi, int | float | Curve) else xi


def is_off(xi: Strength, t: float) -> bool:
    """Whether xi is known to be 0 at t, so that no gradient need be taken."""
    return isinstance(xi, LevelStrength) and xi.at(t) == 0.0


def exact_mean(t: float, s: float) -> float:
    """sigma_t^2 / alpha_t, for samplers that subtract from x0_hat: DPM-Solver++(2M), ping-pong. Infinite at t = 1."""
    return sigma(t) ** 2 / alpha(t) if alpha(t) > 0.0 else math.inf


def exact_ddpm(t: float, s: float) -> float:
    """(alpha_s / alpha_t) (1 - alpha_t^2 / alpha_s^2), for Algorithm 1, which subtracts from x_s. Infinite at t = 1."""
    return alpha(s) / alpha(t) * variance_between(t, s) if alpha(t) > 0.0 else math.inf


def exact_ddim(t: float, s: float) -> float:
    """(alpha_s sigma_t / alpha_t - sigma_s) / sigma_s, for Algorithm 2, which subtracts sigma_t times it from eps_hat.

    Infinite at t = 1. At s = 0 it is 0: Algorithm 2 multiplies eps_hat by sigma_s, so that no strength could act.
    """
    if sigma(s) == 0.0:
        return 0.0
    return (alpha(s) * sigma(t) / alpha(t) - sigma(s)) / sigma(s) if alpha(t) > 0.0 else math.inf
