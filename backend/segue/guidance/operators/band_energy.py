"""The level of a frequency band over time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.operators.contract import Signal


def check_analysis(rate: float, n_fft: int, hop: int) -> None:
    """Refuse settings no short-time transform can have.

    Raises:
        InvalidRequest: rate not positive, n_fft below 2 or odd, hop outside 1 to n_fft.
    """
    if not (math.isfinite(rate) and rate > 0.0):
        raise InvalidRequest(f"expected a rate above 0 hertz, got {rate}")
    if n_fft < 2 or n_fft % 2 or not 1 <= hop <= n_fft:
        raise InvalidRequest(f"expected an even n_fft and a hop from 1 to n_fft, got n_fft {n_fft} and hop {hop}")


def frame_power(
    audio: Signal, n_fft: int, hop: int, weights: Float[Tensor, " bins"]
) -> Float[Tensor, "batch channels frames"]:
    """Mean square of each Hann-windowed frame after weighting the power of each bin; frame k is centred on k * hop.

    Raises:
        InvalidRequest: the audio is shorter than one frame.
    """
    return (frame_spectrum(audio, n_fft, hop) * weights.to(audio)[:, None]).sum(2)


def frame_spectrum(audio: Signal, n_fft: int, hop: int) -> Float[Tensor, "batch channels bins frames"]:
    """Mean square in each bin of each Hann-windowed frame; frame k is centred on k * hop.

    Summed over the bins, a stationary signal's mean square comes out (Parseval).

    Raises:
        InvalidRequest: the audio is shorter than one frame.
    """
    batch, channels, samples = audio.shape
    if samples < n_fft:
        raise InvalidRequest(f"expected at least {n_fft} samples, one frame, got {samples}; use a smaller n_fft")
    window = torch.hann_window(n_fft, dtype=audio.dtype, device=audio.device)
    spectrum = torch.stft(audio.flatten(0, 1), n_fft, hop, window=window, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    sides = torch.full((n_fft // 2 + 1,), 2.0, dtype=audio.dtype, device=audio.device)
    sides[0] = sides[-1] = 1.0  # the bins that have no mirror image
    scale = sides / (n_fft * window.square().sum())
    return (power * scale[:, None]).reshape(batch, channels, n_fft // 2 + 1, -1)


@dataclass(frozen=True)
class BandEnergy:
    """Level in dB (batch, frames), both channels together, of the bins from ``low`` to ``high`` hertz.

    On audio (batch, channels, samples) at ``rate`` hertz; a full-scale square wave reads 0 dB. ``floor`` is added to
    the power, so that silence has a level (-100 dB by default) and a gradient.

    Raises:
        InvalidRequest: an empty band, or a geometry no transform has.
    """

    rate: float
    low: float
    high: float
    n_fft: int = 2048
    hop: int = 512
    floor: float = 1e-10

    def __post_init__(self) -> None:
        check_analysis(self.rate, self.n_fft, self.hop)
        if not bool(self._band().any()):
            raise InvalidRequest(
                f"expected a band that holds a bin (multiples of {self.rate / self.n_fft:.4g} Hz), "
                f"got {self.low} to {self.high} Hz"
            )

    def _band(self) -> Tensor:
        bins = torch.arange(self.n_fft // 2 + 1) * (self.rate / self.n_fft)
        return (bins >= self.low) & (bins <= self.high)

    def __call__(self, x: Signal) -> Float[Tensor, "batch frames"]:
        """Level per frame in dB."""
        power = frame_power(x, self.n_fft, self.hop, self._band().to(x)).mean(1)
        return 10.0 * torch.log10(power + self.floor)
