"""The cosine schedule, rectified flow in its terms, and the times a sampler visits."""

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


def flow_time(t: float) -> float:
    """tau = sigma_t / (alpha_t + sigma_t), the time of the rectified flow x = (1 - tau) x_0 + tau eps.

    That x is x_t / (alpha_t + sigma_t): the two processes differ in scale alone, so x0_hat is the same in both, and an
    Euler step of the flow is a DDIM step.
    """
    return sigma(t) / (alpha(t) + sigma(t))


def time_of_flow(tau: float) -> float:
    """Inverse of :func:`flow_time`: t in [0, 1] of tau in [0, 1]."""
    return 2.0 / math.pi * math.atan2(tau, 1.0 - tau)


def time_of_log_snr(value: float) -> float:
    """Inverse of :func:`log_snr`."""
    return 2.0 / math.pi * math.atan(math.exp(-value))


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
    def log_snr(steps: int, low: float = -6.0, high: float = 2.0, start: float = 1.0) -> Schedule:
        """``steps`` + 1 times at equal distances in log(alpha / sigma), from ``low`` to ``high``.

        The two ends are then set to ``start`` and t = 0, as Stable Audio 3 has them; where ``start`` has a log-SNR
        above ``low``, the distances are those from there on.

        Raises:
            InvalidRequest: steps below 1, or low not below high, or either not finite, or a start outside (0, 1].
        """
        first = _check_log_snr(steps, low, high, start)
        if first >= high:
            return Schedule.linear(steps, start)
        inner = (first + (high - first) * i / steps for i in range(1, steps))
        return Schedule((start, *(time_of_log_snr(value) for value in inner), 0.0))

    @staticmethod
    def edm(steps: int, low: float, high: float, start: float = 1.0) -> Schedule:
        """``steps`` times at equal distances in log(alpha / sigma), ``low`` and ``high`` among them, then t = 0.

        The spacing of the EDM solvers that Stable Audio Open is sampled with, which begins below t = 1; where ``start``
        has a log-SNR above ``low``, it begins there.

        Raises:
            InvalidRequest: as :meth:`log_snr`.
        """
        first = _check_log_snr(steps, low, high, start)
        if first >= high:
            return Schedule.linear(steps, start)
        inner = (first + (high - first) * i / (steps - 1) for i in range(1, steps))
        begin = start if first > low else time_of_log_snr(low)
        return Schedule((begin, *(time_of_log_snr(value) for value in inner), 0.0))

    @staticmethod
    def flow(steps: int, shift: float = 1.0, start: float = 1.0) -> Schedule:
        """The times of a rectified flow: tau = shift u / (1 + (shift - 1) u) for equal steps in u, down to 0.

        Source of the shift: Esser et al. 2024 (arXiv 2403.03206), eq. 23.

        Raises:
            InvalidRequest: steps below 1, a shift that is not positive and finite, or a start outside (0, 1].
        """
        if not (math.isfinite(shift) and shift > 0.0):
            raise InvalidRequest(f"expected a shift above 0, got {shift}")
        _check_start(steps, start)
        tau = flow_time(start)
        first = tau / (shift - (shift - 1.0) * tau)
        places = (first * (1.0 - i / steps) for i in range(1, steps))
        inner = (time_of_flow(shift * u / (1.0 + (shift - 1.0) * u)) for u in places)
        return Schedule((start, *inner, 0.0))


def _check_start(steps: int, start: float) -> None:
    if steps < 1:
        raise InvalidRequest(f"steps must be at least 1, got {steps}")
    if not 0.0 < start <= 1.0:
        raise InvalidRequest(f"expected a start in (0, 1], got {start}")


def _check_log_snr(steps: int, low: float, high: float, start: float) -> float:
    """The log-SNR the grid begins at."""
    _check_start(steps, start)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidRequest(f"expected finite log-SNR limits with low < high, got {low} and {high}")
    return max(low, log_snr(start))
