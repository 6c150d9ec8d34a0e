"""Automation as curves and switches, whatever format it came in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def course(points: Iterable[tuple[float, float, bool]]) -> list[tuple[float, float]]:
    """Points (seconds, value, whether it goes to the next in a line) as a curve: a held value ends in a step."""
    made: list[tuple[float, float]] = []
    line = True
    for time, value, goes_on in points:
        if made and not line:
            made.append((time, made[-1][1]))
        made.append((time, value))
        line = goes_on
    return made


def switched_on(points: Sequence[tuple[float, float]], end: float) -> Iterator[tuple[float, float]]:
    """From when to when a switch is on, at half or more; its last state holds until ``end``."""
    since: float | None = None
    for time, value in [*points, (end, 0.0)]:
        if value >= 0.5 and since is None:
            since = time
        elif value < 0.5 and since is not None:
            if since < time:
                yield since, time
            since = None
