"""The common grid of beats: how two tempos become one over the bars around the joint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Times = Float[np.ndarray, " _n"]

SAME = 0.005
"""Seconds by which beats may miss each other within the overlap before anything is stretched for it."""


@dataclass(frozen=True)
class Fold:
    """How beats of two tempos are counted together: grid beats to a beat of the left and of the right track.

    ``ratio``: the right track's tempo over the left one's once they are.
    """

    left: int
    right: int
    ratio: float


def fold(left: float, right: float) -> Fold:
    """Two tempos as the same, or one as half or twice the other, whichever is nearest."""
    choices = [Fold(1, 1, right / left), Fold(2, 1, right / (2.0 * left)), Fold(1, 2, 2.0 * right / left)]
    return min(choices, key=lambda one: abs(np.log(one.ratio)))


def extended(at: Times, places: Times, values: Times) -> Times:
    """``values`` at ``places``, which rise, in straight lines between them, and on beyond the ends as beside them."""
    found: Times = np.interp(at, places, values)
    for edge, inner, beyond in ((0, 1, at < places[0]), (-1, -2, at > places[-1])):
        slope = (values[edge] - values[inner]) / (places[edge] - places[inner])
        found[beyond] = values[edge] + slope * (at[beyond] - places[edge])
    return found


def grid_beats(times: Times, beat: int, multiple: int, before: int, after: int) -> Times:
    """Seconds of ``before`` grid beats before a beat, of itself, and of ``after`` after it; beyond the ends, evenly."""
    places = beat + np.arange(-before, after + 1) / multiple
    return extended(places, np.arange(len(times), dtype=np.float64), times)


def common_grid(left: Times, right: Times) -> Times:
    """Seconds of the grid beats of the output, 0 at the first: from the left track's period to the right one's.

    ``left`` and ``right``: their grid beats over the same stretch; each period is a mean of theirs, in proportions that
    move evenly from the one to the other, so that a track is not stretched where its side of the ramp ends.
    """
    count = len(left) - 1
    share = (np.arange(count) + 0.5) / count
    periods = np.exp((1.0 - share) * np.log(_even(left)) + share * np.log(_even(right)))
    grid: Times = np.concatenate([[0.0], np.cumsum(periods)])
    return grid


def _even(times: Times) -> Times:
    """A beat's length around each beat: means over five, for a beat played late is not a change of tempo."""
    periods = np.diff(times)
    padded = np.pad(periods, 2, mode="edge")
    even: Times = np.convolve(padded, np.full(5, 0.2), mode="valid")
    return even
