"""The gradient of an objective, item by item."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.distances import item_norm
from segue.sampling.contract import Latents

Mask = Float[Tensor, "#batch 1 frames"]
Extra = TypeVar("Extra")


def gradient(loss: Callable[[Latents], tuple[Float[Tensor, " batch"], Extra]], x: Latents) -> tuple[Latents, Extra]:
    """grad_x of ``loss`` at x, each item's of its own loss alone, and what ``loss`` returned beside it.

    Raises:
        InvalidRequest: the loss does not depend on x, or not differentiably.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        per_item, extra = loss(x)
        if per_item.requires_grad:
            (g,) = torch.autograd.grad(per_item.sum(), x, allow_unused=True)
            if g is not None:
                return g, extra
    raise InvalidRequest(
        "the objective has no gradient: expected operator, embedder, decoder and prior to be differentiable in x, "
        "got one that is not; guide at 'x_t' or by a mean step where the prior has no gradient graph"
    )


def unit_rms(g: Latents, where: Mask | None = None) -> Latents:
    """sqrt(n) g / |g| for each item by itself, n the entries it may move; 0 stays 0.

    ``where`` (batch, 1, frames) weighs the frames: g times it is what is brought to length, and each frame counts for n
    as the square of its weight. 1 on the frames guidance may move and 0 on the others leaves RMS 1 on the former; half
    the weight everywhere is half the step.
    """
    n = torch.full((g.shape[0],), float(g[0].numel()), dtype=torch.float64, device=g.device)
    if where is not None:
        g = g * where.to(g)
        n = where.double().square().sum((1, 2)) * g.shape[1]
    norm = item_norm(g.double())  # float64, so that the squares of a steep gradient do not overflow
    scale = torch.where(norm == 0.0, 0.0, n.sqrt() / norm)
    return (g.double() * scale[:, None, None]).to(g.dtype)
