"""Follow: a feature goes where it was drawn."""

from __future__ import annotations

import numpy as np
import torch

from segue.errors import InvalidRequest
from segue.guidance.objective import Term
from segue.style.aims.contract import Ground
from segue.style.aims.feature_term import feature_term, seconds, usual
from segue.style.features import Place, feature
from segue.style.terms import Follow


def aim_follow(follow: Follow, ground: Ground) -> Term:
    """The drawn values at the frames that are meant, as the operator measures them."""
    it = feature(follow.feature).drawn.fitting(ground.heard.length)
    if it.asked is None:
        raise InvalidRequest(f"{follow.feature} cannot be drawn as a curve; it can be matched")
    around = usual(it, ground)
    place = Place(ground.song.gain, 0.0 if around is None else float(around[0]))
    asked = it.asked(follow.curve.at(seconds(it, ground)), place)
    return feature_term(it, ground, torch.from_numpy(asked.astype(np.float32))[None], follow.weight)
