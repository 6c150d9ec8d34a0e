"""How well a filled gap sits in its surroundings: the measures that rank candidates and stand in the report.

Audio is (channels, samples) float, 44.1 kHz unless a rate is given; a gap is in its samples. A measure is None where
there is nothing to compare with: a gap without context, or audio too short.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyloudnorm
from jaxtyping import Float, Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import next_fast_len, rfft

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.errors import InvalidRequest

Audio = Float[np.ndarray, "channels _samples"]

FLOOR = 1e-10
"""Power (-100 dBFS) added before logarithms: silence compares as equal to silence."""
CENTRES = 1000.0 * 2.0 ** (np.arange(-15, 13) / 3.0)
"""Third-octave band centres in hertz, 31 Hz to 16 kHz."""

_CONTEXT_SECONDS = 1.5
_LOUDNESS_SECONDS = 0.4  # the momentary window of ITU-R BS.1770 and EBU R 128
_SEAM_SECONDS = 0.03
_FRAME, _HOP, _BANDS = 1024, 256, 24
_POINTS, _FEWEST = 200, 8
_LEAST_DEVIATION = 0.1  # dB; with less, a z-score would call the inaudible an outlier


def third_octave_power(audio: Audio, rate: int = MODEL_RATE) -> Float[np.ndarray, "channels bands"]:
    """Mean square per third-octave band, (channels, bands of :data:`CENTRES`), float64; 0 above Nyquist."""
    size = next_fast_len(max(audio.shape[1], rate // 5), real=True)  # at least 5 Hz a bin: no band is without one
    window = np.hanning(audio.shape[1] + 2)[1:-1]
    power = np.abs(rfft(audio * window, size)) ** 2 * (2.0 / (size * float(window @ window)))
    edges = np.append(CENTRES, CENTRES[-1] * 2.0 ** (1.0 / 3.0)) / 2.0 ** (1.0 / 6.0)
    bins = np.searchsorted(np.arange(power.shape[1]) * rate / size, edges)
    return np.asarray(np.diff(np.pad(np.cumsum(power, axis=1), ((0, 0), (1, 0)))[:, bins], axis=1))


def _contexts(audio: Audio, gap: Span, seconds: float, rate: int) -> list[Audio]:
    """Up to ``seconds`` before and after the gap, where there are samples."""
    reach = int(seconds * rate)
    sides = (audio[:, max(0, gap.start - reach) : gap.start], audio[:, gap.stop : gap.stop + reach])
    return [side for side in sides if side.shape[1]]


def _balance(audio: Audio, gap: Span, rate: int) -> Float[np.ndarray, " bands"] | None:
    """Gap minus contexts in dB per third octave, channels together; bands inaudible in both count as equal."""
    contexts = _contexts(audio, gap, _CONTEXT_SECONDS, rate)
    if not contexts or not gap.length:
        return None
    around = sum(third_octave_power(c, rate).mean(0) * c.shape[1] for c in contexts) / sum(c.shape[1] for c in contexts)
    inside = third_octave_power(audio[:, gap.start : gap.stop], rate).mean(0)
    return np.asarray(10.0 * np.log10((inside + FLOOR) / (around + FLOOR)))


def spectral_balance_db(audio: Audio, gap: Span, rate: int = MODEL_RATE) -> float | None:
    """Mean absolute difference in dB per third octave between the gap and the 1.5 s around it."""
    balance = _balance(audio, gap, rate)
    return None if balance is None else float(np.abs(balance).mean())


def high_band_db(audio: Audio, gap: Span, rate: int = MODEL_RATE) -> float | None:
    """Energy from 9 to 14 kHz in the gap against the 1.5 s around it, in dB: below 0 is duller.

    Raises:
        InvalidRequest: a rate below 32 kHz, which holds no such band.
    """
    if rate < 32_000:
        raise InvalidRequest(f"expected at least 32 kHz to measure 9 to 14 kHz, got {rate} Hz")
    contexts = _contexts(audio, gap, _CONTEXT_SECONDS, rate)
    if not contexts or not gap.length:
        return None
    high = (CENTRES > 8_500.0) & (CENTRES < 15_500.0)  # two third-octave bands
    around = sum(third_octave_power(c, rate)[:, high].sum(1).mean() * c.shape[1] for c in contexts)
    inside = third_octave_power(audio[:, gap.start : gap.stop], rate)[:, high].sum(1).mean()
    return float(10.0 * np.log10((inside + FLOOR) / (around / sum(c.shape[1] for c in contexts) + FLOOR)))


def k_weighted(audio: Audio, rate: int = MODEL_RATE) -> Float[np.ndarray, "channels samples"]:
    """What loudness is the power of: K-weighting as in ITU-R BS.1770-4 (filters of pyloudnorm), from silence on."""
    weighted: Float[np.ndarray, "channels samples"] = audio.astype(np.float64)
    for stage in (
        pyloudnorm.IIRfilter(4.0, math.sqrt(0.5), 1500.0, rate, "high_shelf"),
        pyloudnorm.IIRfilter(0.0, 0.5, 38.0, rate, "high_pass"),
    ):
        weighted = stage.apply_filter(weighted)  # along the last axis
    return weighted


def loudness_jump_db(audio: Audio, gap: Span, rate: int = MODEL_RATE) -> float | None:
    """The largest step of loudness across a seam, in LU: 0.4 s before it against 0.4 s after it.

    K-weighted, ungated, floor -100 LUFS. A side shorter than 0.4 s is measured over what it has; one under 50 ms is not
    measured.
    """
    window = int(_LOUDNESS_SECONDS * rate)
    first = max(0, gap.start - 2 * window)  # the filters settle before the first window
    weighted = k_weighted(audio[:, first : gap.stop + window], rate)

    def level(start: int, stop: int) -> float:
        power = float((weighted[:, start - first : stop - first] ** 2).mean(1).sum())
        return 10.0 * math.log10(power + FLOOR)

    jumps = []
    for seam, low, high in ((gap.start, 0, gap.stop), (gap.stop, gap.start, audio.shape[1])):
        before, after = min(window, seam - low), min(window, high - seam)
        if min(before, after) >= 0.05 * rate:
            jumps.append(abs(level(seam, seam + after) - level(seam - before, seam)))
    return max(jumps, default=None)


def integrated_loudness(audio: Audio, rate: int = MODEL_RATE) -> float | None:
    """Integrated loudness (ITU-R BS.1770, gated) in LUFS; None under 0.4 s, one block of the meter, and for silence."""
    if audio.shape[1] < _LOUDNESS_SECONDS * rate or not audio.any():
        return None
    step = round(_LOUDNESS_SECONDS / 4 * rate)
    whole = audio[:, : audio.shape[1] // step * step]  # the meter would take a block that is cut off for a quiet one
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyloudnorm takes the logarithm of blocks that are silent
        measured = float(pyloudnorm.Meter(rate).integrated_loudness(whole.T.astype(np.float64)))
    return measured if math.isfinite(measured) else None


@dataclass(frozen=True)
class SeamReference:
    """What is usual in a track: mean and standard deviation of flux and jump (dB) at random real points."""

    flux: tuple[float, float]
    jump: tuple[float, float]


def seam_reference(
    audio: Audio, avoid: Iterable[Span] = (), rate: int = MODEL_RATE, *, seed: int = 0
) -> SeamReference | None:
    """Measure up to 200 random points of ``audio`` away from the gaps in ``avoid``; None with room for fewer than 8."""
    reach = int(_SEAM_SECONDS * rate) + _FRAME // 2
    free = np.zeros(audio.shape[1], bool)
    free[reach : max(reach, audio.shape[1] - reach)] = True
    for span in avoid:
        free[max(0, span.start - reach) : span.stop + reach] = False
    places = np.flatnonzero(free)
    if len(places) < _FEWEST * reach:
        return None
    points = np.random.default_rng(seed).choice(places, _POINTS, replace=False)
    flux, jump = _roughness(audio, points, rate)
    deviations = [max(float(v.std()), _LEAST_DEVIATION) for v in (flux, jump)]
    return SeamReference((float(flux.mean()), deviations[0]), (float(jump.mean()), deviations[1]))


def seam_z(audio: Audio, gap: Span, reference: SeamReference, rate: int = MODEL_RATE) -> float | None:
    """The worse seam of a filled gap as a z-score: how unusual for this track are flux and jump within 30 ms of it.

    Flux: the largest mean absolute step in dB over 24 log-spaced bands between frames of 1024 samples, 256 apart. Jump:
    the largest step between two samples, in dB over the RMS of all steps within the 30 ms, so that a click counts in a
    quiet passage. The larger of both z-scores. None where no seam has 30 ms and half a frame on both sides.
    """
    reach = int(_SEAM_SECONDS * rate) + _FRAME // 2
    seams = [s for s in (gap.start, gap.stop) if reach <= s <= audio.shape[1] - reach]
    if not seams:
        return None
    flux, jump = _roughness(audio, np.array(seams), rate)
    return max(
        float((flux.max() - reference.flux[0]) / reference.flux[1]),
        float((jump.max() - reference.jump[0]) / reference.jump[1]),
    )


def _roughness(
    audio: Audio, points: Int[np.ndarray, " points"], rate: int
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Flux and jump in dB within 30 ms of each point; the largest over the channels."""
    half = int(_SEAM_SECONDS * rate)
    around = np.arange(-half - _FRAME // 2, half + _FRAME // 2)
    pieces = audio[:, points[:, None] + around].astype(np.float32)  # (channels, points, samples)
    frames = sliding_window_view(pieces, _FRAME, axis=-1)[..., ::_HOP, :] * np.hanning(_FRAME).astype(np.float32)
    spectrum = rfft(frames)
    power = (spectrum.real**2 + spectrum.imag**2) / _FRAME**2
    edges = np.unique(np.rint(np.geomspace(1, _FRAME // 2, _BANDS + 1)).astype(int))
    level = 10.0 * np.log10(np.add.reduceat(power, edges[:-1], axis=-1) + FLOOR)
    flux = np.abs(np.diff(level, axis=-2)).mean(-1).max(-1)
    steps = np.abs(np.diff(pieces[..., _FRAME // 2 : -_FRAME // 2]))
    usual = (steps**2).mean(-1) + FLOOR
    jump = 10.0 * np.log10((steps.max(-1) ** 2 + FLOOR) / usual)
    return flux.max(0), jump.max(0)
