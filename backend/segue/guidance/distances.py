"""Distances d(y, a) between a target and a measurement, one number per item.

They are sums, not means, as norms are: a strength xi then does not depend on how much of the clip is measured. Each
item is reduced by itself, in the same order whatever the batch, so that a neighbour does not change the last bit of a
result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from segue.errors import InvalidRequest
from segue.registry import Registry

Measurement = Float[Tensor, "batch *measurement"]
PerItem = Float[Tensor, " batch"]


@runtime_checkable
class Distance(Protocol):
    """d: 0 or above, differentiable in ``a``."""

    def __call__(self, y: Measurement, a: Measurement) -> PerItem:
        """d(y, a) of each item; y and a have one shape."""


def item_sum(x: Measurement) -> PerItem:
    """Sum over each item by itself."""
    return torch.stack([item.sum() for item in x])


def item_norm(x: Measurement) -> PerItem:
    """2-norm of each item by itself; its gradient at 0 is 0."""
    return torch.stack([torch.linalg.vector_norm(item) for item in x])


@dataclass(frozen=True)
class L1:
    """Sum of |y - a|; the paper's distance for infill, continuation, regenerate and transition."""

    def __call__(self, y: Measurement, a: Measurement) -> PerItem:
        """See :class:`Distance`."""
        return item_sum((y - a).abs())


@dataclass(frozen=True)
class L2:
    """|y - a|, the Euclidean norm; the paper's distance for embedders."""

    def __call__(self, y: Measurement, a: Measurement) -> PerItem:
        """See :class:`Distance`."""
        return item_norm(y - a)


@dataclass(frozen=True)
class SquaredL2:
    """Sum of (y - a)^2."""

    def __call__(self, y: Measurement, a: Measurement) -> PerItem:
        """See :class:`Distance`."""
        return item_sum((y - a).square())


@dataclass(frozen=True, eq=False)
class Mahalanobis:
    """Half the sum of ((y - a) / sigma)^2: -log N(y; a, sigma^2) up to a constant.

    ``sigma`` is one number or broadcasts to the measurement; an infinite one leaves that entry free.

    Raises:
        InvalidRequest: sigma not above 0.
    """

    sigma: float | Tensor

    def __post_init__(self) -> None:
        if not bool((torch.as_tensor(self.sigma) > 0.0).all()):
            raise InvalidRequest("expected a standard deviation sigma above 0, got 0, less or NaN")

    def __call__(self, y: Measurement, a: Measurement) -> PerItem:
        """See :class:`Distance`."""
        return item_sum(((y - a) / torch.as_tensor(self.sigma).to(a)).square()) / 2.0


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """Sum over classes of the cross-entropy of y in [0, 1] against p = sigmoid(a): ``a`` are a classifier's logits."""

    def __call__(self, y: Measurement, a: Measurement) -> PerItem:
        """See :class:`Distance`.

        Raises:
            InvalidRequest: a target outside [0, 1].
        """
        if not bool(((y >= 0.0) & (y <= 1.0)).all()):
            raise InvalidRequest("expected class targets y in [0, 1], got others or NaN")
        return item_sum(binary_cross_entropy_with_logits(a, y, reduction="none"))


DISTANCES: Registry[Distance] = Registry(
    "distance",
    {
        "l1": L1,
        "l2": L2,
        "squared_l2": SquaredL2,
        "mahalanobis": Mahalanobis,
        "bce": BinaryCrossEntropy,
    },
)
