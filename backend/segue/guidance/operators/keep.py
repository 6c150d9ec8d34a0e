"""Keep the context: the operator of continuation, infill, regenerate and transition (Levy et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.contract import Signal


@dataclass(frozen=True, eq=False)
class Keep:
    """Selects the frames where ``mask`` (batch, 1, frames) is 1; 0 is the gap.

    A measurement has the signal's shape, with zeros in the gap, since items may keep different numbers of frames; on
    the rows that exist A A^T = 1.

    Raises:
        InvalidRequest: the mask holds other values than 0 and 1.
    """

    mask: Float[Tensor, "batch 1 frames"]

    def __post_init__(self) -> None:
        if not bool(((self.mask == 0.0) | (self.mask == 1.0)).all()):
            raise InvalidRequest("expected a mask of 1 (keep) and 0 (generate), got other values; threshold it first")

    def __call__(self, x: Signal) -> Signal:
        """The kept frames."""
        return x * self.mask.to(x)

    def adjoint(self, y: Signal) -> Signal:
        """The kept frames put back, the gap empty."""
        return y * self.mask.to(y)

    def solve(self, y: Signal) -> Signal:
        """A A^T = 1 on the kept frames."""
        return y
