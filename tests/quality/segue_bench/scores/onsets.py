"""Rhythm: where sounds begin, and how many of the real beginnings a rendering has within 50 ms.

Onset strength is spectral flux: how much the log-mel rises, over 40 bands and both channels (Bello et al. 2005; Boeck
et al. 2012 for the picking).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from segue.tasks.plan import Stereo
from segue_bench.contract import RATE
from segue_export.train.measures import mel_db

N_FFT = 1024
HOP = 256
BANDS = 40
EDGE = N_FFT // 2 // HOP + 1
"""Frames at each end of a signal whose rise hears it reflected."""
REGISTERS = 8
"""Groups of neighbouring bands whose rhythm is known apart: a bass drum and a hi-hat mark different moments."""

TOLERANCE = 0.05
"""Seconds by which two onsets may differ and still count as one; MIREX's and mir_eval's."""

_FLOOR_DB = -40.0  # 46 dB below a track at the reference level: what rises from there is not a beginning one hears
_PEAK = round(0.03 * RATE / HOP)  # frames on each side within which an onset is the strongest
_AROUND = round(0.1 * RATE / HOP)  # frames on each side whose mean it must exceed
_LEAST = 1.0  # by this many dB of mean rise


def onset_strength(audio: Stereo) -> Float[np.ndarray, "registers frames"]:
    """Rise in dB around each frame, mean over channels and the bands of each register, low to high.

    Frame k is centred on sample 256 k; the :data:`EDGE` frames at each end, which would hear it as a beginning, have 0.
    ``audio`` at the reference level, over 512 samples.
    """
    level = np.maximum(mel_db(audio, N_FFT, HOP, BANDS), _FLOOR_DB)
    rise = np.maximum(level[..., 2:] - level[..., :-2], 0.0).mean(0)
    strength = np.pad(rise.reshape(REGISTERS, BANDS // REGISTERS, -1).mean(1), ((0, 0), (1, 1)))
    strength[:, :EDGE] = strength[:, -EDGE:] = 0.0
    return strength


def pick_onsets(registers: Float[np.ndarray, "registers frames"]) -> Float[np.ndarray, " onsets"]:
    """Times in seconds: frames that stand out by 1 dB from 0.1 s around them and are the strongest within 30 ms."""
    strength = registers.mean(0)
    strongest = maximum_filter1d(strength, 2 * _PEAK + 1, mode="constant")
    usual = uniform_filter1d(strength, 2 * _AROUND + 1, mode="nearest")
    found = np.flatnonzero((strength == strongest) & (strength >= usual + _LEAST))
    return found * (HOP / RATE)


def onset_f_measure(real: Float[np.ndarray, " _real"], rendered: Float[np.ndarray, " _rendered"]) -> float | None:
    """Harmonic mean of precision and recall of onset times (sorted, seconds), each matched once within 50 ms.

    None where the real gap has no onset.
    """
    if not len(real):
        return None
    matched = i = j = 0
    while i < len(real) and j < len(rendered):  # the earliest partner first: no other matching has more pairs
        apart = rendered[j] - real[i]
        if abs(apart) <= TOLERANCE:
            matched, i, j = matched + 1, i + 1, j + 1
        elif apart < 0:
            j += 1
        else:
            i += 1
    return 2.0 * matched / (len(real) + len(rendered))
