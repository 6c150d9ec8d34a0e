"""A coarse contour: means over blocks of frames."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.contract import Signal


@dataclass(frozen=True)
class BlockMean:
    """The mean of each run of ``size`` frames; frames must be a multiple of it. A A^T = 1 / size.

    Raises:
        InvalidRequest: size below 1, or a signal that is no multiple of it.
    """

    size: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InvalidRequest(f"expected a block of at least 1 frame, got {self.size}")

    def __call__(self, x: Signal) -> Float[Tensor, "batch channels blocks"]:
        """Block means."""
        if x.shape[-1] % self.size:
            raise InvalidRequest(f"expected a multiple of {self.size} frames, got {x.shape[-1]}; choose another size")
        return x.reshape(*x.shape[:2], -1, self.size).mean(-1)

    def adjoint(self, y: Float[Tensor, "batch channels blocks"]) -> Signal:
        """Each mean spread over its block, divided by the size."""
        return y.repeat_interleave(self.size, -1) / self.size

    def solve(self, y: Float[Tensor, "batch channels blocks"]) -> Float[Tensor, "batch channels blocks"]:
        """(A A^T)^-1 y = size y."""
        return y * self.size
