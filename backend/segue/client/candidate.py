"""A way to fill a gap, heard while the rest is still rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

Audio = Float32[np.ndarray, "_channels _samples"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """``gaps``: audio by index of the gap, in order of time, at the track's own rate and channel count.

    ``number`` is new in its job; ``rank``: from 1, among those so far; ``method`` and ``how`` it was made; ``score``:
    lower is better, None while unknown; ``seed`` where it has one of its own.
    """

    number: int
    rank: int
    method: str
    how: str
    score: float | None
    seed: int | None
    gaps: Mapping[int, Audio] = field(repr=False)


CandidateCallback = Callable[[Candidate], None]
"""Told of each candidate as soon as all its audio is there."""
