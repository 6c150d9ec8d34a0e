"""Freedom: how far the music may leave what is already there, as a curve from 0 (keep) to 1 (invent)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve


@dataclass(frozen=True)
class Freedom:
    """The control surface of regeneration: one curve, read in the three ways the samplers use.

    ``k``: the paper's mixing weight of noise in x_T = k z + (1 - k) x_bar. ``t0``: the time at which a frame, held
    until then at the noised original, is released. ``sigma_y``: the standard deviation, in latent units, granted around
    the original as a pseudo-observation; infinite at freedom 1, 0 at freedom 0.
    """

    curve: Curve

    def __post_init__(self) -> None:
        values = [v for _, v in self.curve.points]
        if not all(0.0 <= v <= 1.0 for v in values):
            raise InvalidRequest(f"freedom must lie in [0, 1] (0 keeps, 1 invents), got {values}")

    def k(self, seconds: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Weight of the noise in x_T, per frame."""
        return self.curve.at(seconds)

    def t0(self, seconds: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Time of release, per frame."""
        return self.curve.at(seconds)

    def sigma_y(self, seconds: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """tan(pi f / 2): the noise-to-signal ratio sigma_t / alpha_t of the schedule at t = f, per frame."""
        f = self.curve.at(seconds)
        return np.where(f >= 1.0, np.inf, np.tan(np.pi / 2.0 * np.minimum(f, 1.0 - 1e-12)))
