"""Reference clips: to sound like them to the guiding ear."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue.clip.clip import MODEL_RATE
from segue.errors import InvalidRequest
from segue.guidance.distances import L2
from segue.guidance.embedders.musicnn import MusicnnEmbedding
from segue.guidance.objective import Term
from segue.guidance.operators.identity import Identity
from segue.prior.contract import REFERENCE_RMS
from segue.style.aims.contract import Ground
from segue.style.terms import Reference
from segue.tasks.plan import Stereo

PLACES = 8
"""Places of a clip that are heard at the most, 3 s each, spread evenly."""

_HEARD = 3 * MODEL_RATE
_FAR = 0.5  # of the embedding's own length: plainly another sound
_SILENT_RMS = 1e-5


def aim_reference(reference: Reference, ground: Ground) -> Term:
    """L2 to the mean of the clips' embeddings, in halves of its length."""
    target = torch.stack([embedding_of(clip) for clip in ground.references]).mean(0)[None]
    weight = reference.weight / (_FAR * float(target.norm()))
    return Term(Identity(), L2(), target, weight, on="audio", embedder=MusicnnEmbedding())


def embedding_of(clip: Stereo) -> Float[Tensor, " features"]:
    """How a clip at 44.1 kHz sounds to the ear, at the level at which the ear hears the render.

    Raises:
        InvalidRequest: shorter than 3 s, or silent.
    """
    if clip.shape[1] < _HEARD:
        raise InvalidRequest(f"expected a reference of at least 3 s, got {clip.shape[1] / MODEL_RATE:.2f} s")
    rms = float(np.sqrt(np.mean(np.square(clip, dtype=np.float64))))
    if not rms > _SILENT_RMS:
        raise InvalidRequest("the reference is silent: give music to sound like")
    places = min(PLACES, max(1, clip.shape[1] // _HEARD))
    starts = np.linspace(0, clip.shape[1] - _HEARD, places).round().astype(int)
    heard = np.stack([clip[:, start : start + _HEARD] for start in starts]) * np.float32(REFERENCE_RMS / rms)
    ear = MusicnnEmbedding()
    with torch.no_grad():
        return torch.cat([ear(torch.from_numpy(one[None])) for one in heard]).mean(0)
