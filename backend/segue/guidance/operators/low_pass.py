"""Keep what is slow: the part of a signal below a cut-off frequency."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.contract import Signal


@dataclass(frozen=True)
class LowPass:
    """The bins of the signal's discrete Fourier transform up to ``cutoff`` hertz; ``rate`` in frames per second.

    An orthogonal projector: symmetric and its own square. The measurement is the low-passed signal in the signal's own
    shape; on the rows that exist (the bins kept) A A^T = 1.

    Raises:
        InvalidRequest: cutoff negative or above half the rate.
    """

    cutoff: float
    rate: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate) and 0.0 <= self.cutoff <= self.rate / 2.0):
            raise InvalidRequest(
                f"expected a cut-off between 0 and half the rate ({self.rate} per second), got {self.cutoff} Hz"
            )

    def __call__(self, x: Signal) -> Signal:
        """The slow part."""
        frames = x.shape[-1]
        spectrum = torch.fft.rfft(x)
        kept = torch.fft.rfftfreq(frames, 1.0 / self.rate, device=x.device) <= self.cutoff
        slow: Tensor = torch.fft.irfft(spectrum * kept, n=frames)
        return slow

    def adjoint(self, y: Signal) -> Signal:
        """A^T = A."""
        return self(y)

    def solve(self, y: Signal) -> Signal:
        """A A^T = 1 on the bins kept."""
        return y
