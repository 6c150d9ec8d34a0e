"""Which of many places become a gap's donors: the pair whose foretold difference from the missing music is least.

Others are foretold a little worse. They are the choices of other turns: who asks again wants to hear something else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Integer

from segue.recall.features import HOP, RATE

_JUMP = 0.01
"""What a switch costs for each dB by which the donors differ there, as a share of the mean difference in the gap."""

_SMOOTH = 9  # frames over which the moment to switch is judged
_NEARLY = 1.25  # dB by which another choice may be foretold to be worse than the best
_APART = 0.15  # seconds between the places of two choices: nearer, they are one place

MOST = 8
"""Choices there are at the most."""


@dataclass(frozen=True)
class Chosen:
    """Places (frames of the song) at which the donors stand; ``switch`` in frames of the gap; ``copy``: the best alone.

    ``expected``: the pair's foretold difference, dB.
    """

    left: int
    right: int
    switch: int
    copy: int
    expected: float


def choices(
    features: Float[np.ndarray, "frames bands"],
    places: Integer[np.ndarray, " places"],
    foretold: Float[np.ndarray, "places length"],
    *,
    alone: bool = False,
) -> Iterator[Chosen]:
    """The best choice, then those of places apart from all before that are foretold nearly as well.

    ``alone``: a choice is its one place ``copy``; no pair is wanted. There is one at least.
    """
    best, left = math.inf, np.ones(len(places), bool)
    for _ in range(MOST):
        if not left.any():
            return
        chosen = choose(features, places[left], foretold[left])
        if alone:
            chosen = replace(chosen, left=chosen.copy, right=chosen.copy)
        best = min(best, chosen.expected)
        if chosen.expected > best + _NEARLY:
            return
        yield chosen
        for place in (chosen.left, chosen.right):
            left &= np.abs(places - place) >= _APART * RATE / HOP


def choose(
    features: Float[np.ndarray, "frames bands"],
    places: Integer[np.ndarray, " places"],
    foretold: Float[np.ndarray, "places length"],
) -> Chosen:
    """The donors for a gap of ``length`` frames, of ``places``: the best alone, or a pair where that is better."""
    length = foretold.shape[1]
    alone = foretold.mean(1)
    copy = int(alone.argmin())
    best = (float(alone[copy]), copy, copy, length // 2)
    edge = min(4, length // 3)
    if length > 2 * edge:
        heard = features[places[:, None] + np.arange(length)]
        until = np.concatenate([np.zeros((len(places), 1)), foretold.cumsum(1)], 1)[:, :-1] / length
        for i, left in enumerate(heard):
            cost = until[i] + (alone[:, None] - until) + _JUMP * _smoothed(np.abs(heard - left).mean(2))
            cost[i] = np.inf
            inner = cost[:, edge : length - edge]
            j, switch = np.unravel_index(int(inner.argmin()), inner.shape)
            if inner[j, switch] < best[0]:
                best = (float(inner[j, switch]), i, int(j), int(switch) + edge)
    total, first, second, at = best
    return Chosen(int(places[first]), int(places[second]), at, int(places[copy]), total)


def _smoothed(apart: Float[np.ndarray, "places length"]) -> Float[np.ndarray, "places length"]:
    """The running mean over 9 frames, ends held."""
    reach = _SMOOTH // 2
    padded = np.pad(apart, ((0, 0), (reach + 1, reach)), mode="edge").cumsum(1)
    smooth: Float[np.ndarray, "places length"] = (padded[:, _SMOOTH:] - padded[:, :-_SMOOTH]) / _SMOOTH
    return smooth
