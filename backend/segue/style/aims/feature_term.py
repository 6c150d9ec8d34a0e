"""What matching and following a feature share: its operator over the frames that are meant, and their loss."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.guidance.distances import SquaredL2
from segue.guidance.objective import Term
from segue.guidance.operators.contract import Operator
from segue.guidance.operators.registry import OPERATORS
from segue.guidance.operators.within import Within
from segue.style.aims.contract import Ground
from segue.style.features import Feature
from segue.tasks.plan import Stereo

_AROUND = 4 * MODEL_RATE  # samples of context on each side that say what is usual


def operator_of(feature: Feature) -> Operator:
    """The feature's operator at 44.1 kHz."""
    return OPERATORS.make(feature.operator.name, rate=float(MODEL_RATE), **feature.operator.settings)


def meant(feature: Feature, ground: Ground) -> Span:
    """The frames of ``ground.heard`` that are centred inside; the nearest one where none is."""
    first = -(-(ground.inside.start - ground.heard.start) // feature.hop)
    last = -(-(ground.inside.stop - ground.heard.start) // feature.hop)
    if first == last:  # a gap shorter than a hop
        first, last = first - 1, first
    return Span(max(0, first), max(1, last))


def seconds(feature: Feature, ground: Ground) -> Float[np.ndarray, " frames"]:
    """Times of those frames on the timeline."""
    frames = meant(feature, ground)
    return (ground.heard.start + np.arange(frames.start, frames.stop) * feature.hop) / MODEL_RATE


def measured(operator: Operator, audio: Stereo) -> Float[Tensor, "one ..."]:
    """What the operator makes of audio, with no gradient."""
    with torch.no_grad():
        return operator(torch.from_numpy(np.ascontiguousarray(audio, np.float32))[None])


def usual(feature: Feature, ground: Ground, side: int | None = None) -> Float[Tensor, "one ..."] | None:
    """What the feature usually is in the music beside the gap, None where that is too short.

    ``side``: 0 for what is before, 1 for what is after, None for both. The median over time; of onsets the mean number:
    where they are far apart, there are none at most times, and twice as many would be none too.
    """
    operator = operator_of(feature)
    contexts = ground.song.context(ground.gap, _AROUND)
    chosen = contexts if side is None else (contexts[side],)
    found = [measured(operator, audio) for audio in chosen if audio.shape[1] >= 2 * feature.n_fft]
    if not found:
        return None
    values = torch.cat(found, -1)
    return values.exp2().mean(-1).log2() if feature.summed else values.median(-1).values


def feature_term(feature: Feature, ground: Ground, target: Float[Tensor, "one ..."], weight: float) -> Term:
    """The mean square of the differences to ``target`` over the meant frames, in the feature's scale."""
    frames = meant(feature, ground)
    entries = target[0].numel()
    return Term(
        Within(operator_of(feature), frames.start, frames.stop),
        SquaredL2(),
        target,
        weight / (entries * feature.scale**2),
        on="audio",
    )
