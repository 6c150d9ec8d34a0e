"""The ablation's rows as CSV and as a table, each beside the base and its noise."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

COLUMNS = ("variant", "parameters", "steps", "hours_heard", "cpu_seconds_a_step", "cpu_seconds_spent")
ERRORS = ("error_t025", "error_t060", "error_t097", "error_t097_loud")


@dataclass(frozen=True)
class Row:
    """A variant when its time was over; ``errors``: of each held-out example, a list for each of :data:`ERRORS`."""

    name: str
    about: str
    parameters: int
    steps: int
    heard: float
    step_seconds: float
    spent: float
    errors: list[list[float]]

    @property
    def means(self) -> list[float]:
        """Over the examples."""
        return [float(np.mean(e)) for e in self.errors]


def against(row: Row, base: list[Row]) -> tuple[list[float], float]:
    """By how much, in percent, the errors at the three times are above the base's (the mean of its seeds), and the
    standard error of their mean over the held-out examples, paired.
    """
    own = np.array(row.errors[:3])
    theirs = np.mean([np.array(b.errors[:3]) for b in base], 0)
    apart: Float[np.ndarray, "times examples"] = (own - theirs) / theirs.mean(1, keepdims=True)
    spread = apart.mean(0).std(ddof=1) / np.sqrt(apart.shape[1])
    return [100.0 * float(a) for a in apart.mean(1)], 100.0 * float(spread)


def rows_of(out: Path) -> list[Row]:
    """The rows that are there: the base from every seed, then the others, best first."""
    found = [
        Row(**json.loads(path.read_text())) for path in sorted((out / "rows").glob("*.json"), key=lambda p: p.stem)
    ]
    base = bases(found)
    return [*base, *sorted((r for r in found if r not in base), key=lambda r: np.mean(against(r, base or found)[0]))]


def bases(rows: list[Row]) -> list[Row]:
    """The base from every seed."""
    return [r for r in rows if r.name.startswith("base")]


def write_tables(out: Path) -> None:
    """``ablations.csv`` and ``table.md`` of the rows that are there."""
    rows = rows_of(out)
    with (out / "ablations.csv").open("w", newline="") as f:
        lines = csv.writer(f, lineterminator="\n")
        lines.writerow((*COLUMNS, *ERRORS))
        for r in rows:
            costs = (f"{r.heard:.3f}", f"{r.step_seconds:.3f}", f"{r.spent:.0f}")
            lines.writerow((r.name, r.parameters, r.steps, *costs, *(f"{m:.5f}" for m in r.means)))
    if bases(rows):
        (out / "table.md").write_text(table(rows))


def table(rows: list[Row]) -> str:
    """Markdown; the percentages are against the mean of the base's seeds, their mean with its standard error."""
    lines = [
        "| variant | what changes | parameters | CPU s a step | steps | hours heard | t = .25 | .60 | .97 | .97, loud "
        "| against base, % |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    base = bases(rows)
    for r in rows:
        apart, spread = against(r, base)
        each = ", ".join(f"{a:+.1f}" for a in apart)
        lines.append(
            f"| {r.name} | {r.about} | {r.parameters / 1e6:.1f} M | {r.step_seconds:.2f} | {r.steps} | {r.heard:.2f} | "
            + " | ".join(f"{m:.4f}" for m in r.means)
            + f" | {np.mean(apart):+.1f} ± {spread:.1f} ({each}) |"
        )
    return "\n".join(lines) + "\n"
