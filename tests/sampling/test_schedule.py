"""The schedule's numbers and what it refuses."""

from __future__ import annotations

import math
from itertools import pairwise

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidRequest
from segue.sampling.schedule import (
    Schedule,
    alpha,
    flow_time,
    log_snr,
    sigma,
    time_of_flow,
    variance_between,
)
from segue.sampling.spacing import Spacing

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


@given(st.integers(1, 60), st.floats(0.2, 8.0), st.floats(0.05, 1.0))
def test_flow_times_are_those_of_the_shifted_flow_from_the_start_down(steps: int, shift: float, start: float) -> None:
    """tau = shift u / (1 + (shift - 1) u) for u at equal distances, by inverting it."""
    times = Schedule.flow(steps, shift, start).times
    assert (times[0], times[-1], len(times)) == (start, 0.0, steps + 1)
    taus = [flow_time(t) for t in times]
    places = [tau / (shift - (shift - 1.0) * tau) for tau in taus]
    assert all(
        a - b == pytest.approx(places[0] / steps, rel=1e-6) for a, b in pairwise(places)
    )  # the last place is exactly 0
    assert [time_of_flow(tau) for tau in taus] == pytest.approx(list(times), abs=1e-12)


def test_the_flow_of_ace_steps_turbo_weights_has_its_published_times() -> None:
    """Its table for 8 steps at shift 3: 1, 0.9545, 0.9, 0.8333, 0.75, 0.6429, 0.5, 0.3, 0."""
    taus = [flow_time(t) for t in Schedule.flow(8, 3.0).times]
    assert taus == pytest.approx([1, 21 / 22, 0.9, 5 / 6, 0.75, 9 / 14, 0.5, 0.3, 0], abs=1e-12)


def test_edm_times_have_both_limits_and_then_clean_data() -> None:
    times = Schedule.edm(5, -math.log(500.0), -math.log(0.3)).times
    ratios = [sigma(t) / alpha(t) for t in times[:-1]]
    expected = [500.0 ** (1 - i / 4) * 0.3 ** (i / 4) for i in range(5)]
    assert ratios == pytest.approx(expected, rel=1e-9) and times[-1] == 0.0


@pytest.mark.parametrize("kind", ["linear", "log_snr", "edm", "flow"])
def test_every_spacing_can_begin_late_even_beyond_its_own_end(kind: str) -> None:
    spacing = Spacing(kind, -6.0, 1.0, 3.0)
    for start in (1.0, 0.7, 0.1):
        schedule = spacing.schedule(6, start)
        assert schedule.steps == 6 and schedule.times[-1] == 0.0
        assert 0.99 * start <= schedule.times[0] <= start
    with pytest.raises(InvalidRequest):
        Spacing("squared")
