"""Style and feature guidance as a mean step on x0_hat: no gradient through the denoiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.gradient import Mask, gradient, unit_rms
from segue.guidance.objective import Decode, Goal
from segue.guidance.strength import LevelStrength, level_strength
from segue.sampling.checks import check_generators
from segue.sampling.contract import Latents, Prediction, Prior
from segue.sampling.noise import noise
from segue.sampling.schedule import sigma


@dataclass(frozen=True, eq=False)
class Jitter:
    """Average the gradient over ``copies`` of x0_hat, each moved by ``scale`` * sigma_t * noise.

    Takes out directions that please the embedder alone; 2 to 4 copies. A generator per item, its own.

    Raises:
        InvalidRequest: copies below 1 or a negative scale.
    """

    copies: int
    scale: float
    generators: Sequence[torch.Generator]

    def __post_init__(self) -> None:
        if self.copies < 1 or not self.scale >= 0.0:
            raise InvalidRequest(f"expected copies >= 1 and scale >= 0, got {self.copies} and {self.scale}")


@dataclass(frozen=True, eq=False)
class MeanStep:
    """A prior whose predictions carry delta = kappa sigma_t sqrt(n) g / |g|; made by :func:`mean_step`."""

    prior: Prior
    objective: Goal
    kappa: LevelStrength
    decode: Decode | None
    iterations: int
    jitter: Jitter | None
    where: Mask | None

    def __call__(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """x0_hat alone, as the prior gives it."""
        return self.prior(x_t, t)

    def predict(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Prediction:
        """x0_hat, the sum of the iterations' directions, each of RMS 1 per item, and the strength kappa sigma_t."""
        x0_hat = self.prior(x_t, t)
        time = float(t[0])
        if self.kappa.at(time) == 0.0:
            return Prediction(x0_hat)
        step, moved, total = self.kappa.at(time) * sigma(time), x0_hat, torch.zeros_like(x0_hat)
        for _ in range(self.iterations):
            g = unit_rms(self._gradient(moved, sigma(time)), self.where)
            moved, total = moved - step * g, total + g
        return Prediction(x0_hat, total, lambda t, s: self.kappa.at(t) * sigma(t))

    def _gradient(self, x0_hat: Latents, sigma_t: float) -> Latents:
        """grad_{x0_hat} d(y, A(x0_hat)), averaged over the jittered copies."""
        jitter = self.jitter
        if jitter is None:
            return gradient(lambda x: (self.objective(x, self.decode), None), x0_hat)[0]
        check_generators(jitter.generators, x0_hat.shape[0])
        total = torch.zeros_like(x0_hat)
        for _ in range(jitter.copies):
            copy = x0_hat + jitter.scale * sigma_t * noise(jitter.generators, x0_hat)
            total = total + gradient(lambda x: (self.objective(x, self.decode), None), copy)[0]
        return total / jitter.copies


def mean_step(
    prior: Prior,
    objective: Goal,
    kappa: float | Curve,
    *,
    decode: Decode | None = None,
    iterations: int = 1,
    jitter: Jitter | None = None,
    where: Mask | None = None,
) -> MeanStep:
    """``prior`` with x0_hat moved down ``objective`` by a step of RMS kappa sigma_t, measured at x0_hat.

    For samplers that subtract guidance from x0_hat: DING, DPM-Solver++(2M), ping-pong. ``kappa`` is about 0.05 to 0.2,
    a number or a :class:`Curve` over the noise level sigma_t (0 below some sigma restricts it to the first steps);
    ``iterations`` 1 to 4. ``where`` (batch, 1, frames): 1 on the frames guidance may move, 0 on the
    others, between them or above for a strength of its own per frame.

    Raises:
        InvalidRequest: kappa negative, infinite or NaN; iterations below 1; a term on audio without ``decode``.
    """
    objective.check_decode(decode)
    if iterations < 1:
        raise InvalidRequest(
            f"expected at least 1 iteration, got {iterations}; to switch the guidance off set kappa to 0"
        )
    return MeanStep(prior, objective, level_strength(kappa), decode, iterations, jitter, where)
