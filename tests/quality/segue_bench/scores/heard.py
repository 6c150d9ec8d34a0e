"""A gap as the scores hear it: as it really is, and as it was rendered; each analysis is made once, when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from segue.clip.span import Span
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE
from segue_bench.scores.chroma import chroma
from segue_bench.scores.log_spectral import log_spectrum
from segue_bench.scores.multiscale import Scales, log_mels
from segue_bench.scores.onsets import HOP, N_FFT, onset_strength, pick_onsets

_BESIDE = RATE // 2  # samples on each side of the gap in which beginnings are heard too, so that its edges are none


@dataclass(frozen=True, eq=False)
class Heard:
    """A filled gap with what is around it.

    ``audio`` (2, samples), the track at the reference level, 44.1 kHz; ``gap`` and ``seams`` in its samples (one span,
    and where a rendering was pasted over the context, that one too); ``at``: the timeline's sample at which it begins;
    ``embedding`` and ``logits`` of the scoring embedder.
    """

    audio: Stereo
    gap: Span
    seams: tuple[Span, ...]
    at: int
    embedding: Float[np.ndarray, " features"] = field(repr=False)
    logits: Float[np.ndarray, " tags"] = field(repr=False)

    @cached_property
    def inside(self) -> Stereo:
        """(2, gap): what most scores compare."""
        return self.audio[:, self.gap.start : self.gap.stop]

    @cached_property
    def scales(self) -> Scales:
        """Log-mels of the gap at seven time scales."""
        return log_mels(self.inside)

    @cached_property
    def spectrum(self) -> Float[np.ndarray, "2 bins frames"]:
        """Level of the gap's bins in dB."""
        return log_spectrum(self.inside)

    @cached_property
    def chroma(self) -> Float[np.ndarray, "12 frames"] | None:
        """Pitch classes of the gap."""
        return chroma(self.inside)

    @cached_property
    def _strength(self) -> tuple[Float[np.ndarray, " frames"], Float[np.ndarray, "registers frames"]]:
        """Times (seconds of the timeline) and onset strength of the gap and half a second beside it."""
        first = max(0, self.gap.start - _BESIDE)
        strength = onset_strength(self.audio[:, first : self.gap.stop + _BESIDE])
        return (self.at + first + np.arange(strength.shape[1]) * HOP) / RATE, strength

    @cached_property
    def rhythm(self) -> tuple[Float[np.ndarray, " frames"], Float[np.ndarray, "registers frames"]]:
        """Times in seconds of the timeline, and onset strength, of the frames that hear the gap alone.

        A step of sound at a seam is no rhythm: other scores count it.
        """
        times, strength = self._strength
        reach = (N_FFT // 2 + HOP) / RATE
        alone = self._inside(times - reach) & self._inside(times + reach)
        return times[alone], strength[:, alone]

    @cached_property
    def onsets(self) -> Float[np.ndarray, " onsets"]:
        """Times, in seconds of the timeline, at which sounds begin in the gap."""
        times, strength = self._strength
        found = pick_onsets(strength) + times[0]
        inside: Float[np.ndarray, " onsets"] = found[self._inside(found)]
        return inside

    def _inside(self, seconds: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        samples = seconds * RATE - self.at
        inside: Bool[np.ndarray, " n"] = (samples >= self.gap.start) & (samples < self.gap.stop)
        return inside
