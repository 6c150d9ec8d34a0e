"""The signal, or an embedding of it, as it is."""

from __future__ import annotations

from dataclasses import dataclass

from segue.guidance.operators.contract import Measurement


@dataclass(frozen=True)
class Identity:
    """A = 1."""

    def __call__(self, x: Measurement) -> Measurement:
        """X itself."""
        return x

    def adjoint(self, y: Measurement) -> Measurement:
        """Y itself."""
        return y

    def solve(self, y: Measurement) -> Measurement:
        """Y itself."""
        return y
