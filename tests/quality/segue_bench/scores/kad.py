"""gap-KAD: how far a method's gaps, as a set, are from the real ones (Chung et al. 2025, after Gretton et al. 2012)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist, pdist

from segue.errors import InvalidRequest
from segue_bench.statistics import RESAMPLES, Interval, percentile_interval, resampled_counts

SCALE = 1000.0

Embeddings = Float[np.ndarray, "_clips features"]


def bandwidth_of(real: Embeddings) -> float:
    """Median distance among the references.

    Raises:
        InvalidRequest: fewer than 2, or half of the pairs equal.
    """
    median = float(np.median(pdist(real.astype(np.float64)))) if len(real) > 1 else 0.0
    if median <= 0.0:
        raise InvalidRequest(f"expected at least two different references to take a bandwidth from, got {len(real)}")
    return median


def gap_kad(
    real: Embeddings,
    rendered: Embeddings,
    *,
    groups: Int[np.ndarray, " _rows"] | None = None,
    bandwidth: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Unbiased MMD^2 x 1000 with its bootstrap interval over clips; row i of both sets belongs to the same gap.

    Gretton et al.'s U-statistic on pairs z = (x, y), the mean over i != j of k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) -
    k(x_j, y_i) with k = exp(-d^2 / (2 bandwidth^2)): it never compares a rendering with the real gap of the same clip,
    with which it shares its context, so equal sets are at exactly 0. ``groups``: rows that are not independent (seeds
    of one clip, gaps of one track) carry one number; no pair is taken within a group, and whole groups are resampled.

    Raises:
        InvalidRequest: sets of different shape, fewer than 2 groups, no bandwidth in the references.
    """
    return percentile_interval(
        *gap_kad_drawn(real, rendered, groups=groups, bandwidth=bandwidth, resamples=resamples, seed=seed)
    )


def gap_kad_drawn(
    real: Embeddings,
    rendered: Embeddings,
    *,
    groups: Int[np.ndarray, " _rows"] | None = None,
    bandwidth: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, Float[np.ndarray, " drawn"]]:
    """The value of :func:`gap_kad`, and what it is in each bootstrap sample.

    Two methods on the same groups, with the same seed, are drawn alike: sample by sample, their difference is that of
    the same clips.
    """
    if real.shape != rendered.shape:
        raise InvalidRequest(f"expected one rendered row a real one, got {rendered.shape} against {real.shape}")
    _, group = np.unique(np.arange(len(real)) if groups is None else groups, return_inverse=True)
    if len(group) != len(real):
        raise InvalidRequest(f"expected one group a row, got {len(group)} for {len(real)} rows")
    count = int(group.max(initial=-1)) + 1
    if count < 2:
        raise InvalidRequest(f"expected at least 2 independent clips, got {count}: use more excerpts")
    width = bandwidth_of(real) if bandwidth is None else bandwidth
    h = _pair_terms(real.astype(np.float64), rendered.astype(np.float64), width)
    member = np.eye(count)[group]
    between = member.T @ h @ member
    sizes = member.sum(0)
    pairs = np.outer(sizes, sizes)
    np.fill_diagonal(between, 0.0)
    np.fill_diagonal(pairs, 0.0)
    weights = resampled_counts(count, resamples, seed).astype(float)
    weights = weights[(weights > 0).sum(1) > 1]  # a sample of one clip alone has no pair
    drawn = _quadratic(weights, between) / _quadratic(weights, pairs)
    return SCALE * float(between.sum() / pairs.sum()), SCALE * drawn


def _quadratic(
    weights: Float[np.ndarray, "n groups"], of: Float[np.ndarray, "groups groups"]
) -> Float[np.ndarray, " n"]:
    return np.asarray(((weights @ of) * weights).sum(1))


def _pair_terms(x: Embeddings, y: Embeddings, bandwidth: float) -> Float[np.ndarray, "clips clips"]:
    """h(z_i, z_j) for all pairs."""

    def k(a: Embeddings, b: Embeddings) -> Float[np.ndarray, "clips clips"]:
        return np.asarray(np.exp(-cdist(a, b, "sqeuclidean") / (2.0 * bandwidth**2)))

    across = k(x, y)
    h: Float[np.ndarray, "clips clips"] = k(x, x) + k(y, y) - across - across.T
    return h
