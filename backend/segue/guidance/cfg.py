"""Classifier-free guidance: predictions with and without the prompt, made in one batch and combined."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.sampling.contract import Latents, Prior


@runtime_checkable
class Rule(Protocol):
    """Combines x0_hat with the prompt and x0_hat without it, at the same x_t; differentiable in all three."""

    def __call__(self, prompted: Latents, plain: Latents, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """The guided x0_hat."""


@dataclass(frozen=True)
class Linear:
    """plain + scale (prompted - plain) (Ho and Salimans 2022, arXiv 2207.12598).

    The same on x0_hat, on v and on the velocity of a flow, which differ by a factor and a term in x_t alone.
    """

    scale: float

    def __call__(self, prompted: Latents, plain: Latents, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """The guided x0_hat."""
        return plain + self.scale * (prompted - plain)


@dataclass(eq=False)
class Projected:
    """Adaptive projected guidance on the velocity of the flow (Sadat et al. 2025, arXiv 2410.02416).

    The difference of both velocities, averaged with ``momentum`` over the steps and shortened to a norm over time of at
    most ``threshold`` in each channel (0: as it is), counts where it is orthogonal to the prompted velocity alone. One
    of these serves one run: it remembers the steps.
    """

    scale: float
    momentum: float = 0.0
    threshold: float = 0.0
    _average: Tensor | None = field(default=None, init=False, repr=False)

    def __call__(self, prompted: Latents, plain: Latents, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """The guided x0_hat."""
        angle = t[:, None, None] * (math.pi / 2.0)
        scale = angle.cos() + angle.sin()
        tau, x_flow = angle.sin() / scale, x_t / scale
        velocity = (x_flow - prompted) / tau
        apart = (plain - prompted) / tau
        if self._average is not None and self._average.shape == apart.shape:
            apart = apart + self.momentum * self._average
        self._average = apart.detach()
        if self.threshold > 0.0:
            norm = apart.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(apart.dtype).tiny)
            apart = apart * (self.threshold / norm).clamp_max(1.0)
        along = torch.nn.functional.normalize(velocity, dim=-1)
        across = apart - (apart * along).sum(-1, keepdim=True) * along
        return x_flow - tau * (velocity + (self.scale - 1.0) * across)


@dataclass(frozen=True)
class PromptGuidance:
    """How a bundle's prompts count: ``rule`` of :data:`RULES`; ``scale`` 1 is the prompted prediction alone.

    Raises:
        InvalidRequest: an unknown rule, or a scale below 1.
    """

    scale: float = 1.0
    rule: str = "linear"
    momentum: float = 0.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise InvalidRequest(f"expected a rule of {', '.join(RULES)}, got {self.rule!r}")
        if not (math.isfinite(self.scale) and self.scale >= 1.0):
            raise InvalidRequest(f"expected a scale of prompts of 1 or above, got {self.scale}")

    @property
    def is_off(self) -> bool:
        """Whether the prompted prediction is taken as it is."""
        return self.scale == 1.0

    def begin(self) -> Rule:
        """The rule for one run."""
        return RULES[self.rule](self)


RULES: dict[str, Callable[[PromptGuidance], Rule]] = {
    "linear": lambda s: Linear(s.scale),
    "apg": lambda s: Projected(s.scale, s.momentum, s.threshold),
}


@dataclass(frozen=True, eq=False)
class PromptGuided:
    """A prior of one that was bound for twice the rows: first all with the prompt, then all without."""

    both: Prior
    rule: Rule

    def __call__(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """The guided x0_hat; the gradient flows through both predictions."""
        prompted, plain = self.both(torch.cat([x_t, x_t]), torch.cat([t, t])).chunk(2)
        return self.rule(prompted, plain, x_t, t)
