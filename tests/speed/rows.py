"""Lines of the bench's table, and how times are taken for them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

PAIRS = 15


@dataclass(frozen=True)
class Row:
    """One line of the table; ``limit`` None where nothing is promised."""

    what: str
    value: float
    unit: str
    limit: float | None = None

    def __str__(self) -> str:
        limit = "" if self.limit is None else f"{self.limit:g} {self.unit}"
        verdict = "" if self.limit is None else "ok" if self.value <= self.limit else "over"
        return f"| {self.what} | {self.value:.3g} {self.unit} | {limit} | {verdict} |"


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(one: Callable[[], object], other: Callable[[], object]) -> float:
    """Median of ``one``'s time over ``other``'s in pairs that follow each other, each pair in the other order."""
    ratios = []
    for pair in range(PAIRS + 2):
        if pair % 2:
            a, b = seconds_of(one), seconds_of(other)
        else:
            b, a = seconds_of(other), seconds_of(one)
        ratios.append(a / b)
    return statistics.median(ratios[2:])  # the first two warm up
