"""Intervals cover as often as they say, and the tests agree with counting by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from segue.errors import InvalidRequest
from segue_bench.statistics import bootstrap_interval, compare, holm, percentile_interval, spearman, wilcoxon


def test_bootstrap_intervals_of_a_gaussian_mean_cover_it_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(150):
        interval = bootstrap_interval(rng.normal(3.0, 2.0, 40), resamples=300)
        assert interval.low <= interval.value <= interval.high
        covered += interval.low <= 3.0 <= interval.high
    # percentile intervals of 40 values cover about 93.5 %; the count deviates by 2 % (one sigma)
    assert 0.88 <= covered / 150 <= 0.99


def test_an_interval_narrows_with_the_root_of_the_number_of_values() -> None:
    rng = np.random.default_rng(1)
    few, many = (bootstrap_interval(rng.normal(size=n)) for n in (100, 1600))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(4.0, rel=0.2)
    assert few.high - few.low == pytest.approx(2 * 1.96 / 10.0, rel=0.25)


def test_a_bootstrap_repeats_and_another_seed_differs() -> None:
    values = np.random.default_rng(2).normal(size=30)
    assert bootstrap_interval(values, seed=5) == bootstrap_interval(values, seed=5)
    assert bootstrap_interval(values, seed=5) != bootstrap_interval(values, seed=6)


def test_a_bootstrap_takes_any_statistic_and_a_single_value_is_certain() -> None:
    values = np.array([1.0, 2.0, 3.0, 100.0, 2.0])
    assert bootstrap_interval(values, lambda v: float(np.median(v))).value == 2.0
    alone = bootstrap_interval(np.array([7.0]))
    assert (alone.low, alone.value, alone.high) == (7.0, 7.0, 7.0)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_missing_values_are_refused_not_averaged(values: list[float]) -> None:
    with pytest.raises(InvalidRequest, match="missing"):
        bootstrap_interval(np.array(values))


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_an_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(InvalidRequest, match="between 0 and 1"):
        percentile_interval(0.0, np.zeros(3), confidence)


def signed_rank_p_by_counting(difference: np.ndarray) -> float:
    """Over all signs, how often the positive ranks' sum is at least as far from its middle."""
    ranks = rankdata(np.abs(difference))
    middle = ranks.sum() / 2
    seen = abs(ranks[difference > 0].sum() - middle)
    sums = [ranks[np.array(signs)].sum() for signs in product([False, True], repeat=len(ranks))]
    return float(np.mean([abs(s - middle) >= seen - 1e-9 for s in sums]))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 9))
def test_the_signed_rank_test_is_exact_on_small_families(seed: int, pairs: int) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = rng.normal(0.3, 1.0, pairs), rng.normal(size=pairs)
    assert wilcoxon(ours, theirs) == pytest.approx(signed_rank_p_by_counting(ours - theirs))


def test_five_pairs_on_one_side_are_one_in_sixteen_and_equal_pairs_do_not_count() -> None:
    ours = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert wilcoxon(ours, np.zeros(5)) == pytest.approx(2 / 32)
    assert wilcoxon(np.append(ours, [9.0, 9.0]), np.append(np.zeros(5), [9.0, 9.0])) == pytest.approx(2 / 32)
    assert wilcoxon(ours, ours) == 1.0


def test_series_that_are_no_pairs_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="expected pairs, got 2 and 3"):
        wilcoxon(np.zeros(2), np.zeros(3))


def test_holm_multiplies_the_smallest_most_and_never_turns_the_order() -> None:
    # R: p.adjust(c(.01, .04, .03, .005), "holm") is .03 .06 .06 .02
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert adjusted == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(adjusted) == ["a", "b", "c", "d"]
    assert holm({"x": 0.7, "y": 0.8}) == {"x": 1.0, "y": 1.0}
    with pytest.raises(InvalidRequest, match=r"\[0, 1\]"):
        holm({"x": 1.2})


def test_a_family_of_null_tests_is_rejected_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(3)
    rejected = 0
    for _ in range(100):
        series = {name: rng.normal(size=12) for name in "abcde"}
        rejected += min(compare(series, {name: rng.normal(size=12) for name in "abcde"}).values()) < 0.05
    assert rejected / 100 <= 0.11  # 5 % and two and a half sigma


def test_compare_takes_what_both_have() -> None:
    ours = {"mel": np.arange(1.0, 11.0), "seam": np.arange(1.0, 11.0), "only ours": np.zeros(4)}
    p = compare(ours, {"mel": np.zeros(10), "seam": np.arange(1.0, 11.0)})
    assert p == pytest.approx({"mel": 2 * 2 / 2**10, "seam": 1.0})


def test_rank_correlation_is_of_ranks() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert spearman(x, np.exp(x)) == pytest.approx(1.0)
    assert spearman(x, -(x**3)) == pytest.approx(-1.0)
    assert spearman(x, [5.0, 6.0, 7.0, 8.0, 7.0]) == pytest.approx(0.8207826816681233)
    assert spearman(x, np.ones(5)) is None
    assert spearman([1.0, 2.0], [1.0, 2.0]) is None
