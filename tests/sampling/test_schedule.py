"""The schedule's numbers and what it refuses."""

from __future__ import annotations

import math
from itertools import pairwise

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidRequest
from segue.sampling.schedule import Schedule, alpha, log_snr, sigma, variance_between

unit = st.floats(0.0, 1.0)


@given(st.lists(unit, min_size=2, max_size=12))
def test_times_are_accepted_exactly_when_they_fall_strictly(times: list[float]) -> None:
    if all(s < t for t, s in pairwise(times)):
        assert Schedule(tuple(times)).steps == len(times) - 1
    else:
        with pytest.raises(InvalidRequest, match="fall strictly"):
            Schedule(tuple(times))


@given(st.integers(1, 300), st.floats(0.5, 1.0), st.floats(0.0, 0.4))
def test_linear_times_are_equally_spaced_and_hit_both_ends(steps: int, start: float, stop: float) -> None:
    times = Schedule.linear(steps, start, stop).times
    assert (times[0], times[-1], len(times)) == (start, stop, steps + 1)
    assert all(t - s == pytest.approx((start - stop) / steps, abs=1e-12) for t, s in pairwise(times))


@given(st.integers(1, 100), st.floats(-10.0, -1.0), st.floats(0.0, 10.0))
def test_log_snr_times_are_equally_spaced_in_log_snr_between_the_ends(steps: int, low: float, high: float) -> None:
    times = Schedule.log_snr(steps, low, high).times
    assert (times[0], times[-1], len(times)) == (1.0, 0.0, steps + 1)
    for i in range(1, steps):
        assert log_snr(times[i]) == pytest.approx(low + (high - low) * i / steps, abs=1e-6)


@given(st.floats(1e-9, 1.0), st.floats(0.0, 0.999999))
def test_variance_between_keeps_its_digits_from_end_to_end(t: float, fraction: float) -> None:
    """Against 1 - alpha_t^2 / alpha_s^2 in 60 digits; the plain formula in float64 is all rounding at t = 1e-8."""
    s = t * fraction
    with mpmath.workdps(60):
        half_pi = mpmath.pi / 2
        exact = 1 - (mpmath.cos(half_pi * mpmath.mpf(t)) / mpmath.cos(half_pi * mpmath.mpf(s))) ** 2
        assert variance_between(t, s) == pytest.approx(float(exact), rel=1e-12)


def test_the_ends_are_exact() -> None:
    assert (alpha(1.0), sigma(1.0), alpha(0.0), sigma(0.0)) == (0.0, 1.0, 1.0, 0.0)
    assert (log_snr(1.0), log_snr(0.0)) == (-math.inf, math.inf)
    assert log_snr(0.5) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("times", [(1.0,), (), (1.0, math.nan), (1.2, 0.0), (1.0, -0.1)])
def test_times_that_are_no_schedule_are_refused(times: tuple[float, ...]) -> None:
    with pytest.raises(InvalidRequest):
        Schedule(times)


def test_limits_that_are_no_range_are_refused() -> None:
    for low, high in ((1.0, 1.0), (2.0, -2.0), (-math.inf, 0.0), (0.0, math.nan)):
        with pytest.raises(InvalidRequest, match="low < high"):
            Schedule.log_snr(4, low, high)
    for start, stop in ((0.2, 0.5), (1.1, 0.0), (0.5, -0.1)):
        with pytest.raises(InvalidRequest, match="stop < start"):
            Schedule.linear(4, start, stop)
