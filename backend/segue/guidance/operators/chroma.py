"""Chroma over time: how much each of the twelve notes sounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.band_energy import check_analysis, frame_spectrum
from segue.guidance.operators.contract import Signal


@dataclass(frozen=True)
class Chroma:
    """Twelve notes a frame (batch, 12, frames), C first, each frame of length 1.

    On audio (batch, channels, samples) at ``rate`` hertz, channels together, frame k centred on k * ``hop``. A bin
    counts by its amplitude for the note it is nearest to, less the further off it is (Gaussian, ``width`` semitones),
    from ``low`` to ``high`` hertz; A4 is 440 Hz. ``floor`` is added to each bin's power: silence is all notes alike.

    Raises:
        InvalidRequest: a geometry no transform has, a width that is not positive, or no bin between low and high.
    """

    rate: float
    n_fft: int = 8192
    hop: int = 2048
    low: float = 60.0
    high: float = 4000.0
    width: float = 0.5
    floor: float = 1e-10
    _notes: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_analysis(self.rate, self.n_fft, self.hop)
        hertz = torch.arange(1, self.n_fft // 2 + 1, dtype=torch.float64) * (self.rate / self.n_fft)
        inside = (hertz >= self.low) & (hertz <= self.high)
        if not self.width > 0.0 or not bool(inside.any()):
            raise InvalidRequest(
                f"expected a width above 0 and bins between {self.low} and {self.high} Hz, got width {self.width} "
                f"and {int(inside.sum())} bins: use a larger n_fft"
            )
        note = 12.0 * torch.log2(hertz / 440.0) + 9.0  # semitones above a C
        apart = (note - torch.arange(12, dtype=torch.float64)[:, None] + 6.0) % 12.0 - 6.0
        weights = torch.exp(-0.5 * (apart / self.width).square()) * inside
        whole = torch.cat([torch.zeros(12, 1, dtype=torch.float64), weights], 1)
        object.__setattr__(self, "_notes", whole)

    def __call__(self, x: Signal) -> Float[Tensor, "batch 12 frames"]:
        """The notes of each frame."""
        power = frame_spectrum(x, self.n_fft, self.hop).mean(1)
        notes = self._notes.to(x) @ (power + self.floor).sqrt()
        return notes / notes.square().sum(1, keepdim=True).sqrt().clamp_min(math.sqrt(self.floor))
