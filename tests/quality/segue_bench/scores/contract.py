"""What a score is, and what it is computed from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from segue_bench.scores.heard import Heard
from segue_bench.scores.surroundings import Surroundings

Best = Literal["higher", "lower", "zero", "none"]
"""Which way is better; "none": said beside the others, neither good nor bad by itself."""

Measure = Callable[[Surroundings, Heard, Heard], float | None]
"""(what is known of the case, the real gap, the rendered one) -> value, or None where the score is not defined."""


@dataclass(frozen=True)
class Score:
    """A column of the report. ``unit`` is "" for a pure number; ``meaning`` is one line for people."""

    name: str
    unit: str
    best: Best
    meaning: str


@dataclass(frozen=True)
class ClipScore(Score):
    """A score of one rendering.

    ``against_real``: compares with what really stands in the gap, so it is not defined for a transition, in whose gap
    nothing ever stood.
    """

    measure: Measure
    against_real: bool = True
