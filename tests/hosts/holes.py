"""Music with a hole, the same for every host."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from tests.songs import loop_song

RATE = 48000


@dataclass(frozen=True)
class Holed:
    """A song of which samples ``start`` to ``stop`` are silent; ``audio``: (2, samples) float32."""

    audio: np.ndarray
    start: int
    stop: int

    @property
    def frames(self) -> int:
        return int(self.audio.shape[1])

    @property
    def hole(self) -> slice:
        return slice(self.start, self.stop)


@functools.cache
def holed(seconds: float = 16.0, start: float = 7.0, stop: float = 8.0) -> Holed:
    audio = loop_song(RATE, seconds)
    hole = slice(round(start * RATE), round(stop * RATE))
    audio[:, hole] = 0.0
    return Holed(audio, hole.start, hole.stop)
