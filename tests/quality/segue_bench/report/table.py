"""Results to tables: one figure a method and score, its interval, and how it compares with our default.

Seeds of an excerpt are averaged before anything is compared or counted. Intervals are bootstraps over tracks, since
excerpts of one track are not independent; Wilcoxon's tests are over excerpts.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from segue.errors import InvalidRequest
from segue_bench.report.clips import clip_cells, compare_with_default
from segue_bench.report.columns import COLUMNS, Column
from segue_bench.report.figures import DEFAULT, REAL, Cell, Comparison, State
from segue_bench.report.sets import Sets, Vectors, vectors
from segue_bench.results import MethodFacts, Results, Row, RunFacts
from segue_export.train.corpus import foreign

MAIN = "infill-2s-song"


@dataclass(frozen=True)
class Line:
    """A method's line. ``units`` of one forward pass and ``seconds`` of wall time: medians over its renderings."""

    method: MethodFacts
    cells: Mapping[str, Cell]
    clips: int
    failed: int
    units: float | None
    seconds: float | None
    peak_mb: float | None


@dataclass(frozen=True)
class Table:
    """All methods on the excerpts of a condition, or on a part of them (``part`` "all", "easy", ..., "test", ...)."""

    condition: str
    part: str
    excerpts: int
    tracks: int
    lines: tuple[Line, ...]

    @cached_property
    def by_method(self) -> dict[str, Line]:
        """Lines by the method's name."""
        return {line.method.name: line for line in self.lines}

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns with at least one figure."""
        return tuple(c for c in COLUMNS if any(c.name in line.cells for line in self.lines))

    def best(self, column: Column, family: str) -> str | None:
        """The method of a family with the best figure; the first of equals."""
        if column.best == "none":
            return None
        having = [line for line in self.lines if line.method.family == family and column.name in line.cells]
        sign = -1.0 if column.best == "higher" else 1.0
        best = min(having, key=lambda line: sign * line.cells[column.name].value, default=None)
        return None if best is None else best.method.name

    def compared(self, column: Column, method: str, other: str = DEFAULT) -> Comparison | None:
        """How ``method`` stands to ``other``; None where one has no figure.

        Against the default, chance is judged on the excerpts both have (:class:`Versus`), else by the intervals.
        """
        one, two = (self.by_method.get(name) for name in (method, other))
        if one is None or two is None or column.name not in one.cells or column.name not in two.cells:
            return None
        a, b = one.cells[column.name], two.cells[column.name]
        versus = a.versus if other == DEFAULT else None
        values = (a.value, b.value) if versus is None else (versus.value, versus.ours)
        state: State = "level"
        if column.better(*values):
            state = "ahead"
        elif column.better(*reversed(values)):
            state = "behind"
        if other == DEFAULT:
            return Comparison(a, b, values, state, versus is not None and versus.sure and versus.leans == state)
        return Comparison(a, b, values, state, a.apart(b))


def _of(package: str) -> Callable[[Row], bool]:
    return lambda row: row.excerpt.package == package


PARTS: Mapping[str, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "easy": lambda row: row.excerpt.recall == "easy",
    "middle": lambda row: row.excerpt.recall == "middle",
    "hard": lambda row: row.excerpt.recall == "hard",
    "test": lambda row: row.excerpt.split == "test",
    "validation": lambda row: row.excerpt.split == "validation",
    "artist heard": lambda row: row.excerpt.heard,
    "artist unheard": lambda row: not row.excerpt.heard,
    **{package.kind: _of(package.name) for package in foreign().values()},
}
"""What tables are split by; a part without excerpts, or with all of them, is left out."""


@dataclass(frozen=True, eq=False)
class Tables:
    """Every row of a run, and the tables made of them."""

    facts: RunFacts
    rows: tuple[Row, ...] = field(repr=False)

    @staticmethod
    def of(results: Results) -> Tables:
        """Read a folder.

        Raises:
            InvalidRequest: it holds no rows, or rows of methods that run.json does not name.
        """
        facts, rows = results.facts(), tuple(results.rows())
        if not rows:
            raise InvalidRequest(f"{results.folder} holds no rows: let segue-bench run make some first")
        unknown = {row.method for row in rows} - {method.name for method in facts.methods}
        if unknown:
            raise InvalidRequest(
                f"{results.folder} holds rows of {', '.join(sorted(unknown))}, which this bench does not know: "
                "delete them, or use the version that made them"
            )
        return Tables(facts, rows)

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions, the main one first, then infills from short to long, then the rest."""

        def order(condition: str) -> tuple[object, ...]:
            row = next(row for row in self.rows if row.condition == condition)
            return condition != MAIN, not row.whole_song, row.task != "infill", row.task, row.gap_seconds

        return tuple(sorted({row.condition for row in self.rows}, key=order))

    def table(self, condition: str, part: str = "all") -> Table | None:
        """The table of a condition's part; None where the part is empty or, but for "all", everything."""
        return self._tables.get((condition, part))

    @cached_property
    def _tables(self) -> dict[tuple[str, str], Table | None]:
        made: dict[tuple[str, str], Table | None] = {}
        for condition in self.conditions:
            rows = [row for row in self.rows if row.condition == condition]
            names = {row.excerpt.name for row in rows}
            for part, belongs in PARTS.items():
                kept = [row for row in rows if belongs(row)]
                whole = {row.excerpt.name for row in kept} == names
                made[condition, part] = (
                    None if not kept or (whole and part != "all") else self._made(condition, part, kept, rows)
                )
        return made

    def _made(self, condition: str, part: str, rows: Sequence[Row], all_rows: Sequence[Row]) -> Table:
        good = {m.name: [r for r in rows if r.method == m.name and r.failure is None] for m in self.facts.methods}
        tried = {m.name: [r for r in rows if r.method == m.name] for m in self.facts.methods}
        sets = Sets(good.get(REAL, []), [r for r in all_rows if r.method == REAL and r.failure is None], self._manifold)
        cells = {
            name: {**sets.cells(having, good.get(DEFAULT, [])), **clip_cells(having)} for name, having in good.items()
        }
        compare_with_default(cells, good, sets.values)
        lines = tuple(
            self._line(method, cells[method.name], good[method.name], tried[method.name])
            for method in self.facts.methods
            if tried[method.name]
        )
        return Table(condition, part, len({r.excerpt.name for r in rows}), len({r.excerpt.track for r in rows}), lines)

    def _line(self, method: MethodFacts, cells: Mapping[str, Cell], good: Sequence[Row], tried: Sequence[Row]) -> Line:
        failed = len(tried) - len(good)
        if not good:
            return Line(method, cells, 0, failed, None, None, None)
        clips = len({row.excerpt.name for row in good})
        seconds = statistics.median(row.seconds for row in good)
        peak = self.facts.peak_mb.get(method.name)
        return Line(method, cells, clips, failed, self.units(good), seconds, peak)

    def units(self, rows: Sequence[Row]) -> float | None:
        """Median cost in forward passes; None where gradients were taken and their cost is not known."""
        cost = self.facts.units
        if cost is None and any(row.vjp for row in rows):
            return None
        return statistics.median(row.forward + (row.vjp * cost.vjp if cost else 0.0) for row in rows)

    @cached_property
    def _manifold(self) -> Vectors:
        """Embeddings of real music: the real gaps of every task in which something real stood, each excerpt once."""
        real = [r for r in self.rows if r.method == REAL and r.failure is None and r.task != "transition"]
        condition = MAIN if any(r.condition == MAIN for r in real) else min((r.condition for r in real), default="")
        return vectors([r for r in real if r.condition == condition])
