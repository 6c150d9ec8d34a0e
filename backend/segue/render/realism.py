"""Realism: how deep in the manifold of real music a rendering lies (Kynkaanniemi et al. 2019, section 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial.distance import cdist

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.embedders.musicnn import MusicnnEmbedding
from segue.recall.song import Song
from segue.tasks.plan import Stereo

NEIGHBOURS = 3

Embeddings = Float[np.ndarray, "_clips features"]

_WINDOW = 3 * MODEL_RATE  # samples the embedder hears at once
_AROUND = 12  # windows of music on each side of the gap that stand for what is real


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


@dataclass(frozen=True, eq=False)
class Judge:
    """Hears a gap as the guiding embedder does, among windows of three seconds of the music on both sides of it.

    ``timeline`` (2, samples) around the gap, which lies at ``gap`` in it; ``real``: what music is there.
    """

    timeline: Stereo
    gap: Span
    real: Embeddings

    @staticmethod
    def of(song: Song, gap: Span) -> Judge | None:
        """The judge of a gap; None where there is too little music around it to compare with."""
        before, after = (side for side in song.context(gap, _AROUND * _WINDOW))
        windows = [side[:, at : at + _WINDOW] for side in (before, after) for at in _starts(side.shape[1])]
        windows = [window for window in windows if float(np.abs(window).max()) > 0.0]
        if len(windows) < 2 * (NEIGHBOURS + 1):
            return None
        around = np.concatenate([before[:, -_WINDOW:], np.zeros((2, gap.length), np.float32), after[:, :_WINDOW]], 1)
        start = min(_WINDOW, before.shape[1])
        return Judge(around, Span(start, start + gap.length), _embedded(windows))

    def realism(self, take: Stereo) -> float:
        """Of a take, (2, gap) at the song's level, in its place; of a longer one its middle three seconds."""
        audio = self.timeline.copy()
        audio[:, self.gap.start : self.gap.stop] = take
        middle = (self.gap.start + self.gap.stop - _WINDOW) // 2
        start = max(0, min(middle, audio.shape[1] - _WINDOW))
        return float(realism(self.real, _embedded([audio[:, start : start + _WINDOW]]))[0])


def _starts(samples: int) -> range:
    return range(0, samples - _WINDOW + 1, _WINDOW)


def _embedded(windows: list[Stereo]) -> Embeddings:
    embedder = MusicnnEmbedding()
    with torch.no_grad():
        heard = [embedder(torch.from_numpy(np.ascontiguousarray(w[None], np.float32)))[0].numpy() for w in windows]
    return np.stack(heard)
