"""The Oobleck autoencoder (Evans et al. 2024), which Stable Audio Open and ACE-Step share."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue_export.importers.parts.loading import load_part
from segue_export.importers.source import Source

_DILATIONS = (1, 3, 9)


class Encoder(nn.Module):
    """Audio to latents: the mean of the distribution the encoder gives."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.encoder = vae.encoder

    def forward(self, audio: Tensor) -> Tensor:
        """(batch, 2, samples) to (batch, channels, frames)."""
        mean: Tensor = self.encoder(audio).chunk(2, dim=1)[0]
        return mean


def load_oobleck(source: Source, part: str = "vae") -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder."""
    from diffusers import AutoencoderOobleck  # noqa: PLC0415  seconds to import

    vae: Any = load_part(source, part, AutoencoderOobleck)
    return Encoder(vae), vae.decoder


def geometry(config: dict[str, Any]) -> tuple[int, int, int, int]:
    """Sample rate, latent channels, samples a latent frame, and reach of the encoder in samples.

    Raises:
        InvalidRequest: no stereo.
    """
    if config.get("audio_channels", 2) != 2:
        raise InvalidRequest(f"vae: expected a stereo autoencoder, got {config['audio_channels']} channels")
    strides = [int(s) for s in config.get("downsampling_ratios", (2, 4, 4, 8, 8))]
    step, reach = 1, 3.0  # the first convolution: 7 wide
    for stride in strides:
        reach += step * sum(3 * d for d in _DILATIONS)
        reach += step * stride  # a convolution 2 * stride wide
        step *= stride
    reach += step * 1  # the last convolution: 3 wide
    return (
        int(config.get("sampling_rate", 44100)),
        int(config.get("decoder_input_channels", 64)),
        step,
        math.ceil(reach),
    )
