"""The columns of the tables: how the scores of many clips become one figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from segue_bench.scores.contract import Score
from segue_bench.scores.registry import SCORES, SET_SCORES

KAD, MR, SEAM = "gap_kad", "gap_mr", "seam_z"
REALISM, DIVERSITY = "realism", "embedding_diversity"
MEL, LOUDNESS, HIGH_BAND = "mel_distance", "loudness_error", "high_band_error"
PASSED, SEAM_LIMIT = "seam_passed", 2.0
"""The share of clips whose seam z is under 2."""

KEY = (KAD, MR, SEAM)
"""What the targets speak of."""

_TITLES = {
    KAD: "gap-KAD",
    "gap_fad": "gap-FAD",
    "gap_kld": "gap-KLD",
    MR: "gap-MR",
    MEL: "mel",
    "log_spectral_distance": "LSD",
    LOUDNESS: "loudness",
    HIGH_BAND: "8-16 kHz",
    "side_error": "side",
    "chroma_cosine": "chroma",
    "onset_f": "onset F",
    "beat_phase_error": "beat",
    SEAM: "seam z",
    "loudness_jump": "jump",
    "loudness_dip": "dip",
    DIVERSITY: "diversity",
}

Values = Float[np.ndarray, " values"]


@dataclass(frozen=True)
class Column:
    """A column, of clips (a mean over excerpts) or of a whole set; ``score``: what rows hold of it."""

    name: str
    score: str
    title: str
    unit: str
    best: Literal["higher", "lower", "none"]
    meaning: str
    kind: Literal["clip", "set"]
    decimals: int
    around_zero: bool = False

    def of(self, values: Values) -> Values:
        """A row's scores as the column averages and compares them: errors around zero by their size, shares in %."""
        if self.name == PASSED:
            return np.where(values < SEAM_LIMIT, 100.0, 0.0)
        return np.abs(values) if self.around_zero else values

    def better(self, one: float, other: float) -> bool:
        """Whether the figure ``one`` is better than ``other``."""
        return one > other if self.best == "higher" else one < other if self.best == "lower" else False

    def text(self, value: float) -> str:
        """The figure as printed; what rounds to 0 has no sign."""
        return f"{round(value, self.decimals) + 0.0:.{self.decimals}f}"


def _column(score: Score, kind: Literal["clip", "set"]) -> Column:
    zero = score.best == "zero"
    return Column(
        score.name,
        score.name,
        _TITLES.get(score.name, score.name.replace("_", " ")),
        score.unit,
        "lower" if score.best == "zero" else score.best,
        f"size of: {score.meaning}" if zero else score.meaning,
        kind,
        1 if score.unit in {"ms", "x1000"} else 2,
        zero,
    )


def _columns() -> tuple[Column, ...]:
    sets = {score.name: _column(score, "set") for score in SET_SCORES}
    made = [sets[KAD]]
    for score in SCORES:
        made.append(_column(score, "clip"))
        if score.name == SEAM:
            meaning = "clips whose worst seam has a z under 2: no click or break that stands out"
            made.append(Column(PASSED, SEAM, "z < 2", "%", "higher", meaning, "clip", 0))
    return (*made, sets[REALISM], sets[DIVERSITY])


COLUMNS = _columns()
"""All of them; a table has those for which it has figures."""
