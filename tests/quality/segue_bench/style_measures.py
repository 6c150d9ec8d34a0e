"""What of a wish came true, and what of the music was kept: measures other than those that guidance goes down."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.ndimage import uniform_filter1d

from segue.guidance.curve import Curve
from segue.guidance.operators.loudness import k_weighting
from segue.joint.key import find_key, notes_of
from segue.prior.contract import REFERENCE_RMS
from segue.style.features import FEATURES
from segue.style.style import Style
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE, Case
from segue_bench.scores.control import control_correlation
from segue_bench.scores.onsets import HOP, onset_strength

DENSITY = 0.3
"""Seconds an onset density is taken over: onsets come a quarter of a second apart."""

_RHYTHM = 0.05  # seconds: onsets that lie nearer count as one
_AROUND = 4 * RATE  # samples beside the gap that say what is usual
_POINT = RATE // 20  # samples between the points of a measured curve: several to a unit that is heard
_MOMENT = 2 * RATE // 5  # samples of momentary loudness
_STEP = RATE // 20  # samples from one moment to the next


def followed(case: Case, style: Style, take: Stereo) -> float | None:
    """Correlation of the drawn curve with what is measured in the gap, where the measure hears the gap alone.

    Loudness is momentary loudness by BS.1770's own window; onsets are the bench's onset strength over :data:`DENSITY`.
    None without a curve.
    """
    if not style.follow:
        return None
    name, curve = style.follow[0]
    values, hop, reach = _MEASURES[name](take)
    seconds = (case.gap.start + np.arange(len(values)) * hop) / RATE
    inside = (seconds >= case.gap.start / RATE + reach) & (seconds <= case.gap.stop / RATE - reach)
    return control_correlation(curve.at(seconds[inside]), values[inside])


def own_course(case: Case, name: str) -> Curve:
    """What the real gap does, as a curve to follow, by the measure of :func:`followed`, which finds it there again.

    In LUFS, or in times what is usual in the four seconds on each side, at most the 8 that can be drawn.
    """
    gap = case.gap
    low, high = max(0, gap.start - _AROUND), min(case.original.shape[1], gap.stop + _AROUND)
    values, hop, _ = _MEASURES[name](case.original[:, low:high])
    at = low + np.arange(len(values)) * hop
    inside = (at >= gap.start) & (at < gap.stop)
    if FEATURES[name].summed:
        values = values / max(1e-6, float(values[~inside].mean()))
    drawn = np.clip(values, FEATURES[name].low, FEATURES[name].high)
    chosen = np.flatnonzero(inside)[:: max(1, _POINT // hop)]
    return Curve(tuple((float(at[i]) / RATE, float(drawn[i])) for i in chosen))


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
    return _strength(at_reference(audio), DENSITY), HOP, DENSITY / 2.0


def _loudness(audio: Stereo) -> tuple[Float[np.ndarray, " frames"], int, float]:
    """Momentary loudness of BS.1770: the K-weighted mean square over 0.4 s, all of it weighing the same."""
    samples = audio.shape[1]
    gain = np.sqrt(k_weighting(np.fft.rfftfreq(samples, 1.0 / RATE)))
    weighted = np.fft.irfft(np.fft.rfft(audio) * gain, n=samples)
    power = uniform_filter1d(np.square(weighted).sum(0), _MOMENT, mode="constant")[::_STEP]
    return -0.691 + 10.0 * np.log10(np.maximum(power, 0.0) + 1e-10), _STEP, _MOMENT / 2.0 / RATE


_MEASURES = {"loudness": _loudness, "onsets": _density}
