"""The spectra that several scores share: 44.1 kHz stereo brought to the reference level, an RMS of 0.1 for the track.

Powers are densities: white noise of RMS r reads r^2 in every bin, whatever the transform. Under :data:`FLOOR`, 70 dB
below the reference, all is equally silent: what cannot be heard is no error.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy.fft import next_fast_len, rfft
from torch import Tensor

from segue.tasks.plan import Stereo
from segue_bench.contract import RATE

FLOOR = 1e-9


def frame_power(audio: Stereo, n_fft: int, hop: int) -> Float[Tensor, "2 bins frames"]:
    """Power of Hann-windowed frames, frame k centred on sample k * hop, the ends reflected: over n_fft / 2 samples."""
    window = torch.hann_window(n_fft)
    signal = torch.from_numpy(np.ascontiguousarray(audio, np.float32))
    spectrum = torch.stft(signal, n_fft, hop, window=window, return_complex=True)
    return (spectrum.real.square() + spectrum.imag.square()) / window.square().sum()


def mean_square(signal: Float[np.ndarray, " samples"], low: float = 0.0, high: float = RATE / 2) -> float:
    """Mean square of the part of ``signal`` from ``low`` up to, not including, ``high`` hertz (Parseval)."""
    size = next_fast_len(len(signal), real=True)
    power = np.abs(rfft(signal.astype(np.float64), size)) ** 2
    power[1 : (size + 1) // 2] *= 2.0  # the bins that have a mirror image
    hertz = np.arange(len(power)) * (RATE / size)
    return float(power[(hertz >= low) & (hertz < high)].sum() / size / len(signal))
