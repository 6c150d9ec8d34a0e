"""How far a place of the song is likely to be from the music of a gap, foretold from how far it is beside the gap.

A place whose surroundings differ from the gap's by so many dB, so near to it and in these bands, differs from the gap's
own music by a weighted sum of those differences: linear, with weights that are never negative, for each eighth of the
gap. ``segue_export.train.fit_recall`` finds the weights on training tracks, where the gap's music is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float, Integer
from safetensors.numpy import load_file

from segue.errors import BundleRejected

TIME_EDGES = (0, 4, 11, 22, 43, 64)
"""Frames (23 ms) from the gap's edge outwards: 0 to 0.09, 0.26, 0.5, 1 and 1.5 s."""

BAND_EDGES = (0, 6, 12, 20, 30, 40)
"""Bands of the coarse mel, low to high."""

PARTS = 8
"""Of the gap, from its start to its stop."""

CELLS = (len(TIME_EDGES) - 1) * (len(BAND_EDGES) - 1)

_WEIGHTS = Path(__file__).with_name("weights") / "foretold.safetensors"


@dataclass(frozen=True, eq=False)
class Side:
    """One context of a gap: ``frames`` (time, bands), the nearest to the gap first, NaN where nothing is known.

    ``offset`` and ``step``: frame k of it stands at frame place + offset + step k, for a donor at ``place``.
    """

    frames: Float[np.ndarray, "time bands"]
    offset: int
    step: int


def differences(
    features: Float[np.ndarray, "frames bands"], side: Side, places: Integer[np.ndarray, " places"]
) -> Float[np.ndarray, "places cells"]:
    """Mean absolute difference (dB) between a context and what lies there beside each place, by time and band.

    A stretch of time of which nothing is known is given the value of its nearer neighbour.
    """
    at = places[:, None] + side.offset + side.step * np.arange(len(side.frames))
    apart = np.abs(features[at] - side.frames)
    widths = np.diff(BAND_EDGES)
    by_band = np.add.reduceat(apart, BAND_EDGES[:-1], axis=2) / widths
    known = ~np.isnan(side.frames[:, 0])
    cells = np.zeros((len(places), len(TIME_EDGES) - 1, len(widths)))
    heard = np.flatnonzero(known)
    for t, (low, high) in enumerate(pairwise(TIME_EDGES)):
        inside = heard[(heard >= low) & (heard < high)]
        if len(inside):
            cells[:, t] = by_band[:, inside].mean(1)
        elif t:
            cells[:, t] = cells[:, t - 1]
        else:  # the nearest frames hear the gap: the first that do not stand for them
            cells[:, t] = by_band[:, heard[0]]
    return cells.reshape(len(places), CELLS)


@cache
def fitted() -> dict[str, Float[np.ndarray, "cells_and_one parts"]]:
    """The weights in the package: for "both" contexts, the "left" alone and the "right" alone; the last row is added.

    Raises:
        BundleRejected: the file is not there or not what it should be.
    """
    try:
        weights = load_file(_WEIGHTS)
    except Exception as error:  # safetensors and the system each have their own
        raise BundleRejected(f"cannot read {_WEIGHTS.name} ({error}): install segue again") from error
    for name, cells in (("both", 2 * CELLS), ("left", CELLS), ("right", CELLS)):
        found = weights.get(name)
        if found is None or found.shape != (cells + 1, PARTS) or not np.isfinite(found).all():
            raise BundleRejected(f"expected finite weights {name} of shape {(cells + 1, PARTS)}: install segue again")
    return weights


def foretell(
    left: Float[np.ndarray, "places cells"] | None,
    right: Float[np.ndarray, "places cells"] | None,
    length: int,
    weights: dict[str, Float[np.ndarray, "cells_and_one parts"]] | None = None,
) -> Float[np.ndarray, "places length"]:
    """The difference (dB) to be expected in each of the gap's ``length`` frames, for each place.

    ``left`` and ``right`` as :func:`differences`, None for a context there is not; one of the two is needed.
    """
    return spread_over(foretell_parts(left, right, weights), length)


def foretell_parts(
    left: Float[np.ndarray, "places cells"] | None,
    right: Float[np.ndarray, "places cells"] | None,
    weights: dict[str, Float[np.ndarray, "cells_and_one parts"]] | None = None,
) -> Float[np.ndarray, "places parts"]:
    """As :func:`foretell`, in each of :data:`PARTS` equal parts of the gap."""
    weights = fitted() if weights is None else weights
    name = "both" if left is not None and right is not None else "left" if right is None else "right"
    cells = np.concatenate([side for side in (left, right) if side is not None], 1)
    parts: Float[np.ndarray, "places parts"] = cells @ weights[name][:-1] + weights[name][-1]
    return parts


def spread_over(parts: Float[np.ndarray, "places parts"], length: int) -> Float[np.ndarray, "places length"]:
    """Values of equal parts of a gap as values of its ``length`` frames, interpolated."""
    centres = (np.arange(parts.shape[1]) + 0.5) / parts.shape[1] * length - 0.5
    return np.stack([np.interp(np.arange(length), centres, row) for row in parts])
