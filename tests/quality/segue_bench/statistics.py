"""How sure the figures are: bootstrap intervals, paired tests corrected for their number, rank correlation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import spearmanr
from scipy.stats import wilcoxon as scipy_wilcoxon

from segue.errors import InvalidRequest

RESAMPLES = 2000
CONFIDENCE = 0.95

Values = Float[np.ndarray, " _values"]


@dataclass(frozen=True)
class Interval:
    """An estimate with the range it lies in at the asked confidence."""

    low: float
    value: float
    high: float


def resampled_counts(items: int, resamples: int = RESAMPLES, seed: int = 0) -> Int[np.ndarray, "resamples items"]:
    """How often each item is drawn in each bootstrap sample of ``items`` with replacement.

    Raises:
        InvalidRequest: no items or no samples.
    """
    if items < 1 or resamples < 1:
        raise InvalidRequest(f"expected at least one item and one sample to draw, got {items} and {resamples}")
    return np.random.default_rng(seed).multinomial(items, np.full(items, 1.0 / items), resamples)


def percentile_interval(value: float, drawn: Values, confidence: float = CONFIDENCE) -> Interval:
    """The interval between the percentiles of the bootstrap's estimates.

    Raises:
        InvalidRequest: a confidence not between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise InvalidRequest(f"expected a confidence between 0 and 1, such as 0.95, got {confidence}")
    low, high = np.quantile(drawn, [0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
    return Interval(float(low), value, float(high))


def bootstrap_interval(
    values: Values,
    statistic: Callable[[Values], float] = lambda values: float(values.mean()),
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap (Efron 1979) of ``statistic`` (the mean) over independent ``values``.

    Raises:
        InvalidRequest: no values, or one that is not finite.
    """
    _check_finite(values)
    counts = resampled_counts(len(values), resamples, seed)
    drawn = np.array([statistic(np.repeat(values, count)) for count in counts])
    return percentile_interval(statistic(values), drawn, confidence)


def wilcoxon(ours: Values, theirs: Values) -> float:
    """Two-sided p of Wilcoxon's signed-rank test on pairs; 1 where no pair differs.

    Pairs that are equal are left out, as Wilcoxon did. Exact for up to 50 differences of distinct size, else the normal
    approximation.

    Raises:
        InvalidRequest: series of different length, none, or values that are not finite.
    """
    if len(ours) != len(theirs):
        raise InvalidRequest(f"expected pairs, got {len(ours)} and {len(theirs)} values: match them by case first")
    _check_finite(ours)
    _check_finite(theirs)
    difference = ours.astype(np.float64) - theirs
    difference = difference[difference != 0.0]
    if not len(difference):
        return 1.0
    exact = len(difference) <= 50 and len(np.unique(np.abs(difference))) == len(difference)
    return float(scipy_wilcoxon(difference, method="exact" if exact else "asymptotic").pvalue)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p of a family of tests (Holm 1979): those under alpha hold together, with an error of at most alpha.

    Raises:
        InvalidRequest: a p outside [0, 1].
    """
    if bad := {name: value for name, value in p.items() if not 0.0 <= value <= 1.0}:
        raise InvalidRequest(f"expected each p in [0, 1], got {bad}")
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p, key=lambda n: p[n])):
        largest = max(largest, min(1.0, (len(p) - rank) * p[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p}


def compare(ours: Mapping[str, Values], theirs: Mapping[str, Values]) -> dict[str, float]:
    """Holm-adjusted p for each name in both: one family of paired Wilcoxon tests, pair by pair in the given order."""
    return holm({name: wilcoxon(ours[name], theirs[name]) for name in ours if name in theirs})


def spearman(a: Sequence[float] | Values, b: Sequence[float] | Values) -> float | None:
    """Rank correlation; None with under 3 pairs or where one side does not vary.

    Raises:
        InvalidRequest: series of different length, or values that are not finite.
    """
    x, y = np.asarray(a, float), np.asarray(b, float)
    if len(x) != len(y):
        raise InvalidRequest(f"expected pairs, got {len(x)} and {len(y)} values: match them first")
    if len(x) < 3:
        return None
    _check_finite(x)
    _check_finite(y)
    if np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return None
    return float(spearmanr(x, y).statistic)


def _check_finite(values: Values) -> None:
    if not len(values) or not np.isfinite(values).all():
        raise InvalidRequest(f"expected at least one value, all finite, got {values}: leave missing ones out first")
