"""gap-MR: multi-scale log-mel distance, as codecs are judged by (Kumar et al. 2023, "DAC", and the MR of Levy et al.).

Windows of 32 to 2048 samples, hop a quarter, 5 bands for the shortest and twice as many for each longer one. HTK-mel
bands from 0 to 22.05 kHz; those too narrow to hold a bin are dropped: they would read "equal" for any two sounds.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from jaxtyping import Float
from torch import Tensor

from segue.prior.codecs.mel import mel_filterbank
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE
from segue_bench.scores.spectra import FLOOR, frame_power

WINDOWS: Final = (32, 64, 128, 256, 512, 1024, 2048)
BANDS: Final = (5, 10, 20, 40, 80, 160, 320)

Scales = tuple[Float[np.ndarray, "2 _bands _frames"], ...]


@cache
def _bank(window: int, bands: int) -> Float[Tensor, "kept bins"]:
    bank = mel_filterbank(window, bands, RATE, 0.0, RATE / 2)
    return bank[(bank > 0.0).any(1)]


def log_mels(audio: Stereo) -> Scales:
    """Log10 of the amplitude in each mel band, one array (2, bands, frames) a window."""
    mels = (_bank(w, bands) @ frame_power(audio, w, w // 4) for w, bands in zip(WINDOWS, BANDS, strict=True))
    return tuple(0.5 * mel.clamp_min(FLOOR).log10().numpy() for mel in mels)


def gap_mr(real: Scales, rendered: Scales) -> float:
    """Mean absolute difference at each scale, summed over the scales: log10 of amplitude."""
    return float(sum(np.abs(a - b).mean(dtype=np.float64) for a, b in zip(real, rendered, strict=True)))
