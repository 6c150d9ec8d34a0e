"""Learning curves of several runs, one after another, as CSV and PNG.

``python -m segue_export.train.curves OUT.csv OUT.png RUN [RUN ...]``: each RUN holds a ``curve.csv`` of
:mod:`segue_export.train.course`.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from segue.errors import InvalidRequest
from segue_export.train.course import VALIDATION_TIMES

ERRORS = tuple(f"error_t{round(t * 100):03d}" for t in VALIDATION_TIMES)
COLUMNS = ("step", "seconds", "hours_heard", "loss", *ERRORS, "naive")


@dataclass(frozen=True)
class Point:
    """A line of a run's curve; ``heard``: hours of audio since the first run began."""

    run: str
    heard: float
    row: tuple[float, ...]


def joined(runs: list[Path]) -> list[Point]:
    """The runs' curves laid end to end.

    Raises:
        InvalidRequest: a run without a curve, or with other columns.
    """
    points: list[Point] = []
    before = 0.0
    for run in runs:
        path = run / "curve.csv"
        if not path.is_file():
            raise InvalidRequest(f"expected {path}, found none: name folders of segue_export.train.train")
        with path.open(newline="") as f:
            rows = [tuple(float(cell) for cell in row) for row in csv.reader(f)]
        if any(len(row) != len(COLUMNS) for row in rows):
            raise InvalidRequest(f"{path}: expected {len(COLUMNS)} columns ({', '.join(COLUMNS)}) in every line")
        for one, other in pairwise([(0.0,) * len(COLUMNS), *rows]):
            if other[0] < one[0]:  # a course that counted anew
                before += one[2]
            points.append(Point(run.name, before + other[2], other))
        before += rows[-1][2] if rows else 0.0
    return points


def write_csv(points: list[Point], path: Path) -> None:
    """All lines, with the run's name in front."""
    with path.open("w", newline="") as f:
        lines = csv.writer(f, lineterminator="\n")
        lines.writerow(("run", *COLUMNS))
        lines.writerows((p.run, *(f"{cell:g}" for cell in p.row)) for p in points)


def draw(points: list[Point], path: Path) -> None:
    """Held-out error over hours heard, one line a noise level.

    Dotted: the error of what is there without a network, the left donor or the music's mean.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  (an optional dependency)

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    heard = [p.heard for p in points]
    for column, t in enumerate(VALIDATION_TIMES, start=4):
        axes.plot(heard, [p.row[column] for p in points], marker=".", label=f"held out, t = {t:g}")
    axes.plot(heard, [p.row[-1] for p in points], ":", color="gray", label="without a network")
    for one, other in pairwise(points):
        if one.run != other.run:
            axes.axvline(one.heard, color="lightgray", linewidth=0.8)
    axes.set(xlabel="hours of audio heard", ylabel="squared error of x0_hat (standardised)", yscale="log")
    axes.legend()
    figure.savefig(path, dpi=100)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("png", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    a = parser.parse_args()
    points = joined(a.runs)
    write_csv(points, a.csv)
    draw(points, a.png)


if __name__ == "__main__":
    main()
