"""A codec that works at a rate of its own, as the renderer hears it: at 44.1 kHz."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from segue.clip.clip import MODEL_RATE
from segue.clip.polyphase import MAX_PHASES, filter_reach, resample
from segue.errors import BundleRejected
from segue.prior.contract import Codec, StereoBatch
from segue.sampling.contract import Latents


@dataclass(frozen=True)
class RatedCodec:
    """``own`` at ``rate`` hertz behind a differentiable change of rate on both sides.

    All else in a render, from donors to seams, is at 44.1 kHz, so that it is one and the same whatever the bundle. A
    latent frame stands for a whole number of samples at both rates. The filter (:mod:`segue.clip.polyphase`) is flat to
    20.1 kHz and 120 dB down at the lower Nyquist frequency.

    Raises:
        BundleRejected: a frame is no whole number of samples at 44.1 kHz, or the rates share too few samples.
    """

    own: Codec
    rate: int

    def __post_init__(self) -> None:
        common = math.gcd(self.rate, MODEL_RATE)
        if self.own.token * MODEL_RATE % self.rate or max(self.rate, MODEL_RATE) // common > MAX_PHASES:
            raise BundleRejected(
                f"a latent frame of {self.own.token} samples at {self.rate} Hz is no whole number of samples at "
                f"{MODEL_RATE} Hz, or the rates share too few: this Segue cannot run such a codec"
            )

    @property
    def token(self) -> int:
        """Samples at 44.1 kHz that a latent frame stands for."""
        return self.own.token * MODEL_RATE // self.rate

    @property
    def channels(self) -> int:
        """Latent channels."""
        return self.own.channels

    @property
    def reach(self) -> int:
        """Samples at 44.1 kHz on each side of a latent frame's own that count for it, those of the filter included."""
        return -(-self.own.reach * MODEL_RATE // self.rate) + filter_reach(MODEL_RATE, self.rate)

    @property
    def needs_excitation(self) -> bool:
        """As the codec itself."""
        return self.own.needs_excitation

    def encode(self, audio: StereoBatch) -> Latents:
        """Latents of 44.1 kHz audio of a multiple of ``token`` samples."""
        return self.own.encode(_at(audio, MODEL_RATE, self.rate))

    def decode(self, latents: Latents, excitation: StereoBatch | None = None) -> StereoBatch:
        """44.1 kHz audio of frames * ``token`` samples."""
        heard = None if excitation is None else _at(excitation, MODEL_RATE, self.rate)
        return _at(self.own.decode(latents, heard), self.rate, MODEL_RATE)


def _at(audio: Float[Tensor, "batch 2 _samples"], rate: int, to: int) -> Float[Tensor, "batch 2 _resampled"]:
    resampled = resample(audio.flatten(0, 1), rate, to)
    return resampled.reshape(len(audio), 2, resampled.shape[-1])
