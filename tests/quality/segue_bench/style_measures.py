"""What of a wish came true, and what of the music was kept: measures other than those that guidance goes down."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import uniform_filter1d

from segue.guidance.operators.loudness import Loudness
from segue.joint.key import find_key, notes_of
from segue.prior.contract import REFERENCE_RMS
from segue.style.style import Style
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE, Case
from segue_bench.scores.control import control_correlation
from segue_bench.scores.onsets import HOP, onset_strength

DENSITY = 0.3
"""Seconds an onset density is taken over: onsets come a quarter of a second apart."""

_RHYTHM = 0.05  # seconds: onsets that lie nearer count as one
_LOUD = Loudness(float(RATE))  # momentary: frames of 0.37 s


def followed(case: Case, style: Style, take: Stereo) -> float | None:
    """Correlation of the drawn curve with what is measured in the gap, where the measure hears the gap alone.

    Loudness is momentary loudness; onsets are the bench's onset strength over :data:`DENSITY`. None without a curve.
    """
    if not style.follow:
        return None
    name, curve = style.follow[0]
    values, hop, reach = _loudness(take) if name == "loudness" else _density(at_reference(take))
    seconds = (case.gap.start + np.arange(len(values)) * hop) / RATE
    inside = (seconds >= case.gap.start / RATE + reach) & (seconds <= case.gap.stop / RATE - reach)
    return control_correlation(curve.at(seconds[inside]), values[inside])


def kept(original: Stereo, take: Stereo) -> dict[str, Any]:
    """How alike two sounds of one gap are: ``key`` of both, by name and None where there is none, and whether the
    original's is ``clear``; ``rhythm``: correlation of their onset strengths; ``loudness``: mean difference, LU.
    """
    keys = [find_key(notes_of(at_reference(audio))) for audio in (original, take)]
    rises = [_strength(at_reference(audio), _RHYTHM) for audio in (original, take)]
    loud = [_loudness(audio)[0] for audio in (original, take)]
    return {
        "key": [None if key is None else key.name for key in keys],
        "clear": keys[0] is not None and keys[0].clear,
        "rhythm": control_correlation(*rises),
        "loudness": float(np.abs(loud[0] - loud[1]).mean()),
    }


def at_reference(audio: Stereo) -> Stereo:
    """At an RMS of 0.1, where levels in dB mean what the measures take them for."""
    rms = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
    return np.asarray(audio * np.float32(REFERENCE_RMS / max(1e-6, rms)), np.float32)


def _strength(audio: Stereo, seconds: float) -> Float[np.ndarray, " frames"]:
    smoothed = uniform_filter1d(onset_strength(audio).mean(0), max(1, round(seconds * RATE / HOP)))
    return np.asarray(smoothed, np.float64)


def _density(audio: Stereo) -> tuple[Float[np.ndarray, " frames"], int, float]:
    return _strength(audio, DENSITY), HOP, DENSITY / 2.0


def _loudness(audio: Stereo) -> tuple[Float[np.ndarray, " frames"], int, float]:
    lufs = _LOUD(torch.from_numpy(np.ascontiguousarray(audio[None], np.float32)))[0].numpy()
    return lufs.astype(np.float64), _LOUD.hop, _LOUD.n_fft / 2.0 / RATE
