"""A learned codec (autoencoder) as ONNX graphs, differentiable both ways."""

from __future__ import annotations

from dataclasses import dataclass

from segue.errors import InvalidRequest
from segue.prior.contract import StereoBatch
from segue.prior.onnx_function import OnnxFunction
from segue.sampling.contract import Latents


@dataclass(frozen=True)
class OnnxCodec:
    """Waveform to latent and back through a bundle's graphs (:class:`segue.prior.contract.Codec`).

    ``token`` samples stand for one latent frame; ``reach`` samples on each side of them also count in the encoder.
    """

    encoder: OnnxFunction
    decoder: OnnxFunction
    token: int
    channels: int
    reach: int

    @property
    def needs_excitation(self) -> bool:
        """An autoencoder makes audio by itself."""
        return False

    def encode(self, audio: StereoBatch) -> Latents:
        """Latents (batch, channels, samples / token).

        Raises:
            InvalidRequest: samples are no multiple of ``token`` (or of what the graphs' strides ask), or not float32.
        """
        if audio.shape[-1] % self.token:
            raise InvalidRequest(f"expected a multiple of {self.token} samples, got {audio.shape[-1]}: pad the window")
        return self.encoder(audio, {})

    def decode(self, latents: Latents, excitation: StereoBatch | None = None) -> StereoBatch:
        """Audio of frames * token samples; the excitation, which other codecs need, plays no part.

        Raises:
            InvalidRequest: latents of another shape, or not float32.
        """
        return self.decoder(latents, {})
