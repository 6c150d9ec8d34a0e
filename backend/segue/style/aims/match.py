"""Match: a feature of the original is kept, or that of the music around the gap where nothing is known of it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue.clip.clip import MODEL_RATE
from segue.errors import InvalidRequest
from segue.guidance.objective import Term
from segue.render.scene import cut, paste
from segue.style.aims.contract import Ground
from segue.style.aims.feature_term import feature_term, meant, measured, operator_of, seconds, usual
from segue.style.features import Feature, feature
from segue.style.terms import Match


def aim_match(match: Match, ground: Ground) -> Term:
    """The original's own course where there is one, else a line from what is usual before to what is usual after.

    Raises:
        InvalidRequest: neither an original nor enough music beside the gap.
    """
    it = feature(match.feature).fitting(ground.heard.length)
    target = _around(it, match.feature, ground) if ground.original is None else _original(it, ground)
    return feature_term(it, ground, target + match.shift, match.weight)


def _original(it: Feature, ground: Ground) -> Float[Tensor, "one ..."]:
    assert ground.original is not None
    audio = cut(ground.song.audio[:, : ground.song.timeline], ground.heard)
    paste(audio, ground.heard, ground.original, ground.gap)
    frames = meant(it, ground)
    return measured(operator_of(it), audio)[..., frames.start : frames.stop]


def _around(it: Feature, name: str, ground: Ground) -> Float[Tensor, "one ..."]:
    before, after = usual(it, ground, 0), usual(it, ground, 1)
    left, right = (after if before is None else before), (before if after is None else after)
    if left is None or right is None:
        raise InvalidRequest(
            f"matching {name} needs an original, or at least {2 * it.n_fft / MODEL_RATE:.2f} s of music beside the gap"
        )
    along = (seconds(it, ground) * MODEL_RATE - ground.gap.start) / ground.gap.length
    share = torch.from_numpy(np.clip(along, 0.0, 1.0).astype(np.float32))
    return left[..., None] * (1.0 - share) + right[..., None] * share
