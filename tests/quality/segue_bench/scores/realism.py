"""Realism: how deep in the manifold of real music a rendering lies (Kynkaanniemi et al. 2019, section 5)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from segue.errors import InvalidRequest
from segue.render.realism import NEIGHBOURS, realism
from segue_bench.statistics import RESAMPLES, Interval, percentile_interval, resampled_counts

__all__ = ["NEIGHBOURS", "realism", "relative_realism"]


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
