"""A learned codec (autoencoder) as ONNX graphs, differentiable both ways."""

from __future__ import annotations

from dataclasses import dataclass

from torch.nn.functional import pad

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

        Where the graphs take groups of frames alone, silence behind the audio fills the last group, and its frames are
        dropped again: what lies within ``reach`` of the end hears it, as it would hear any edge.

        Raises:
            InvalidRequest: samples are no multiple of ``token``, or not float32.
        """
        if audio.shape[-1] % self.token:
            raise InvalidRequest(f"expected a multiple of {self.token} samples, got {audio.shape[-1]}: pad the window")
        frames = audio.shape[-1] // self.token
        missing = -frames % self.encoder.signature.frames_multiple
        return self.encoder(pad(audio, (0, missing * self.token)), {})[..., :frames]

    def decode(self, latents: Latents, excitation: StereoBatch | None = None) -> StereoBatch:
        """Audio of frames * token samples; the excitation, which other codecs need, plays no part.

        The last frame, repeated, fills the last group of frames, as in :meth:`encode`.

        Raises:
            InvalidRequest: latents of another shape, or not float32.
        """
        missing = -latents.shape[-1] % self.decoder.signature.frames_multiple
        filled = pad(latents, (0, missing), "replicate") if missing else latents
        return self.decoder(filled, {})[..., : latents.shape[-1] * self.token]
