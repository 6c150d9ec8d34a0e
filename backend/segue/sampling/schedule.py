"""The cosine schedule and the times a sampler visits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from segue.errors import InvalidRequest


def alpha(t: float) -> float:
    """alpha_t = cos(pi t / 2), the scale of x_0 in x_t; written as a sine, exactly 0 at t = 1 and precise beside it."""
    return math.sin(math.pi * (1.0 - t) / 2.0)


def sigma(t: float) -> float:
    """sigma_t = sin(pi t / 2), the scale of the noise in x_t; alpha^2 + sigma^2 = 1."""
    return math.sin(math.pi * t / 2.0)


def log_snr(t: float) -> float:
    """lambda_t = log(alpha_t / sigma_t); minus infinity at t = 1, plus infinity at t = 0."""
    a, b = alpha(t), sigma(t)
    if a == 0.0 or b == 0.0:
        return -math.inf if a == 0.0 else math.inf
    return math.log(a / b)


def variance_between(t: float, s: float) -> float:
    """1 - alpha_t^2 / alpha_s^2, the variance of x_t given x_s, for s < t.

    Equal to (sigma_t^2 - sigma_s^2) / alpha_s^2; written as a product of sines, which keeps its digits at both ends.
    """
    to_nearer_end = min(t + s, (1.0 - t) + (1.0 - s))
    return math.sin(math.pi * (t - s) / 2.0) * math.sin(math.pi * to_nearer_end / 2.0) / alpha(s) ** 2


@dataclass(frozen=True)
class Schedule:
    """The times a sampler visits, from noise to data: strictly falling, within [0, 1].

    ``times`` has one more entry than there are steps; the last may be 0 (clean data).
    """

    times: tuple[float, ...]

    def __post_init__(self) -> None:
        times = self.times
        if len(times) < 2:
            raise InvalidRequest(f"a schedule needs at least 1 step, that is 2 times, got {len(times)} times")
        if not all(math.isfinite(t) and 0.0 <= t <= 1.0 for t in times):
            raise InvalidRequest(f"times must lie in [0, 1], got {times}")
        if any(s >= t for t, s in pairwise(times)):
            raise InvalidRequest(f"times must fall strictly from noise (1) to data (0), got {times}")

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.times) - 1

    @staticmethod
    def linear(steps: int, start: float = 1.0, stop: float = 0.0) -> Schedule:
        """``steps`` equal steps in t from ``start`` down to ``stop``.

        Raises:
            InvalidRequest: steps below 1, or start not above stop.
        """
        if steps < 1:
            raise InvalidRequest(f"steps must be at least 1, got {steps}")
        if not 0.0 <= stop < start <= 1.0:
            raise InvalidRequest(f"expected 0 <= stop < start <= 1, got start {start} and stop {stop}")
        return Schedule((*(start + (stop - start) * i / steps for i in range(steps)), stop))

    @staticmethod
    def log_snr(steps: int, low: float = -6.0, high: float = 2.0) -> Schedule:
        """``steps`` + 1 times at equal distances in log(alpha / sigma), from ``low`` to ``high``.

        The two ends are then set to t = 1 and t = 0. The defaults are those of Stable Audio 3's distilled priors.

        Raises:
            InvalidRequest: steps below 1, or low not below high, or either not finite.
        """
        if steps < 1:
            raise InvalidRequest(f"steps must be at least 1, got {steps}")
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InvalidRequest(f"expected finite log-SNR limits with low < high, got {low} and {high}")
        inner = (low + (high - low) * i / steps for i in range(1, steps))
        return Schedule((1.0, *(2.0 / math.pi * math.atan(math.exp(-value)) for value in inner), 0.0))
