"""What is applied to x_s after each step: data consistency, frames held at a known course."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.contract import LinearOperator, Measurement, project
from segue.sampling.contract import Constraint, Latents
from segue.sampling.schedule import alpha, sigma


@dataclass(frozen=True, eq=False)
class DataConsistency:
    """x := x + A^T (A A^T)^-1 (y - A x) after each step (Algorithms 1 and 2 of Levy et al. 2023, last line).

    ``y`` is a measurement of clean latents, y = A x_bar. To the letter (``eps`` None) the noisy x_s is projected onto
    the clean y. With ``eps``, noise in latent space fixed for the whole run, it is projected onto what x_s would
    measure there, y_s = alpha_s y + sigma_s A eps, which at s = 0 is y again.
    """

    A: LinearOperator
    y: Measurement
    eps: Latents | None = None

    def __call__(self, x_s: Latents, s: float) -> Latents:
        """x_s with A x_s = y, or y_s."""
        y_s = self.y.to(x_s)
        if self.eps is not None:
            y_s = alpha(s) * y_s + sigma(s) * self.A(self.eps.to(x_s))
        return project(self.A, x_s, y_s)


@dataclass(frozen=True, eq=False)
class Hold:
    """Keeps each frame on the noised course of x_bar until its time of release.

    A frame stands at alpha_s x_bar + sigma_s noise while s >= ``t0``, so that it is sampled freely from t0 on; a frame
    with t0 = 0 is never released and ends at x_bar, one with t0 = 1 is free. ``x_bar`` and ``noise`` (batch, channels,
    frames), ``t0`` (batch, 1, frames) in [0, 1]: the reading ``Freedom.t0`` of the freedom curve.
    Source: differential diffusion (Levin and Fried 2023, arXiv 2306.00950).

    Raises:
        InvalidRequest: t0 outside [0, 1], or shapes that do not belong together.
    """

    x_bar: Latents
    noise: Latents
    t0: Float[Tensor, "batch 1 frames"]

    def __post_init__(self) -> None:
        batch, _, frames = self.x_bar.shape
        if self.noise.shape != self.x_bar.shape or tuple(self.t0.shape) != (batch, 1, frames):
            raise InvalidRequest(
                f"expected noise of x_bar's shape {tuple(self.x_bar.shape)} and t0 of {(batch, 1, frames)}, "
                f"got {tuple(self.noise.shape)} and {tuple(self.t0.shape)}"
            )
        if not bool(((self.t0 >= 0.0) & (self.t0 <= 1.0)).all()):
            raise InvalidRequest("expected times of release t0 in [0, 1] (0 keeps, 1 is free), got others or NaN")

    def __call__(self, x_s: Latents, s: float) -> Latents:
        """x_s with the frames that are not yet released put back."""
        course = alpha(s) * self.x_bar.to(x_s) + sigma(s) * self.noise.to(x_s)
        return torch.where(self.t0.to(x_s) <= s, course, x_s)


@dataclass(frozen=True)
class Chain:
    """Several constraints, in this order; the last has the last word."""

    constraints: tuple[Constraint, ...]

    def __call__(self, x_s: Latents, s: float) -> Latents:
        """x_s after all of them."""
        for constraint in self.constraints:
            x_s = constraint(x_s, s)
        return x_s
