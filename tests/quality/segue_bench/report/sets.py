"""Figures of sets: how far all of a method's gaps together are from the real ones, and how its seeds differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from segue_bench.report.clips import per_excerpt
from segue_bench.report.columns import DIVERSITY, KAD, REALISM, Column
from segue_bench.report.figures import BOOTSTRAPS, DEFAULT, FEWEST_TRACKS, Cell, Versus
from segue_bench.results import Row
from segue_bench.scores.diversity import embedding_diversity
from segue_bench.scores.kad import bandwidth_of, gap_kad_drawn
from segue_bench.scores.realism import NEIGHBOURS, realism, relative_realism
from segue_bench.statistics import percentile_interval

Vectors = Float[np.ndarray, "_rows features"]


@dataclass(frozen=True, eq=False)
class Sets:
    """Makes them: ``real``: rows of the real gaps, ``all_real``: those of the whole condition, which give the bandwidth
    to all its parts; ``manifold``: embeddings of real music.
    """

    real: Sequence[Row]
    all_real: Sequence[Row]
    manifold: Vectors

    def cells(self, rows: Sequence[Row], default: Sequence[Row]) -> dict[str, Cell]:
        """Those of a method; empty without real gaps of the same excerpts."""
        by_excerpt = {row.excerpt.name: row for row in self.real}
        paired = [row for row in rows if row.excerpt.name in by_excerpt]
        if not paired:
            return {}
        references = vectors([by_excerpt[row.excerpt.name] for row in paired])
        cells = {}
        clips = len({row.excerpt.name for row in paired})
        if self.realism(paired):
            cells[REALISM] = self._realism(paired)
        elif rows[0].task != "transition" and len(_tracks(paired)) > 1:
            cells[KAD] = replace(self._kad(paired), clips=clips, versus=self._versus(paired, default))
        diversity = _diversity(paired, references)
        if diversity is not None:
            cells[DIVERSITY] = Cell(diversity, clips)
        return cells

    def _kad(self, rows: Sequence[Row]) -> Cell:
        value, drawn = self._drawn(rows)
        if len(_tracks(rows)) < FEWEST_TRACKS:
            return Cell(value, 0, -np.inf, np.inf)
        found = percentile_interval(value, drawn)
        return Cell(value, 0, found.low, found.high)

    def _versus(self, rows: Sequence[Row], default: Sequence[Row]) -> Versus | None:
        """The difference to the default's KAD on the excerpts both have."""
        if rows[0].method == DEFAULT:
            return None
        shared = {row.excerpt.name for row in rows} & {row.excerpt.name for row in default}
        ours, theirs = ([row for row in having if row.excerpt.name in shared] for having in (default, rows))
        if len(_tracks(theirs)) < 2:
            return None
        (a, drawn_a), (b, drawn_b) = self._drawn(theirs), self._drawn(ours)
        difference = percentile_interval(a - b, drawn_a - drawn_b)
        sure = len(_tracks(theirs)) >= FEWEST_TRACKS and (difference.low > 0.0 or difference.high < 0.0)
        return Versus(a, b, len(shared), "ahead" if a < b else "behind" if a > b else "level", sure)

    def _drawn(self, rows: Sequence[Row]) -> tuple[float, Float[np.ndarray, " drawn"]]:
        by_excerpt = {row.excerpt.name: row for row in self.real}
        real = vectors([by_excerpt[row.excerpt.name] for row in rows])
        return gap_kad_drawn(real, vectors(rows), groups=_groups(rows), bandwidth=self._bandwidth, resamples=BOOTSTRAPS)

    def realism(self, rows: Sequence[Row]) -> dict[str, float]:
        """Realism by excerpt, averaged over seeds; of transitions alone, and only if there is enough real music."""
        if not rows or rows[0].task != "transition" or len(self.manifold) < 2 * (NEIGHBOURS + 1):
            return {}
        found: dict[str, list[float]] = {}
        for row, value in zip(rows, realism(self.manifold, vectors(rows)), strict=True):
            found.setdefault(row.excerpt.name, []).append(float(value))
        return {name: float(np.mean(values)) for name, values in found.items()}

    def _realism(self, rows: Sequence[Row]) -> Cell:
        """Against the constant-power cross-fade, which is the real line of a transition."""
        ours, theirs = self.realism(rows), self.realism(self.real)
        track = {row.excerpt.name: row.excerpt.track for row in rows}
        groups = np.unique([track[excerpt] for excerpt in ours], return_inverse=True)[1]
        values, reference = np.array(list(ours.values())), np.array([theirs[excerpt] for excerpt in ours])
        found = relative_realism(values, reference, groups, BOOTSTRAPS)
        if len(_tracks(rows)) < FEWEST_TRACKS:
            return Cell(found.value, len(ours), -np.inf, np.inf)
        return Cell(found.value, len(ours), found.low, found.high)

    def values(self, rows: Sequence[Row], column: Column) -> Mapping[str, float]:
        """A column's values by excerpt, for paired tests; empty for those that only a whole set has."""
        return self.realism(rows) if column.name == REALISM else per_excerpt(rows, column)

    @cached_property
    def _bandwidth(self) -> float:
        return bandwidth_of(vectors(self.all_real))


def vectors(rows: Sequence[Row]) -> Vectors:
    return np.array([row.embedding for row in rows], np.float64) if rows else np.zeros((0, 0))


def _tracks(rows: Sequence[Row]) -> set[str]:
    return {row.excerpt.track for row in rows}


def _groups(rows: Sequence[Row]) -> Int[np.ndarray, " rows"]:
    return np.unique([row.excerpt.track for row in rows], return_inverse=True)[1]


def _diversity(rows: Sequence[Row], real: Vectors) -> float | None:
    by_excerpt: dict[str, list[Row]] = {}
    for row in rows:
        by_excerpt.setdefault(row.excerpt.name, []).append(row)
    several = [vectors(seeds) for seeds in by_excerpt.values() if len(seeds) > 1]
    places = np.unique(real, axis=0)
    return embedding_diversity(several, places) if several and len(places) > 1 else None
