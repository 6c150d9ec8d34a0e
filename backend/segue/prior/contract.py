"""What a bundle gives the renderer: a denoiser to bind, and a codec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from segue.sampling.contract import Latents, Prior

REFERENCE_RMS = 0.1
"""Every codec hears audio brought to this RMS (measured on the known part of the song)."""

StereoBatch = Float[Tensor, "batch 2 samples"]


@runtime_checkable
class Codec(Protocol):
    """Waveform to latent and back, differentiable both ways; 44.1 kHz stereo at :data:`REFERENCE_RMS`."""

    @property
    def token(self) -> int:
        """Samples of audio one latent frame stands for."""

    @property
    def channels(self) -> int:
        """Latent channels."""

    @property
    def reach(self) -> int:
        """Samples by which the analysis of a latent frame looks past its own on each side."""

    @property
    def needs_excitation(self) -> bool:
        """Whether :meth:`decode` needs an excitation (the mel codec) or makes audio by itself (an autoencoder)."""

    def encode(self, audio: StereoBatch) -> Latents:
        """Latents (batch, channels, samples / token); samples must be a multiple of ``token``.

        Raises:
            InvalidRequest: they are not.
        """

    def decode(self, latents: Latents, excitation: StereoBatch | None) -> StereoBatch:
        """Audio of frames * token samples.

        Raises:
            InvalidRequest: it :attr:`needs_excitation`, and there is none.
        """


@dataclass(frozen=True)
class ConditioningRequest:
    """All that conditioning providers may draw on, for one window.

    ``mask`` (batch, 1, frames), 1 = known; ``context`` (batch, channels, frames), the latents where known, else 0;
    ``donors`` (batch, n, channels, frames) with ``presence`` (batch, n, frames), 1 where a donor covers a frame;
    ``consensus`` (batch, channels, frames) with ``agreed`` (batch, 1, frames), 1 where there is one: see
    :mod:`segue.recall.consensus`.
    ``seconds``: the window's start on the timeline and its length.
    """

    mask: Float[Tensor, "batch 1 frames"]
    context: Latents
    donors: Float[Tensor, "batch n channels frames"] | None = None
    presence: Float[Tensor, "batch n frames"] | None = None
    consensus: Latents | None = None
    agreed: Float[Tensor, "batch 1 frames"] | None = None
    seconds: tuple[float, float] = (0.0, 0.0)
    extras: Mapping[str, Tensor] = field(default_factory=dict)


@runtime_checkable
class ConditioningProvider(Protocol):
    """Makes one named conditioning input of a graph."""

    def __call__(self, request: ConditioningRequest) -> Tensor:
        """The tensor, float32 unless the manifest says otherwise, batch first."""


@runtime_checkable
class Denoiser(Protocol):
    """A network whose conditioning is not bound yet."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the conditioning inputs, beside x_t and time."""

    @property
    def device(self) -> torch.device:
        """Where x_t must lie."""

    def bind(self, conditioning: Mapping[str, Tensor]) -> Prior:
        """The prior under this conditioning; gradients flow to x_t only.

        Raises:
            InvalidRequest: a named input is missing, unknown, or of another shape.
        """
