"""The targets of the project, each met or not met, with the figures it was judged by.

"Beats" is: ahead beyond chance on the same excerpts (:class:`segue_bench.report.figures.Versus`), and where the target
says so with 95 % intervals that do not touch. "Loses" is the same the other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from segue_bench.report.columns import (
    COLUMNS,
    DIVERSITY,
    HIGH_BAND,
    KAD,
    KEY,
    LOUDNESS,
    MEL,
    MR,
    SEAM,
    SEAM_LIMIT,
    Column,
)
from segue_bench.report.figures import DEFAULT, REAL, Cell, Comparison
from segue_bench.report.table import MAIN, Table, Tables
from segue_bench.report.words import counted, small

PAPER = "ddpm-50 guided"
SPLICE, CONTEXT_SPLICE = "splice", "context splice"
COPIES = ("copy", SPLICE)
JANSSEN, JANSSEN_SECONDS = "janssen", 0.08
MOST_UNITS, PAPER_UNITS = 20.0, 100.0
SEAMS_PERCENT = 95.0
NEARER = {"all": 15.0, "hard": 25.0}
"""Per cent by which the mel distance is to be below the splice's, by part."""
WITHIN = {HIGH_BAND: 1.5, LOUDNESS: 1.0}
"""By how much the median rendering may be off."""
ELSEWHERE, DIVERSE = "elsewhere", 0.5
_BY_NAME = {column.name: column for column in COLUMNS}


@dataclass(frozen=True)
class Target:
    """A promise, whether it is kept (None: nothing to judge it by), and the figures."""

    promise: str
    met: bool | None
    figures: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """In words."""
        return "not measured" if self.met is None else "met" if self.met else "not met"


def targets(tables: Tables) -> tuple[Target, ...]:
    """All six; where several seeds were rendered, that they differ as well."""
    judged = (
        _cheaper_than_paper(tables),
        _better_than_copies(tables),
        _seams(tables),
        _no_loss_to_janssen(tables),
        _nearer_than_the_splice(tables),
        _balanced(tables),
    )
    diverse = _diverse(tables)
    return judged if diverse.met is None else (*judged, diverse)


def _judged(promise: str, checks: Sequence[tuple[bool, str]], notes: Sequence[str] = ()) -> Target:
    met = all(kept for kept, _ in checks) if checks else None
    figures = [f"{'yes' if kept else 'NO'}: {text}" for kept, text in checks]
    return Target(promise, met, (*figures, *notes))


def _cheaper_than_paper(tables: Tables) -> Target:
    checks: list[tuple[bool, str]] = []
    notes: list[str] = []
    for table in _of(tables, lambda c: c.startswith("infill-2s-")):
        ours, theirs = table.by_method.get(DEFAULT), table.by_method.get(PAPER)
        if ours is None or theirs is None or ours.units is None or theirs.units is None:
            continue
        checks.append(
            (
                ours.units <= MOST_UNITS and theirs.units >= PAPER_UNITS,
                f"{table.condition}: {ours.units:.0f} units against {theirs.units:.0f} "
                f"(asked for: at most {MOST_UNITS:g}, at least {PAPER_UNITS:g})",
            )
        )
        for name in (KAD, MR):
            checks += _beaten(table, _BY_NAME[name], PAPER, by_intervals=True)
        notes += _frugal(table)
    promise = (
        "Our default at 20 units or fewer beats the paper's DDPM-50 with gradient (100 units or more) on gap-KAD and "
        "gap-MR with separated intervals"
    )
    return _judged(promise, checks, notes)


def _frugal(table: Table) -> Iterator[str]:
    """What is within the units, if the default is not: said, but it decides nothing."""
    for line in table.lines:
        within = line.method.family == "ours" and line.units is not None and line.units <= MOST_UNITS
        if not within or line.method.name == DEFAULT or KAD not in line.cells or MR not in line.cells:
            continue
        figures = ", ".join(f"{_BY_NAME[name].title} {figure(_BY_NAME[name], line.cells[name])}" for name in (KAD, MR))
        yield f"beside it, {table.condition}: {line.method.name}, {line.units:.0f} units: {figures}"


