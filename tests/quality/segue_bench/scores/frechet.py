"""gap-FAD: the Frechet distance of embeddings (Kilgour et al. 2019), for many clips only."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from segue.errors import InvalidRequest

FEWEST = 1000
"""Clips from which it is given: below, the covariance of 200 features is noise and the distance is mostly bias."""

Embeddings = Float[np.ndarray, "_clips features"]


def gap_fad(real: Embeddings, rendered: Embeddings) -> float:
    """|mu_a - mu_b|^2 + tr(A + B - 2 (A B)^(1/2)) of the two sets' means and covariances.

    Raises:
        InvalidRequest: fewer than 1,000 clips in a set.
    """
    if min(len(real), len(rendered)) < FEWEST:
        raise InvalidRequest(
            f"expected at least {FEWEST} clips in each set for a Frechet distance, got {len(real)} and "
            f"{len(rendered)}: use gap-KAD, which has no bias"
        )
    a, b = real.astype(np.float64), rendered.astype(np.float64)
    apart = a.mean(0) - b.mean(0)
    A, B = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    values, vectors = np.linalg.eigh(A)
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    crossed = np.sqrt(
        np.maximum(np.linalg.eigvalsh(root @ B @ root), 0.0)
    ).sum()  # tr (A B)^(1/2), A^(1/2) B A^(1/2) being similar
    return float(apart @ apart + np.trace(A) + np.trace(B) - 2.0 * crossed)
