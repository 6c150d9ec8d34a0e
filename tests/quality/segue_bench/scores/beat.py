"""Beat phase: by how much a rendered gap is early or late against the beat of what surrounds it.

The onset strength of the context, folded at the beat's period, is the profile of a beat; the phase error is the shift
at which the gap's own profile fits it best, register by register. Unlike a list of beat times this needs no onset on
the beat itself, and a dull or thin rendering is judged by the registers it has. Of shifts that fit nearly as well as
the best, the smallest counts: even quavers fit half a beat away as well, and which of the two would win is noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.fft import irfft, rfft

from segue_bench.contract import RATE
from segue_bench.scores.onsets import HOP

CLEAR, CHANCE = 0.1, 1.2
"""Clarity a beat must have: 0.1 and what chance makes of few beats, 1.2 over their number.

On 19 places of training music this parts the beats that real gaps keep to within 5 ms from those they do not.
"""

SHORTEST, LONGEST = 0.3, 1.0
_USUAL, _OCTAVES = 0.5, 1.0  # seconds a beat usually lasts (120 a minute), and the width of that preference
_DRIFT = 0.1  # of a period: what neighbouring candidates differ by at the ends of the context
_FEWEST = 4  # beats of context
_STILL = 1e-6  # deviation in dB under which nothing begins
_ALIKE = 0.9  # of the best match: peaks from there on fit as well
_FINER, _PLATEAU = 81, 0.02  # candidates around the best period, and how far below the top their clarity is the top's

Strength = Float[np.ndarray, "registers _frames"]
Times = Float[np.ndarray, " _frames"]


@dataclass(frozen=True, eq=False)
class BeatGrid:
    """``period`` in seconds; ``profile``: mean onset strength of each register by phase, from 0 at time 0; ``clarity``
    at most 1."""

    period: float
    profile: Float[np.ndarray, "registers phases"]
    clarity: float


def _fold(times: Times, strength: Strength, period: float) -> tuple[Times, Strength]:
    """How many frames fall into each phase of the period, about a frame wide, and the sum of their strengths."""
    phases = max(8, round(period * RATE / HOP))
    place = np.floor(times / period % 1.0 * phases).astype(int) % phases
    total = np.stack([np.bincount(place, register, phases) for register in strength])
    return np.bincount(place, minlength=phases).astype(float), total


def _profile(times: Times, strength: Strength, period: float) -> Strength:
    count, total = _fold(times, strength, period)
    mean = total / np.maximum(count, 1.0)
    profile: Strength = mean - mean.mean(1, keepdims=True)
    return profile


def _clarity(times: Times, strength: Strength, period: float) -> float:
    """Covariance of frames a whole number of periods apart, over the variance: 0 for noise, 1 for a perfect loop.

    ``strength`` has mean 0 and, all registers together, variance 1. Pairs of different beats only, so that few beats do
    not look clear by chance.
    """
    count, total = _fold(times, strength, period)
    pairs = float((count * (count - 1.0)).sum())
    return float((total**2).sum() - (strength**2).sum()) / pairs if pairs > 0.0 else 0.0


def beat_grid(parts: Sequence[tuple[Times, Strength]]) -> BeatGrid | None:
    """The beat of stretches of onset strength, each with its frames' times in seconds; None where none is clear."""
    if not parts:
        return None
    times, strength = np.concatenate([t for t, _ in parts]), np.concatenate([s for _, s in parts], axis=1)
    seconds = len(times) * HOP / RATE
    standard = strength - strength.mean(1, keepdims=True)
    deviation = float(np.sqrt((standard**2).mean(1).sum()))
    if seconds < _FEWEST * SHORTEST or deviation < _STILL:
        return None
    span = float(times.max() - times.min())
    longest = min(LONGEST, seconds / _FEWEST)
    steps = 1 + int(np.ceil((1.0 / SHORTEST - 1.0 / longest) * span / _DRIFT))
    periods = 1.0 / np.linspace(1.0 / SHORTEST, 1.0 / longest, steps)
    clarity = np.array([_clarity(times, standard / deviation, period) for period in periods])
    preference = np.exp(-0.5 * (np.log2(periods / _USUAL) / _OCTAVES) ** 2)
    best = int((clarity * preference).argmax())
    if clarity[best] < CLEAR + CHANCE * periods[best] / seconds:
        return None
    period = _refined(times, standard / deviation, float(periods[best]), _DRIFT / span)
    return BeatGrid(period, _profile(times, strength, period), float(clarity[best]))


def known_grid(times: Times, strength: Strength, period: float) -> BeatGrid:
    """The grid of a beat that is known: ``times`` may count beats, with a ``period`` of 1, where the tempo glides."""
    return BeatGrid(period, _profile(times, strength, period), 1.0)


def _refined(times: Times, strength: Strength, period: float, step: float) -> float:
    """The period within ``step`` hertz: a grid is carried over seconds in which it may not drift."""
    hertz = 1.0 / period + np.linspace(-step, step, _FINER)
    clarity = np.array([_clarity(times, strength, 1.0 / f) for f in hertz])
    return float(1.0 / hertz[clarity >= clarity.max() - _PLATEAU * abs(clarity.max())].mean())


def beat_phase_error_ms(grid: BeatGrid, times: Times, strength: Strength) -> float | None:
    """Size in ms, at most half a beat, of the least shift that lays the gap's profile over the context's.

    A gap in which nothing begins gets a quarter of a beat, what chance would give. None for a gap shorter than a beat.
    """
    if len(times) * HOP / RATE < grid.period:
        return None
    profile = _profile(times, strength, grid.period)
    if profile.std() < _STILL:
        return 250.0 * grid.period
    phases = profile.shape[1]
    match = irfft(rfft(profile) * rfft(grid.profile).conj(), phases).sum(0)
    around = np.r_[match[-1], match, match[0]]
    shift = _nearest_peak(around, lambda k: min(k, phases - k)) / phases % 1.0
    return float(min(shift, 1.0 - shift) * grid.period * 1000.0)


def _nearest_peak(match: Float[np.ndarray, " shifts"], away: Callable[[int], float]) -> float:
    """Of the peaks of ``match`` between its ends that fit nearly as well as the best, the one of least ``away``.

    In shifts from the second; between them by the parabola. The greatest value is one, if there is no peak.
    """
    inner = match[1:-1]
    peaks = np.flatnonzero((inner >= match[:-2]) & (inner >= match[2:]) & (inner >= _ALIKE * inner.max()))
    best = min((int(k) for k in peaks), key=away) if len(peaks) else int(inner.argmax())
    before, at, after = match[best : best + 3]
    curvature = before - 2.0 * at + after
    return best + float(0.5 * (before - after) / curvature if curvature < 0.0 and len(peaks) else 0.0)
