"""A clip in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

MODEL_RATE = 44100
"""Hertz. What every prior hears; other rates are resampled on the way in and, the gap alone, on the way out."""


@dataclass(frozen=True)
class Clip:
    """Audio as (channels, samples) float32 and its rate in hertz; not to be changed in place."""

    samples: Float[np.ndarray, "channels samples"]
    rate: int

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def length(self) -> int:
        """Samples per channel."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.length / self.rate
