"""Copy check: the largest correlation of a rendered gap with anything it could have been copied from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Complex, Float
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import resample_poly

from segue.recall.fades import correlations
from segue.tasks.plan import Stereo

STEP = 8
"""Places are found at 5.5 kHz, then measured at 44.1 kHz within two such samples."""

_SILENT = 1e-8  # mean square (-80 dBFS) under which nothing is copied


def _coarse(audio: Stereo) -> Float[np.ndarray, " samples"]:
    coarse: Float[np.ndarray, " samples"] = resample_poly(audio.mean(0), 1, STEP).astype(np.float32)
    return coarse


@dataclass(frozen=True, eq=False)
class _Part:
    """One uninterrupted stretch, and its spectrum for searching."""

    audio: Stereo
    length: int  # coarse samples of what is searched for
    signal: Float[np.ndarray, " samples"] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signal", _coarse(self.audio))

    @cached_property
    def spectrum(self) -> Complex[np.ndarray, " bins"]:
        return np.asarray(rfft(self.signal, next_fast_len(len(self.signal), real=True)))

    @cached_property
    def weights(self) -> Float[np.ndarray, " places"]:
        """1 over the norm of each run of ``length`` samples; 0 where it is silent."""
        energy = np.cumsum(np.pad(self.signal.astype(np.float64) ** 2, (1, 0)))
        energy = energy[self.length :] - energy[: -self.length]
        heard = energy > _SILENT * self.length
        return np.asarray(np.where(heard, 1.0 / np.sqrt(np.where(heard, energy, 1.0)), 0.0), np.float32)

    def best(self, wanted: Float[np.ndarray, " length"]) -> tuple[float, int]:
        """The highest unnormalised match and its place."""
        size = next_fast_len(len(self.signal), real=True)
        match = irfft(self.spectrum * rfft(wanted, size).conj(), size)[: len(self.weights)] * self.weights
        place = int(np.abs(match).argmax())
        return float(abs(match[place])), place


@dataclass(frozen=True, eq=False)
class Material:
    """What a gap of ``length`` samples could be copied from: uninterrupted stretches of at least that length."""

    parts: tuple[_Part, ...]
    length: int

    @staticmethod
    def of(stretches: Iterable[Stereo], length: int) -> Material:
        """Index the stretches; those shorter than the gap hold no copy of it."""
        coarse = -(-length // STEP)
        return Material(tuple(_Part(s, coarse) for s in stretches if s.shape[1] >= length), length)

    def copied(self, rendered: Stereo) -> float | None:
        """Largest |normalised correlation|, in mono, of the whole gap with any place: 1 is a copy, or its inverse.

        None where there is nothing to copy from; 0 for a silent rendering.
        """
        if not self.parts:
            return None
        wanted = _coarse(rendered)
        if float(np.mean(wanted**2)) < _SILENT:
            return 0.0
        _, place, part = max(((*part.best(wanted), part) for part in self.parts), key=lambda found: found[0])
        start = place * STEP
        around = part.audio[:, max(0, start - 2 * STEP) : start + self.length + 2 * STEP]
        return min(1.0, float(np.abs(correlations(around, rendered)).max()))
