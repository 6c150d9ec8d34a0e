"""Brightness over time: the centroid of the spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from segue.guidance.operators.band_energy import check_analysis, frame_spectrum
from segue.guidance.operators.contract import Signal


@dataclass(frozen=True)
class Brightness:
    """Octaves above 1 kHz (batch, frames) of the mean frequency, each bin weighed by its amplitude.

    On audio (batch, channels, samples) at ``rate`` hertz, frame k centred on k * ``hop``. Amplitudes and not powers:
    the bass would hide the rest. ``floor`` is added to each bin's power, so that silence has a brightness, that of
    white noise, and a gradient; so little that the bass alone is as dark as it is.
    """

    rate: float
    n_fft: int = 4096
    hop: int = 2048
    floor: float = 1e-16

    def __post_init__(self) -> None:
        check_analysis(self.rate, self.n_fft, self.hop)

    def __call__(self, x: Signal) -> Float[Tensor, "batch frames"]:
        """Brightness per frame in octaves above 1 kHz."""
        spectrum = frame_spectrum(x, self.n_fft, self.hop)
        amplitude = (spectrum.mean(1) + self.floor).sqrt()
        hertz = torch.arange(self.n_fft // 2 + 1, dtype=x.dtype, device=x.device) * (self.rate / self.n_fft)
        centroid = (amplitude * hertz[:, None]).sum(1) / amplitude.sum(1)
        return torch.log2(centroid / 1000.0)