def _better_than_copies(tables: Tables) -> Target:
    checks: list[tuple[bool, str]] = []
    for name in COPIES:
        for column in (_BY_NAME[key] for key in KEY):
            hard = tables.table(MAIN, "hard")
            if hard is not None:
                checks += _beaten(hard, column, name)
            for part in ("easy", "middle"):
                table = tables.table(MAIN, part)
                if table is not None:
                    checks += _not_lost(table, column, name)
    promise = (
        "Our default beats best-match copy and the splice on the hard third on gap-KAD, gap-MR and seam z, and ties or "
        f"beats them on the rest (judged on {MAIN}; the rest: easy and middle, where it may not lose beyond chance)"
    )
    return _judged(promise, checks)


def _nearer_than_the_splice(tables: Tables) -> Target:
    checks: list[tuple[bool, str]] = []
    notes: list[str] = []
    for part, wanted in NEARER.items():
        table = tables.table(MAIN, part)
        for name in (SPLICE, CONTEXT_SPLICE):
            compared = None if table is None else table.compared(_BY_NAME[MEL], name)
            if table is None or compared is None:
                continue
            theirs, ours = compared.values
            below = 100.0 * (1.0 - ours / theirs)
            text = f"{_said(table, _BY_NAME[MEL], name, compared)}: {below:.1f} % below"
            if name == SPLICE:
                checks.append((below >= wanted, f"{text} (asked for: {wanted:g} %)"))
            else:
                notes.append(f"beside it, {text}")
    promise = (
        f"Our default's mel distance is {NEARER['all']:g} % below the splice's or more, {NEARER['hard']:g} % on the "
        f"hard third (judged on {MAIN})"
    )
    return _judged(promise, checks, notes)


def _balanced(tables: Tables) -> Target:
    checks: list[tuple[bool, str]] = []
    for name, most in WITHIN.items():
        column = _BY_NAME[name]
        sizes, splices = (
            [abs(r.scores[name]) for r in tables.rows if (r.condition, r.method) == (MAIN, method) and name in r.scores]
            for method in (DEFAULT, SPLICE)
        )
        if sizes:
            beside = f"; the splice {median(splices):.2f}" if splices else ""
            text = f"{column.title}: {median(sizes):.2f} {column.unit} off in the median{beside}"
            checks.append((median(sizes) <= most, f"{text} (asked for: at most {most:g})"))
    promise = (
        f"Our default is within {WITHIN[HIGH_BAND]:g} dB of the real gap from 8 to 16 kHz and within "
        f"{WITHIN[LOUDNESS]:g} LU in loudness, in the median (judged on {MAIN})"
    )
    return _judged(promise, checks)


def _seams(tables: Tables) -> Target:
    rows = [row for row in tables.rows if row.failure is None and SEAM in row.scores]
    ours = [row for row in rows if row.method == DEFAULT]
    checks: list[tuple[bool, str]] = []
    for condition in ("all clips", *tables.conditions):
        shares = [
            _share([r.scores[SEAM] for r in rows if r.method == method and condition in {"all clips", r.condition}])
            for method in (DEFAULT, REAL)
        ]
        if shares[0] is not None:
            beside = "" if shares[1] is None else f"; the real music itself {shares[1]:.1f} %"
            checks.append((shares[0] >= SEAMS_PERCENT, f"{condition}: {shares[0]:.1f} %{beside}"))
    promise = "Seam z is under 2 on 95 % of our default's clips (judged over all clips of the run)"
    target = _judged(promise, checks[:1] if ours else [])
    return replace(target, figures=tuple(f"{'yes' if kept else 'NO'}: {text}" for kept, text in checks))


def _share(z: Sequence[float]) -> float | None:
    return 100.0 * sum(value < SEAM_LIMIT for value in z) / len(z) if z else None


