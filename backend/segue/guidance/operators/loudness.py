"""Loudness over time, as BS.1770 weights it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.signal import freqz
from torch import Tensor

from segue.guidance.operators.band_energy import check_analysis, frame_power
from segue.guidance.operators.contract import Signal

# ITU-R BS.1770-4, tables 1 and 2: the shelf and the high-pass of K-weighting at 48 kHz.
_SHELF = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
_HIGH_PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
_OFFSET = -0.691


def k_weighting(hertz: Float[np.ndarray, " bins"]) -> Float[np.ndarray, " bins"]:
    """Power gain of the two K-weighting filters at these frequencies; from 24 kHz up, that at 24 kHz."""
    audible = np.minimum(hertz, 24000.0)
    gain: Float[np.ndarray, " bins"] = np.ones_like(audible)
    for b, a in (_SHELF, _HIGH_PASS):
        _, response = freqz(b, a, worN=audible, fs=48000.0, include_nyquist=True)
        gain = gain * np.abs(response) ** 2
    return gain


@dataclass(frozen=True)
class Loudness:
    """Loudness in LUFS (batch, frames), ungated, per frame of ``n_fft`` samples every ``hop``; all channels weigh 1.

    On audio (batch, channels, samples) at ``rate`` hertz. The default frame at 44.1 kHz is 0.37 s, close to the 0.4 s
    of momentary loudness. ``floor`` is added to the power, so that silence has a level and a gradient.
    """

    rate: float
    n_fft: int = 16384
    hop: int = 4096
    floor: float = 1e-10

    def __post_init__(self) -> None:
        check_analysis(self.rate, self.n_fft, self.hop)

    def __call__(self, x: Signal) -> Float[Tensor, "batch frames"]:
        """Loudness per frame in LUFS."""
        hertz = np.arange(self.n_fft // 2 + 1) * (self.rate / self.n_fft)
        power = frame_power(x, self.n_fft, self.hop, torch.from_numpy(k_weighting(hertz)).to(x)).sum(1)
        return _OFFSET + 10.0 * torch.log10(power + self.floor)
