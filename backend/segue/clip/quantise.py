"""Float audio to the integer steps of a file, and native samples to float."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32

Native = (
    Int32[np.ndarray, "channels _samples"]
    | Float32[np.ndarray, "channels _samples"]
    | Float64[np.ndarray, "channels _samples"]
)
"""Samples as a file holds them: integers left-justified in 32 bits, or its floats."""

BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
DITHERED_BITS = 16
"""Up to this depth patches are dithered; at 24 bits a float32 patch has no more to round than its own precision."""


@dataclass(frozen=True)
class Quantised:
    """``samples`` as written; ``over``: how many were beyond full scale and stand at it now; ``dithered`` or not."""

    samples: Native
    over: int
    dithered: bool


def to_native(patch: Float[np.ndarray, "channels _samples"], subtype: str, seed: int) -> Quantised:
    """A patch as samples of ``subtype``, a key of :data:`BITS`, "FLOAT" or "DOUBLE".

    Integers: rounded to the nearest step, with triangular dither of two steps peak to peak up to 16 bits, drawn from
    ``seed``; a patch that lies on the steps already (silence, a copy from the same file) is stored as it is. What
    exceeds full scale is limited to it and counted. Floats keep what exceeds full scale.
    """
    if subtype not in BITS:
        return Quantised(patch.astype(np.float32 if subtype == "FLOAT" else np.float64), 0, False)
    bits = BITS[subtype]
    full = 2.0 ** (bits - 1)
    steps = patch.astype(np.float64) * full
    dithered = bits <= DITHERED_BITS and bool((steps != np.rint(steps)).any())
    if dithered:
        noise = np.random.default_rng(seed)
        steps += noise.uniform(-0.5, 0.5, steps.shape) + noise.uniform(-0.5, 0.5, steps.shape)
    steps = np.rint(steps)
    limited = np.clip(steps, -full, full - 1.0)
    over = int(np.count_nonzero(np.abs(patch) > 1.0))  # 1.0 itself is everyday, and loses one step
    return Quantised((limited.astype(np.int64) << (32 - bits)).astype(np.int32), over, dithered)


def to_float(samples: Native) -> Float32[np.ndarray, "channels _samples"]:
    """Native samples as float32 with full scale 1.0."""
    if samples.dtype == np.int32:
        return samples.astype(np.float32) * np.float32(2.0**-31)
    return samples.astype(np.float32)
