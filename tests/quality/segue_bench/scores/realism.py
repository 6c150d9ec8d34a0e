"""Realism: how deep in the manifold of real music a rendering lies (Kynkaanniemi et al. 2019, section 5)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

from segue.errors import InvalidRequest
from segue_bench.statistics import RESAMPLES, Interval, percentile_interval, resampled_counts

NEIGHBOURS = 3

Embeddings = Float[np.ndarray, "_clips features"]


def realism(real: Embeddings, rendered: Embeddings, neighbours: int = NEIGHBOURS) -> Float[np.ndarray, " clips"]:
    """For each rendering, the largest radius / distance over the real embeddings: 1 and more is inside the manifold.

    The radius of a real embedding reaches its third nearest neighbour; the half with the larger radii, outliers mostly,
    is left out, as in the paper. A real embedding equal to the rendering's (the real gap among the references) does not
    count for it.

    Raises:
        InvalidRequest: too few real embeddings for the neighbours.
    """
    if len(real) < 2 * (neighbours + 1):
        raise InvalidRequest(
            f"expected at least {2 * (neighbours + 1)} real embeddings, got {len(real)}: use more clips"
        )
    a, b = real.astype(np.float64), rendered.astype(np.float64)
    radius = np.partition(cdist(a, a), neighbours, axis=1)[:, neighbours]  # itself is the nearest, at 0
    kept = radius <= np.median(radius)
    distance = cdist(b, a[kept])
    ratio = np.divide(radius[kept], distance, out=np.zeros_like(distance), where=distance > 0.0)
    return np.asarray(ratio.max(1))


def relative_realism(
    of: Float[np.ndarray, " _clips"],
    cross_fade: Float[np.ndarray, " _clips"],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Mean realism of a method over that of the constant-power cross-fade on the same clips; bootstrap over clips.

    Raises:
        InvalidRequest: different numbers of clips, or a cross-fade without realism.
    """
    if len(of) != len(cross_fade) or not cross_fade.mean() > 0.0:
        raise InvalidRequest(
            f"expected the cross-fade's realism, above 0, for each of {len(of)} clips, got {len(cross_fade)} values"
        )
    counts = resampled_counts(len(of), resamples, seed).astype(float)
    drawn = (counts @ of) / np.maximum(counts @ cross_fade, np.finfo(float).tiny)
    return percentile_interval(float(of.mean() / cross_fade.mean()), drawn)
