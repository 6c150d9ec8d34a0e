"""Log-spectral distance over the whole band up to 22.05 kHz."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from segue.tasks.plan import Stereo
from segue_bench.scores.spectra import FLOOR, frame_power

N_FFT = 2048
HOP = 512


def log_spectrum(audio: Stereo) -> Float[np.ndarray, "2 bins frames"]:
    """Level of every bin and frame in dB."""
    level: Float[np.ndarray, "2 bins frames"] = 10.0 * frame_power(audio, N_FFT, HOP).clamp_min(FLOOR).log10().numpy()
    return level


def log_spectral_distance(
    real: Float[np.ndarray, "2 bins frames"], rendered: Float[np.ndarray, "2 bins frames"]
) -> float:
    """Root mean square over the bins of the difference in dB, averaged over frames and channels."""
    return float(np.sqrt(np.square(real - rendered).mean(1)).mean())
