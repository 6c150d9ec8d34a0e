"""Figures that are means over excerpts: intervals over tracks, and paired tests against our default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from segue_bench.report.columns import COLUMNS, Column
from segue_bench.report.figures import ALPHA, BOOTSTRAPS, DEFAULT, FEWEST_TRACKS, Cell, State, Versus
from segue_bench.results import Row
from segue_bench.statistics import Interval, holm, percentile_interval, resampled_counts, wilcoxon

ByExcerpt = Callable[[Sequence[Row], Column], Mapping[str, float]]
"""A column's values of some rows, by excerpt."""


def clip_cells(rows: Sequence[Row]) -> dict[str, Cell]:
    """The figures that are means over excerpts."""
    cells = {}
    for column in COLUMNS:
        values = per_excerpt(rows, column)
        if values:
            tracks = {row.excerpt.name: row.excerpt.track for row in rows}
            interval = clustered_interval(np.array(list(values.values())), [tracks[name] for name in values])
            cells[column.name] = Cell(interval.value, len(values), interval.low, interval.high)
    return cells


def compare_with_default(
    cells: Mapping[str, dict[str, Cell]], rows: Mapping[str, Sequence[Row]], values_of: ByExcerpt
) -> None:
    """Add to the cells how they stand to the default's: one family of tests (Holm) for each column."""
    for column in COLUMNS:
        ours = values_of(rows.get(DEFAULT, ()), column)
        if column.best == "none" or not ours:
            continue
        p, found = {}, {}
        for name, having in rows.items():
            theirs = values_of(having, column) if name != DEFAULT else {}
            shared = [excerpt for excerpt in ours if excerpt in theirs]
            if shared:
                a, b = (np.array([values[e] for e in shared]) for values in (theirs, ours))
                p[name] = wilcoxon(a, b)
                found[name] = Versus(float(a.mean()), float(b.mean()), len(a), _lean(a - b, column), False)
        for name, adjusted in holm(p).items():
            versus = replace(found[name], sure=adjusted < ALPHA, p=adjusted)
            cells[name][column.name] = replace(cells[name][column.name], versus=versus)


def _lean(difference: Float[np.ndarray, " n"], column: Column) -> State:
    """Which way Wilcoxon's signed ranks go."""
    total = float(np.sum(np.sign(difference) * rankdata(np.abs(difference))))
    if total == 0.0:
        return "level"
    return "ahead" if (total < 0.0) == (column.best == "lower") else "behind"


def per_excerpt(rows: Sequence[Row], column: Column) -> dict[str, float]:
    """A column's values by excerpt, averaged over seeds; excerpts for which the score is not defined are left out.

    Empty for columns of sets.
    """
    found: dict[str, list[float]] = {}
    for row in rows:
        if column.kind == "clip" and column.score in row.scores:
            found.setdefault(row.excerpt.name, []).append(row.scores[column.score])
    return {name: float(column.of(np.array(values)).mean()) for name, values in found.items()}


def clustered_interval(values: Float[np.ndarray, " n"], clusters: Sequence[str]) -> Interval:
    """The mean, and its bootstrap over whole clusters; of under FEWEST_TRACKS clusters the interval is unbounded."""
    mean = float(values.mean())
    _, index = np.unique(clusters, return_inverse=True)
    count = int(index.max()) + 1
    if count < FEWEST_TRACKS:
        return Interval(-np.inf, mean, np.inf)
    sums, sizes = np.bincount(index, values), np.bincount(index).astype(float)
    counts = _counts(count)
    return percentile_interval(mean, (counts @ sums) / (counts @ sizes))


@lru_cache
def _counts(clusters: int) -> Float[np.ndarray, "resamples clusters"]:
    return resampled_counts(clusters, BOOTSTRAPS).astype(np.float64)
