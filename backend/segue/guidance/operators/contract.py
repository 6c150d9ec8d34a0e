"""What a measurement operator is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

Signal = Float[Tensor, "batch channels samples"]
"""Latents (batch, channels, frames) or audio (batch, 2, samples): what an operator measures."""

Measurement = Float[Tensor, "batch *measurement"]


@runtime_checkable
class Operator(Protocol):
    """A: differentiable, item by item."""

    def __call__(self, x: Signal) -> Measurement:
        """A(x), batch first."""


@runtime_checkable
class LinearOperator(Protocol):
    """A linear A of full row rank, which admits the data-consistency projection.

    Where the rows an item has depend on it (a mask, a set of bins), the measurement may be written in the signal's own
    shape with zeros for the rows that do not exist; A A^T is then meant on the rows that do.
    """

    def __call__(self, x: Signal) -> Measurement:
        """A x."""

    def adjoint(self, y: Measurement) -> Signal:
        """A^T y."""

    def solve(self, y: Measurement) -> Measurement:
        """(A A^T)^-1 y."""


def project(A: LinearOperator, x: Signal, y: Measurement) -> Signal:
    """x + A^T (A A^T)^-1 (y - A x): the nearest signal to x that measures y."""
    return x + A.adjoint(A.solve(y - A(x)))
