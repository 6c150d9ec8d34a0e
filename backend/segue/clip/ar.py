"""Autoregressive models: Burg's estimate and what the model says comes next.

x_t = sum_{k=1..p} a_k x_{t-k} + e_t. Seams and short gaps both lean on these two functions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.signal import lfilter, lfiltic

NOISE_FLOOR = 1e-4
"""White noise added before estimation, relative to the RMS (-80 dB)."""

Signal = Float[np.ndarray, " _samples"]


def burg(segments: Sequence[Signal], order: int) -> Float[np.ndarray, " order"]:
    """Coefficients a_1..a_p of one model for several stretches of the same signal, by Burg's method, float64.

    ``segments`` are (samples,); one not longer than the order still in hand stops contributing. The model is stable by
    construction; silence gives zeros. Source: Burg 1975; Kauppinen and Roth 2002 for its use in long extrapolation.
    """
    a = np.zeros(order)
    forward = _with_noise_floor([np.asarray(s, np.float64) for s in segments if len(s) > 1])
    backward = list(forward)
    for m in range(order):
        pairs = [(f[1:], b[:-1]) for f, b in zip(forward, backward, strict=True) if len(f) > 1]
        power = sum(float(f @ f) + float(b @ b) for f, b in pairs)
        if power == 0.0:
            break
        k = 2.0 * sum(float(f @ b) for f, b in pairs) / power
        a[:m], a[m] = a[:m] - k * a[:m][::-1], k
        forward, backward = [f - k * b for f, b in pairs], [b - k * f for f, b in pairs]
    return a


def _with_noise_floor(segments: list[Signal]) -> list[Signal]:
    """Pure tones are predicted to rounding error by few coefficients; without a floor the rest would model rounding."""
    count = sum(len(s) for s in segments)
    energy = sum(float(s @ s) for s in segments)
    level = NOISE_FLOOR * float(np.sqrt(energy / max(count, 1)))
    noise = np.random.default_rng(0)
    return [s + level * noise.standard_normal(len(s)) for s in segments]


def continuation(a: Float[np.ndarray, " order"], history: Signal, length: int) -> Signal:
    """What the model makes of ``history`` when nothing new comes: its next ``length`` samples, float64.

    Linear in ``history``, of which the last p samples count; a missing part of it counts as silence.
    """
    p = len(a)
    if p == 0 or length == 0:
        return np.zeros(length)
    denominator = np.concatenate([[1.0], -a])
    past = np.asarray(history, np.float64)[::-1][:p]
    state = lfiltic([1.0], denominator, np.pad(past, (0, p - len(past))))
    following, _ = lfilter([1.0], denominator, np.zeros(length), zi=state)
    return np.asarray(following)
