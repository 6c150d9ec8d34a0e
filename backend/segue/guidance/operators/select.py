"""Some entries of a vector: the tags that are wished for, among all that a classifier knows."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest


@dataclass(frozen=True)
class Select:
    """The entries ``indices`` of a measurement (batch, features), in that order; the others count for nothing.

    Raises:
        InvalidRequest: no indices, one of them twice or negative; a measurement that lacks one.
    """

    indices: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.indices or len(set(self.indices)) != len(self.indices) or min(self.indices) < 0:
            raise InvalidRequest(f"expected different indices, 0 or above, at least one, got {self.indices}")

    def __call__(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch chosen"]:
        """The chosen entries."""
        if max(self.indices) >= x.shape[1]:
            raise InvalidRequest(f"expected at least {max(self.indices) + 1} features, got {x.shape[1]}")
        return x[:, list(self.indices)]
