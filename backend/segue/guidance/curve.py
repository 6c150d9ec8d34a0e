"""Curves over time: how automation shapes a render."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from segue.errors import InvalidRequest


@dataclass(frozen=True)
class Curve:
    """A piecewise linear function of time: breakpoints (seconds, value), held flat outside them."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.points:
            raise InvalidRequest("a curve needs at least one point (seconds, value)")
        times = [t for t, _ in self.points]
        if not all(math.isfinite(t) for t in times) or any(math.isnan(v) for _, v in self.points):
            raise InvalidRequest(f"curve points must be finite times and numbers, got {self.points}")
        if any(b < a for a, b in pairwise(times)):
            raise InvalidRequest(f"curve points must be in order of time, got times {times}")

    @staticmethod
    def constant(value: float) -> Curve:
        """The same value at all times."""
        return Curve(((0.0, value),))

    @staticmethod
    def of(value: float | Sequence[tuple[float, float]] | Curve) -> Curve:
        """A curve from a number, from breakpoints, or itself."""
        if isinstance(value, Curve):
            return value
        if isinstance(value, int | float):
            return Curve.constant(float(value))
        return Curve(tuple((float(t), float(v)) for t, v in value))

    def at(self, seconds: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Values at the given times, float64."""
        times, values = zip(*self.points, strict=True)
        curve: Float[np.ndarray, " n"] = np.interp(seconds, times, values)
        return curve

    def times(self, other: Curve) -> Curve:
        """The product, exact at the points of both curves, steps among them, and a line between."""
        points: list[tuple[float, float]] = []
        for t in sorted({t for t, _ in (*self.points, *other.points)}):
            for last in (False, True):
                point = (t, self._beside(t, last) * other._beside(t, last))
                if not points or points[-1] != point:
                    points.append(point)
        return Curve(tuple(points))

    def _beside(self, t: float, last: bool) -> float:
        """The value right before t or, ``last``, right after it: at a step they differ."""
        times = [s for s, _ in self.points]
        at = (bisect_right(times, t) - 1) if last else bisect_left(times, t)
        if 0 <= at < len(times) and times[at] == t:
            return self.points[at][1]
        return float(self.at(np.array([t]))[0])