def _no_loss_to_janssen(tables: Tables) -> Target:
    checks: list[tuple[bool, str]] = []
    short = {r.condition for r in tables.rows if r.task == "infill" and r.gap_seconds <= JANSSEN_SECONDS}
    for table in _of(tables, lambda c: c in short):
        for column in table.columns:
            if column.best != "none":
                checks += _not_lost(table, column, JANSSEN)
    promise = "Our default does not lose to Janssen's interpolation up to 80 ms (judged by every score)"
    lost = [check for check in checks if not check[0]]
    target = _judged(promise, checks)
    if target.met and all("level" in text for _, text in checks):
        return replace(target, figures=(f"yes: level in all {len(checks)} figures, as gaps this short go to Janssen",))
    return replace(target, figures=tuple(f"NO: {text}" for _, text in lost) or target.figures)


def _diverse(tables: Tables) -> Target:
    checks: list[tuple[bool, str]] = []
    for table in _of(tables, lambda c: True):
        ours, most = (table.by_method.get(name) for name in (DEFAULT, ELSEWHERE))
        if ours is None or most is None or not {DIVERSITY} <= ours.cells.keys() & most.cells.keys():
            continue
        one, other = (line.cells[DIVERSITY].value for line in (ours, most))
        checks.append(
            (one > DIVERSE * other, f"{table.condition}: {one:.2f} against {other:.2f}: {one / other:.2f} of it")
        )
    promise = "Seeds of our default differ by more than half of what any places of the song do, heard in the same gap"
    return _judged(promise, checks)


def _of(tables: Tables, wanted: Callable[[str], bool]) -> Iterator[Table]:
    for condition in tables.conditions:
        table = tables.table(condition)
        if table is not None and wanted(condition):
            yield table


def _beaten(table: Table, column: Column, method: str, *, by_intervals: bool = False) -> Iterator[tuple[bool, str]]:
    """Whether the default beats ``method``."""
    compared = table.compared(column, method)
    if compared is None:
        return
    kept = compared.loses if not by_intervals else compared.state == "behind" and compared.one.apart(compared.other)
    apart = "" if not by_intervals else f", {_apart(column, compared)}"
    yield kept, _said(table, column, method, compared) + apart


def _apart(column: Column, compared: Comparison) -> str:
    if not interval(column, compared.one) or not interval(column, compared.other):
        return "no intervals of so few tracks"
    return "intervals apart" if compared.one.apart(compared.other) else "intervals touch"


def _not_lost(table: Table, column: Column, method: str) -> Iterator[tuple[bool, str]]:
    """Whether the default ties or beats ``method``."""
    compared = table.compared(column, method)
    if compared is not None:
        yield not compared.wins, _said(table, column, method, compared)


def _said(table: Table, column: Column, method: str, compared: Comparison) -> str:
    part = "" if table.part == "all" else f", {table.part} ({counted(table.excerpts, 'excerpt')})"
    figures = f"{figure(column, compared.other)} against {method} {figure(column, compared.one)}"
    if compared.one.clips != compared.other.clips and compared.one.versus is not None:
        value, ours = (column.text(shared) for shared in compared.values)
        figures += f" (on the {counted(compared.one.versus.clips, 'excerpt')} of both: {ours} against {value})"
    standing = {"behind": "better", "ahead": "worse", "level": "level"}[compared.state]
    sure = "" if compared.state == "level" else ", beyond chance" if compared.sure else ", within chance"
    versus = compared.one.versus
    p = "" if versus is None or versus.p is None else f", p {small(versus.p)}"
    return f"{table.condition}{part}, {column.title}: {figures}: {standing}{sure}{p}"


def figure(column: Column, cell: Cell) -> str:
    """A figure with its unit and interval."""
    unit = f" {column.unit}" if column.unit else ""
    return f"{column.text(cell.value)}{interval(column, cell)}{unit}"


def interval(column: Column, cell: Cell) -> str:
    """The 95 % interval in brackets; nothing where there is none, or where one track alone leaves it unbounded."""
    if cell.low is None or cell.high is None or cell.high - cell.low == float("inf"):
        return ""
    return f" [{column.text(cell.low)}, {column.text(cell.high)}]"
