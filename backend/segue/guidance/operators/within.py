"""Some frames of another operator's measurement: what a stretch of the audio measures, its surroundings heard too."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.contract import Measurement, Operator, Signal


@dataclass(frozen=True)
class Within:
    """Frames ``first`` to ``last`` (exclusive) of ``operator``, whose frames are its last axis.

    Raises:
        InvalidRequest: no frames, or more than the operator gives.
    """

    operator: Operator
    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.last:
            raise InvalidRequest(f"expected frames from 0 up and at least one, got {self.first} to {self.last}")

    def __call__(self, x: Signal) -> Measurement:
        """The frames."""
        measured: Tensor = self.operator(x)
        if measured.shape[-1] < self.last:
            raise InvalidRequest(f"expected at least {self.last} frames, got {measured.shape[-1]}: give more audio")
        return measured[..., self.first : self.last]
