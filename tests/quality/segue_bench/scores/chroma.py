"""Harmony: how alike the pitch classes of real and rendered gap are, moment by moment.

What all twelve classes share (noise, drums) is no harmony: chroma is taken from its mean over the classes, so that two
unrelated sounds are at about 0 instead of about 0.9.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue.tasks.plan import Stereo
from segue_bench.contract import RATE
from segue_bench.scores.spectra import FLOOR, frame_power

N_FFT = 8192
HOP = 2048
LOW, HIGH = 110.0, 5000.0
A4 = 440.0


_SOUNDING = 12.0 * FLOOR**0.5  # amplitude of chroma under which nothing is heard


@cache
def _classes() -> Float[Tensor, "12 bins"]:
    """Weight of each bin in each class: 1 on the note, falling to 0 a semitone away; none outside 110 Hz to 5 kHz."""
    hertz = np.arange(N_FFT // 2 + 1) * (RATE / N_FFT)
    heard = (hertz >= LOW) & (hertz <= HIGH)
    pitch = 12.0 * np.log2(np.where(heard, hertz, A4) / A4) + 9.0  # class 0 is C
    away = np.abs((pitch - np.arange(12)[:, None] + 6.0) % 12.0 - 6.0)
    return torch.from_numpy(np.maximum(0.0, 1.0 - away) * heard).float()


def chroma(audio: Stereo) -> Float[np.ndarray, "12 frames"] | None:
    """Amplitude of each pitch class, C first, above the mean of all, in frames of 0.19 s; None for less than a frame.

    Tuned to 440 Hz and never retuned, so that a detuned rendering is heard as one.
    """
    if audio.shape[1] < N_FFT:
        return None
    amplitude = (_classes() @ frame_power(audio, N_FFT, HOP).mean(0).sqrt()).numpy()
    above: Float[np.ndarray, "12 frames"] = amplitude - amplitude.mean(0)
    return above


def chroma_cosine(real: Float[np.ndarray, "12 frames"], rendered: Float[np.ndarray, "12 frames"]) -> float | None:
    """Mean over the frames of the cosine between the two: 1 is the same harmony at the same time, 0 an unrelated one.

    Frames count by how much harmony the real gap has in them; a rendering that has none there has cosine 0. None where
    the real gap has none at all.
    """
    weight, norm = np.linalg.norm(real, axis=0), np.linalg.norm(rendered, axis=0)
    if weight.max() < _SOUNDING:
        return None
    cosine = (real * rendered).sum(0) / np.maximum(weight * norm, _SOUNDING**2)
    return float(np.average(cosine, weights=weight))
