"""Cross-fades a DJ would make of the overlap, without a prior."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.signal import butter, sosfiltfilt

from segue.clip.clip import MODEL_RATE
from segue.tasks.transition import constant_power

Stereo = Float[np.ndarray, "2 samples"]

BASS, TREBLE = 200.0, 2500.0
"""Hertz at which the three bands of a mixer part."""

_HANDOVER = 0.03  # seconds over which the bass is handed over


def cross_fade(tail: Stereo, head: Stereo) -> Stereo:
    """Both at constant power over the whole overlap."""
    falling, rising = constant_power(tail.shape[1])
    faded: Stereo = (falling * tail + rising * head).astype(np.float32)
    return faded


def eq_fade(tail: Stereo, head: Stereo) -> Stereo:
    """The bass is handed over at once on the joint, the middle of the overlap; middle and treble are cross-faded, the
    treble in the first half: at no time are there two bass drums.

    Bands of Linkwitz-Riley's magnitude, fourth order, without delay, and what is left of them: together they are the
    track itself.
    """
    length = tail.shape[1]
    swap = max(1, min(length, round(_HANDOVER * MODEL_RATE)))
    half = max(1, length // 2)
    bands = zip(
        _bands(tail),
        _bands(head),
        (_late(length, (length - swap) // 2, swap), _late(length, 0, length), _late(length, 0, half)),
        strict=True,
    )
    mixed: Stereo = np.sum([out * falling + into * rising for out, into, (falling, rising) in bands], axis=0)
    return mixed.astype(np.float32)


def _bands(audio: Stereo) -> tuple[Stereo, Stereo, Stereo]:
    """Bass, middle and treble, which add up to the audio."""
    below = [_lowpass(audio, hertz) for hertz in (BASS, TREBLE)]
    return below[0], below[1] - below[0], audio - below[1]


def _lowpass(audio: Stereo, hertz: float) -> Stereo:
    sos = butter(2, hertz, fs=MODEL_RATE, output="sos")  # once forwards and once backwards: fourth order, no delay
    reach = min(audio.shape[1] - 1, round(3.0 * MODEL_RATE / hertz) + 1)
    low: Stereo = sosfiltfilt(sos, audio.astype(np.float64), axis=-1, padlen=reach)
    return low


def _late(length: int, start: int, lasts: int) -> tuple[Float[np.ndarray, " samples"], Float[np.ndarray, " samples"]]:
    """Gains at constant power that change over ``lasts`` samples from ``start`` on."""
    falling, rising = constant_power(lasts)
    rest = length - start - lasts
    return np.pad(falling, ((start, rest)), constant_values=(1.0, 0.0)), np.pad(
        rising, (start, rest), constant_values=(0.0, 1.0)
    )
