"""Alignment and cross-fades: how two pieces of the song are laid over each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.signal import fftconvolve

Stereo = Float[np.ndarray, "2 _samples"]

_FLOOR = 1e-6  # energy of a window that counts as silent
_CENTRED = 1e-3  # correlation that a shift by the whole reach must gain: silence and ties stay where they are


def correlations(around: Stereo, reference: Stereo) -> Float[np.ndarray, " shifts"]:
    """Normalised correlation, in mono, of ``reference`` (2, n) with every run of n samples of ``around``."""
    wide, narrow = around.mean(0), reference.mean(0)
    cross = fftconvolve(wide, narrow[::-1], mode="valid")
    energy = fftconvolve(wide**2, np.ones(len(narrow), np.float32), mode="valid")
    norm = np.sqrt(np.maximum(energy, _FLOOR) * (float(narrow @ narrow) + _FLOOR))
    return np.asarray(cross / norm, np.float32)


def best_shift(score: Float[np.ndarray, " shifts"]) -> int:
    """The shift of the highest of 2 reach + 1 scores, -reach .. reach; near ties go to the smaller shift."""
    reach = len(score) // 2
    if reach == 0:
        return 0
    return int((score - _CENTRED * np.abs(np.arange(-reach, reach + 1)) / reach).argmax()) - reach


def correlation(a: Stereo, b: Stereo) -> float:
    """Normalised correlation of two pieces of equal length, between 0 (unlike, or opposed) and 1."""
    norm = float(np.sqrt(np.einsum("cs,cs->", a, a) * np.einsum("cs,cs->", b, b)))
    return min(1.0, max(0.0, float(np.einsum("cs,cs->", a, b)) / norm)) if norm > _FLOOR else 0.0


def crossfade(a: Stereo, b: Stereo) -> Stereo:
    """From ``a`` to ``b`` over their length, at constant power for the correlation they have.

    Gains u cos^2 and u sin^2 with 1 / u^2 = cos^4 + sin^4 + 2 rho cos^2 sin^2: equal gain where the pieces are alike,
    equal power where they are not, so that neither dips nor swells.
    """
    phase = (np.arange(a.shape[1], dtype=np.float32) + 0.5) * np.float32(np.pi / 2 / max(1, a.shape[1]))
    out, into = np.cos(phase) ** 2, np.sin(phase) ** 2
    power = out**2 + into**2 + np.float32(2.0 * correlation(a, b)) * out * into
    result: Stereo = ((a * out + b * into) / np.sqrt(power)).astype(np.float32)
    return result
