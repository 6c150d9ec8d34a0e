"""Diversity: how much a method's seeds differ, against how much real music does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import pdist

from segue.errors import InvalidRequest
from segue.tasks.plan import Stereo
from segue_export.train.measures import mel_db

Embeddings = Float[np.ndarray, "_clips features"]


def embedding_diversity(by_case: Sequence[Embeddings], real: Embeddings) -> float:
    """Mean distance between the seeds' embeddings of a case, averaged over cases, over that among real segments.

    0: all seeds sound the same; 1: as far apart as two places of real music.

    Raises:
        InvalidRequest: no case with two seeds, fewer than two real segments, or real segments that are all the same.
    """
    within = [float(pdist(seeds).mean()) for seeds in by_case if len(seeds) > 1]
    return _ratio(within, float(pdist(real).mean()) if len(real) > 1 else 0.0)


def mel_diversity(by_case: Sequence[Sequence[Stereo]], real: Sequence[Stereo]) -> float:
    """The same in mean log-mel distance (dB); all gaps of one length, at the reference level.

    Raises:
        InvalidRequest: as :func:`embedding_diversity`; segments of different length.
    """
    lengths = {audio.shape[1] for audio in (*real, *(take for takes in by_case for take in takes))}
    if len(lengths) > 1:
        raise InvalidRequest(f"expected gaps of one length, got {sorted(lengths)} samples: score each length by itself")
    within = [_mel_apart(takes) for takes in by_case if len(takes) > 1]
    return _ratio(within, _mel_apart(real) if len(real) > 1 else 0.0)


def _mel_apart(takes: Sequence[Stereo]) -> float:
    mels = [mel_db(take) for take in takes]
    return float(np.mean([np.abs(a - b).mean() for a, b in combinations(mels, 2)]))


def _ratio(within: Sequence[float], among: float) -> float:
    if not within or among <= 0.0:
        raise InvalidRequest(
            f"expected a case with at least two seeds and two different real segments, got {len(within)} such cases "
            f"and a real distance of {among:g}: render more seeds"
        )
    return float(np.mean(within)) / among
