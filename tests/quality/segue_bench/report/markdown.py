"""The report in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from segue_bench.report.columns import COLUMNS, KEY, Column
from segue_bench.report.content import Content
from segue_bench.report.table import Line, Table
from segue_bench.report.targets import interval
from segue_bench.report.words import Opening, grouped


def markdown(content: Content) -> str:
    """All of it, but what is to be heard and seen."""
    lines = [f"# {content.title}", "", *content.lead, ""]
    lines += ["## Where a baseline beats our default", "", *opening(content.opening), ""]
    lines += ["## Targets of the project", ""]
    for target in content.targets:
        lines += [f"- **{target.verdict.capitalize()}**: {target.promise}.", *(f"  - {f}" for f in target.figures)]
    lines += ["", "## How to read the tables", "", *(f"- {line}" for line in content.reading), ""]
    lines += row(["score", "unit", "better", "what it says"], head=True)
    lines += [line for c in content.columns for line in row([c.title, c.unit, c.best, c.meaning])]
    lines += ["", "## Methods", ""]
    lines += row(["method", "family", "what it does"], head=True)
    lines += [line for m in content.methods for line in row([m.name, m.family, m.about])]
    for group in content.groups:
        lines += ["", f"## {group.table.condition}", "", group.about, "", *table(group.table)]
        for parts in group.splits:
            lines += ["", *split(parts)]
    lines += ["", "## What failed, and what could not be done", "", *content.trouble_lines, ""]
    lines += ["## Data", "", *content.data, "", "## How to make it again", "", *content.again]
    return "\n".join(lines) + "\n"


def opening(said: Opening) -> list[str]:
    """The first section."""
    lines = []
    if said.lost:
        lines += ["Beyond chance:", ""]
        lines += [f"- {place}: **{name}**: {text}." for place, by in grouped(said.lost) for name, text in by]
    else:
        lines += [said.none_lost]
    if said.behind:
        lines += ["", "Ahead of our default by what may be chance, in the scores of the targets:", ""]
        lines += [f"- {place}: {name}: {text}." for place, by in grouped(said.behind) for name, text in by]
    if said.own:
        lines += ["", "Not baselines, but ahead of our default beyond chance:", ""]
        lines += [f"- {place}: {name}: {text}." for place, by in grouped(said.own) for name, text in by]
    return lines


def table(of: Table) -> list[str]:
    """One line a method."""
    lines = row(["method", *(heading(c) for c in of.columns), "clips", "units", "s", "MB"], head=True)
    for line in of.lines:
        cells = [cell(of, line, column) for column in of.columns]
        lines += row([line.method.name, *cells, *cost(line)])
    return lines


def split(parts: Sequence[Table]) -> Iterator[str]:
    """The scores of the targets, part by part."""
    columns = [c for c in COLUMNS if c.name in KEY and any(c in part.columns for part in parts)]
    heads = [f"{c.title}, {part.part} ({part.excerpts})" for c in columns for part in parts]
    yield from row(["method", *heads], head=True)
    for name in dict.fromkeys(line.method.name for part in parts for line in part.lines):
        cells = [
            cell(part, part.by_method[name], c) if name in part.by_method else "-" for c in columns for part in parts
        ]
        yield from row([name, *cells])


def heading(column: Column) -> str:
    """Title, unit, and an arrow to the better side."""
    arrow = {"higher": " ↑", "lower": " ↓", "none": ""}[column.best]
    return f"{column.title}{f', {column.unit}' if column.unit else ''}{arrow}"


def cell(of: Table, line: Line, column: Column) -> str:
    """The figure: bold the best of ours, italic the best baseline; of sets the interval; then :func:`mark`."""
    figure = line.cells.get(column.name)
    if figure is None:
        return "-"
    text = column.text(figure.value)
    if line.method.name == of.best(column, "ours"):
        text = f"**{text}**"
    elif line.method.name == of.best(column, "baselines"):
        text = f"*{text}*"
    if column.kind == "set":
        text += interval(column, figure)
    return text + mark(of, line, column)


def mark(of: Table, line: Line, column: Column) -> str:
    """▲ if beyond chance better than our default, ▼ if worse."""
    compared = of.compared(column, line.method.name)
    return " ▲" if compared is not None and compared.wins else " ▼" if compared is not None and compared.loses else ""


def cost(line: Line) -> list[str]:
    """Clips (and how many are missing), units, seconds, megabytes."""
    clips = f"{line.clips}" if not line.failed else f"{line.clips} ({line.failed} missing)"
    units = "-" if line.units is None else f"{line.units:.0f}"
    seconds = "-" if line.seconds is None else f"{line.seconds:.2f}"
    return [clips, units, seconds, "-" if line.peak_mb is None else f"{line.peak_mb:.0f}"]


def row(cells: Iterable[str], *, head: bool = False) -> list[str]:
    """A line of a table, and the rule below if it is the first."""
    escaped = [cell.replace("|", "\\|") for cell in cells]
    line = f"| {' | '.join(escaped)} |"
    return [line, "|---" * len(escaped) + "|"] if head else [line]
