"""What sounds on and what strikes: the harmonic part of mel frames, as a running median over time.

After Fitzgerald, "Harmonic/percussive separation using median filtering" (DAFx 2010), on a log-mel: a frame's partials
last for several frames and survive the median, attacks do not. What a frame has beyond it is percussive.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

REACH = 8
"""Frames on each side that a frame's harmonic part listens to."""


def harmonic_part(frames: Float[np.ndarray, "frames bands"]) -> Float[np.ndarray, "frames bands"]:
    """The median over ``2 * REACH + 1`` frames, the ends held."""
    held = np.pad(frames, ((REACH, REACH), (0, 0)), mode="edge")
    around = sliding_window_view(held, 2 * REACH + 1, axis=0)
    median: Float[np.ndarray, "frames bands"] = np.partition(around, REACH, axis=-1)[..., REACH]
    return median
