"""Straight down an objective, no prior in between: for measures that are a formula, once the samples are drawn."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor

from segue.guidance.gradient import Mask, gradient
from segue.guidance.objective import Goal
from segue.sampling.contract import Latents


def descend(goal: Goal, x: Latents, step: float, most: float, evaluations: int, enough: float, where: Mask) -> Latents:
    """``x`` moved down ``goal`` by L-BFGS-B (Zhu et al. 1997), which knows from its steps how steep each direction is;
    one item.

    The first step has an RMS of about ``step``, and no entry ends further than ``most`` from where it was, both weighed
    by ``where``. It ends where the loss is ``enough``, or soon after so many ``evaluations``; what was lowest counts.
    """
    free = where[0, 0] > 0.0
    weights = where[..., free].to(x)
    loss, g = _look(goal, x)
    slope = float((weights * g[..., free]).norm())
    if loss <= enough or not slope > 0.0:
        return x.detach()
    unit = step * math.sqrt(g[..., free].numel())  # of the first step, as a 2-norm
    lowest, best = loss, x.detach()

    def measured(u: Float[np.ndarray, " n"]) -> tuple[float, Float[np.ndarray, " n"]]:
        """Loss and gradient after a move, scaled so that the gradient at 0, the first step, has length 1."""
        nonlocal lowest, best
        tried = x.detach().clone()
        tried[..., free] += unit * weights * torch.from_numpy(u).to(x).reshape(weights.shape[0], -1, weights.shape[-1])
        after, slopes = (loss, g) if not u.any() else _look(goal, tried)
        if after < lowest:
            lowest, best = after, tried
        down = (weights * slopes[..., free]).double() / slope
        return after / (slope * unit), down.flatten().numpy()

    def near_enough(_: Float[np.ndarray, " n"]) -> None:
        if lowest <= enough:
            raise StopIteration

    start = np.zeros(g[..., free].numel())
    reach = np.full(len(start), most / unit)
    options = {"maxfun": evaluations, "maxiter": evaluations, "ftol": 0.0, "gtol": 0.0}
    minimize(
        measured,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=np.stack([-reach, reach], 1),
        callback=near_enough,
        options=options,
    )
    return best


def _look(goal: Goal, x: Latents) -> tuple[float, Latents]:
    """The loss at x, and its gradient."""

    def measured(at: Latents) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        loss = goal(at)
        return loss, loss.detach()

    g, loss = gradient(measured, x)
    return float(torch.sum(loss)), g
