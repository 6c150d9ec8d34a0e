"""What samplers, priors and guidance agree on.

A prior is ``prior(x_t, t) -> x0_hat``, its conditioning bound. Guidance is a function that takes a prior and returns a
prior whose predictions carry a gradient. A sampler takes a prior, a schedule, x_T and a generator per item; it knows
neither the task nor the network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.sampling.schedule import Schedule

Latents = Float[Tensor, "batch channels frames"]

Strength = Callable[[float, float], float]
"""xi(t, s): the guidance strength for the step from time t to time s < t."""


@runtime_checkable
class Prior(Protocol):
    """The denoiser: x0_hat from x_t at time t in [0, 1], one t for each item."""

    def __call__(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """Prediction of x_0, (batch, channels, frames) float32."""


@dataclass(frozen=True)
class Prediction:
    """x0_hat and, where a guide is at work, grad_{x_t} d(y, A(.)) and its strength xi."""

    x0_hat: Latents
    gradient: Latents | None = None
    xi: Strength | None = None

    def update(self, t: float, s: float) -> Latents | None:
        """xi * gradient for the step from t to s, float64; None without guidance and at strength 0.

        Raises:
            InvalidRequest: xi(t, s) is not finite.
        """
        if self.gradient is None or self.xi is None:
            return None
        xi = self.xi(t, s)
        if not math.isfinite(xi):
            raise InvalidRequest(
                f"expected a finite guidance strength, got xi({t:.4g}, {s:.4g}) = {xi}; lower it, or where it diverges "
                "at t = 1 start the schedule below 1"
            )
        return None if xi == 0.0 else xi * self.gradient.double()


@runtime_checkable
class GuidedPrior(Protocol):
    """A prior that also yields the guidance gradient of its prediction."""

    def __call__(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """x0_hat alone."""

    def predict(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Prediction:
        """x0_hat with gradient and strength."""


@runtime_checkable
class Constraint(Protocol):
    """Applied to x_s after each step: data consistency, or frames held at a known course."""

    def __call__(self, x_s: Latents, s: float) -> Latents:
        """x_s made consistent with what is known, at time s."""


@dataclass(frozen=True)
class Step:
    """What the callback sees before the first evaluation and after each step; return False (or raise) to stop.

    ``index`` is that of the step from t to s just done, or -1 before the first evaluation, when t = s, x_s = x_T and
    x0_hat is None. ``x_s`` is the sampler's own float64 state: read it, do not change it in place.
    """

    index: int
    steps: int
    t: float
    s: float
    x_s: Latents
    x0_hat: Latents | None

    @property
    def progress(self) -> float:
        """Part of the steps that is done, 0 to 1."""
        return (self.index + 1) / self.steps


StepCallback = Callable[[Step], bool | None]


@runtime_checkable
class Sampler(Protocol):
    """Integrates from x_T at ``schedule.times[0]`` to x_0."""

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
        """x_0, float32. State is float64; one generator per item, so that a neighbour never changes a result.

        Noise is drawn in float32 on the generator's own device, so that a CPU generator gives the same noise on any.

        Raises:
            NonFinite: a prediction or gradient became NaN or infinite.
            Cancelled: the callback returned False.
            InvalidRequest: the number of generators differs from the batch, two items share one, x_T is not finite,
                or the prior returns another shape than x_T's.
        """
