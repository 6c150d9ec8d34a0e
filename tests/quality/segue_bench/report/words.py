"""The words of the report, computed: where a baseline beats our default comes first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from segue_bench.report.columns import KEY, Column
from segue_bench.report.figures import DEFAULT, Comparison
from segue_bench.report.table import PARTS, Table, Tables
from segue_bench.results import Row


@dataclass(frozen=True)
class Finding:
    """A method is ahead of our default in one score of one table."""

    condition: str
    part: str
    method: str
    family: str
    column: Column
    comparison: Comparison

    @property
    def text(self) -> str:
        """The score with both figures and, where there is one, p."""
        value, ours = self.comparison.values
        versus = self.comparison.one.versus
        p = "" if versus is None or versus.p is None else f", p {small(versus.p)}"
        unit = f" {self.column.unit}" if self.column.unit else ""
        return f"{self.column.title} {self.column.text(value)} against {self.column.text(ours)}{unit}{p}"


@dataclass(frozen=True)
class Opening:
    """What the report says first. ``lost``: to baselines, beyond chance; ``behind``: by what may be chance, in the
    scores of the targets; ``own``: other methods of ours, and the paper's, that beat our default beyond chance.
    ``compared``: the baselines there were; ``judged``: whether our default was rendered at all.
    """

    lost: tuple[Finding, ...]
    behind: tuple[Finding, ...]
    own: tuple[Finding, ...]
    compared: tuple[str, ...]
    judged: bool

    @property
    def none_lost(self) -> str:
        """What is said where nothing is lost."""
        if not self.judged:
            return "Our default was not rendered in this run: nothing can be said."
        if not self.compared:
            return "No baseline was rendered beside our default: nothing can be said."
        names = ", ".join(self.compared)
        return f"No baseline ({names}) beats our default beyond chance, in any score, condition or part."


def opening(tables: Tables) -> Opening:
    """Compare every method with the default in every score and part."""
    found = list(_ahead(tables))
    lost = tuple(f for f in found if f.family == "baselines" and f.comparison.sure)
    behind = tuple(
        f
        for f in found
        if f.family == "baselines" and not f.comparison.sure and f.column.name in KEY and f.part == "all"
    )
    own = tuple(f for f in found if f.family in {"ours", "paper"} and f.comparison.sure)
    judged = [table for table in _tables(tables) if DEFAULT in table.by_method and table.by_method[DEFAULT].cells]
    beside = {line.method.name for t in judged for line in t.lines if line.method.family == "baselines" and line.cells}
    compared = tuple(method.name for method in tables.facts.methods if method.name in beside)
    return Opening(lost, behind, own, compared, bool(judged))


def _tables(tables: Tables) -> Iterator[Table]:
    for condition in tables.conditions:
        for part in PARTS:
            table = tables.table(condition, part)
            if table is not None:
                yield table


def _ahead(tables: Tables) -> Iterator[Finding]:
    for table in _tables(tables):
        for line in table.lines:
            for column in table.columns:
                comparison = table.compared(column, line.method.name)
                if comparison is not None and comparison.state == "ahead":
                    yield Finding(table.condition, table.part, line.method.name, line.method.family, column, comparison)


def grouped(findings: Iterable[Finding]) -> list[tuple[str, list[tuple[str, str]]]]:
    """By condition and part: each method with its scores, in one line."""
    places: dict[str, dict[str, list[str]]] = {}
    for finding in findings:
        place = finding.condition if finding.part == "all" else f"{finding.condition}, {finding.part}"
        places.setdefault(place, {}).setdefault(finding.method, []).append(finding.text)
    return [(place, [(name, "; ".join(texts)) for name, texts in methods.items()]) for place, methods in places.items()]


@dataclass(frozen=True)
class Trouble:
    """Renderings of a method that are missing: how many, of how many, and why (numbers in the message as first met)."""

    condition: str
    method: str
    kind: str
    count: int
    tried: int
    message: str


def troubles(rows: Sequence[Row]) -> list[Trouble]:
    """What failed and what was refused, messages that differ in numbers alone taken together."""
    tried = Counter((row.condition, row.method) for row in rows)
    counts: Counter[tuple[str, str, str, str]] = Counter()
    first: dict[tuple[str, str, str, str], str] = {}
    for row in rows:
        if row.failure is not None:
            pattern = re.sub(r"\d[\d.,]*", "#", row.failure.message)
            key = (row.failure.kind, row.method, row.condition, pattern)
            counts[key] += 1
            first.setdefault(key, row.failure.message)
    return [
        Trouble(key[2], key[1], key[0], count, tried[key[2], key[1]], first[key])
        for key, count in sorted(counts.items())
    ]


def small(p: float) -> str:
    """A p in two figures; under 0.001 only that."""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def counted(number: int, what: str) -> str:
    """A number of things, in words that agree."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
