"""Straight down an objective, no prior in between: for measures that are a formula, once the samples are drawn."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from segue.guidance.gradient import Mask, gradient, unit_rms
from segue.guidance.objective import Goal
from segue.sampling.contract import Latents

_LEAST = 1.0 / 64.0  # of the first step: smaller ones change nothing that is heard


def descend(goal: Goal, x: Latents, step: float, iterations: int, enough: float, where: Mask) -> Latents:
    """``x`` moved down ``goal`` in at most ``iterations`` steps of RMS ``step``, weighed by ``where``; one item.

    A step that does not lead down is taken back and tried at half its length. It ends where the loss is ``enough``, or
    the step a 64th of what it was.
    """
    loss, g = _look(goal, x)
    size = step
    for _ in range(iterations):
        if loss <= enough or size < step * _LEAST:
            break
        tried = x - size * unit_rms(g, where)
        after, g_after = _look(goal, tried)
        if after < loss:
            x, loss, g = tried, after, g_after
        else:
            size /= 2.0
    return x.detach()


def _look(goal: Goal, x: Latents) -> tuple[float, Latents]:
    """The loss at x, and its gradient."""

    def measured(at: Latents) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        loss = goal(at)
        return loss, loss.detach()

    g, loss = gradient(measured, x)
    return float(torch.sum(loss)), g
