"""Balance: loudness, energy where dull renderings lose it, and the width of the stereo picture."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from segue.clip.analysis import k_weighted
from segue.tasks.plan import Stereo
from segue_bench.scores.spectra import FLOOR, mean_square

LOW, HIGH = 8_000.0, 16_000.0


def _ratio_db(above: float, below: float) -> float:
    return 10.0 * math.log10((above + FLOOR) / (below + FLOOR))


def loudness_error_lu(real: Stereo, rendered: Stereo) -> float:
    """Loudness over the whole gap, K-weighted, ungated, against the real gap's in LU; below 0 is quieter."""
    a, b = (float(np.mean(k_weighted(audio) ** 2)) for audio in (rendered, real))
    return _ratio_db(a, b)


def high_band_error_db(real: Stereo, rendered: Stereo) -> float:
    """Energy from 8 to 16 kHz, both channels together, against the real gap's in dB; below 0 is duller."""
    a, b = (sum(mean_square(channel, LOW, HIGH) for channel in audio) / 2 for audio in (rendered, real))
    return _ratio_db(a, b)


def side_ratio_db(audio: Stereo) -> float:
    """Energy of the side signal (left - right) against the mid's (left + right) in dB; very low for mono."""
    mid: Float[np.ndarray, " samples"] = audio[0] + audio[1]
    side: Float[np.ndarray, " samples"] = audio[0] - audio[1]
    return _ratio_db(float(np.mean(side**2, dtype=np.float64)) / 2, float(np.mean(mid**2, dtype=np.float64)) / 2)


def side_error_db(real: Stereo, rendered: Stereo) -> float:
    """How much wider (above 0) or narrower than the real gap, in dB of side against mid."""
    return side_ratio_db(rendered) - side_ratio_db(real)
