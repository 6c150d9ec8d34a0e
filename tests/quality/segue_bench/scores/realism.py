"""Realism: how deep in the manifold of real music a rendering lies (Kynkaanniemi et al. 2019, section 5)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from segue.errors import InvalidRequest
from segue.render.realism import NEIGHBOURS, realism
from segue_bench.statistics import RESAMPLES, Interval, percentile_interval, resampled_counts

__all__ = ["NEIGHBOURS", "realism", "relative_realism"]


def relative_realism(
    of: Float[np.ndarray, " _clips"],
    cross_fade: Float[np.ndarray, " _clips"],
    groups: Int[np.ndarray, " _clips"] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Mean realism of a method over that of the constant-power cross-fade on the same clips.

    Bootstrap over clips, or over whole ``groups`` of them, which are numbered from 0.

    Raises:
        InvalidRequest: different numbers of clips, or a cross-fade without realism.
    """
    if len(of) != len(cross_fade) or not cross_fade.mean() > 0.0:
        raise InvalidRequest(
            f"expected the cross-fade's realism, above 0, for each of {len(of)} clips, got {len(cross_fade)} values"
        )
    ours, theirs = (np.bincount(np.arange(len(of)) if groups is None else groups, x) for x in (of, cross_fade))
    counts = resampled_counts(len(ours), resamples, seed).astype(float)
    drawn = (counts @ ours) / np.maximum(counts @ theirs, np.finfo(float).tiny)
    return percentile_interval(float(of.mean() / cross_fade.mean()), drawn)
