"""Guidance gradients: a function that takes a prior and returns one (Levy et al. 2023, Algorithms 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from segue.guidance.gradient import Mask, gradient, unit_rms
from segue.guidance.objective import Decode, Goal
from segue.guidance.strength import Xi, is_off, strength
from segue.sampling.contract import Latents, Prediction, Prior, Strength
from segue.sampling.schedule import sigma

Place = Literal["x0_hat", "x_t"]
Normalise = Literal["none", "item"]


@dataclass(frozen=True, eq=False)
class Guided:
    """A prior whose predictions carry grad_{x_t} d(y, A(.)); made by :func:`guided`."""

    prior: Prior
    objective: Goal
    xi: Strength
    at: Place
    decode: Decode | None
    normalise: Normalise
    where: Mask | None

    def __call__(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """x0_hat alone, as the prior gives it."""
        return self.prior(x_t, t)

    def predict(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Prediction:
        """x0_hat with gradient and strength; where a curve or number says xi = 0, the prior's x0_hat alone."""
        if is_off(self.xi, float(t[0])):
            return Prediction(self.prior(x_t, t))
        if self.at == "x0_hat":

            def through_denoiser(x: Latents) -> tuple[Float[Tensor, " batch"], Latents]:
                x0_hat = self.prior(x, t)
                return self.objective(x0_hat, self.decode), x0_hat.detach()

            g, x0_hat = gradient(through_denoiser, x_t)
        else:
            g, _ = gradient(lambda x: (self.objective(x, self.decode), None), x_t)
            x0_hat = self.prior(x_t, t)
        if self.normalise == "none":
            return Prediction(x0_hat, g if self.where is None else g * self.where.to(g), self.xi)
        return Prediction(x0_hat, unit_rms(g, self.where), lambda t, s: self.xi(t, s) * sigma(t))


def guided(
    prior: Prior,
    objective: Goal,
    xi: Xi,
    *,
    at: Place = "x0_hat",
    decode: Decode | None = None,
    normalise: Normalise = "none",
    where: Mask | None = None,
) -> Guided:
    """``prior`` guided down ``objective``.

    ``at``: "x0_hat" measures the prediction, the gradient crosses the denoiser (a vector-Jacobian product, about twice
    the work); "x_t" measures the noisy x_t itself, to the letter of the algorithms' first form. ``xi``: a number, a
    :class:`Curve` over the noise level sigma_t, or a function of the step (t, s); 0 equals the unguided prior.
    ``decode``: latents to audio, for terms on audio. ``normalise`` "item": xi becomes kappa, the update
    kappa sigma_t sqrt(n) g / |g|, each item's norm its own. ``where`` (batch, 1, frames): 1 where guidance may move,
    0 where not, between them or above for a strength of its own per frame.

    Raises:
        InvalidRequest: a strength that is negative, infinite or NaN; a term on audio without ``decode``.
    """
    objective.check_decode(decode)
    return Guided(prior, objective, strength(xi), at, decode, normalise, where)
