"""Stable Audio 3: rectified flow on SAME latents, with mask and masked latents added in every block.

Reads diffusers' format, and Stability's own (model_config.json beside model.safetensors), in which the small models are
published. Distilled weights take 8 "ping-pong" steps (x0, then fresh noise), base weights 100 of Euler, which is DDIM.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue_export.importers.contract import GIVEN, PROMPT, Facts, Licence, TextFacts
from segue_export.importers.parts.clock import to_flow
from segue_export.importers.parts.licences import STABILITY
from segue_export.importers.parts.loading import load_part
from segue_export.importers.parts.same import geometry, make_same
from segue_export.importers.parts.stability import adopt
from segue_export.importers.parts.text import load_encoder, load_tokenizer
from segue_export.importers.source import Part, Source

_PADDING = "prompt_padding_embedding"
_TOKENS = 256  # the family's own cap, whatever the tokenizer allows


class Denoiser(nn.Module):
    """The transformer with the embedder of the duration, which is both a token and a global condition."""

    unprompted: Tensor

    def __init__(self, transformer: Any, duration: Any, unprompted: Tensor) -> None:
        super().__init__()
        self.transformer, self.duration = transformer, duration
        self.register_buffer("unprompted", unprompted)

    def forward(
        self,
        x_t: Tensor,
        time: Tensor,
        mask: Tensor,
        context: Tensor,
        prompt_text: Tensor,
        prompt_given: Tensor,
        seconds: Tensor,
    ) -> Tensor:
        """x0_hat; ``mask`` 1 = known; without a prompt the tokens of the empty one are used."""
        x_flow, tau = to_flow(x_t, time)
        given = prompt_given[:, :, None]
        duration = self.duration(seconds[:, 1] - seconds[:, 0])
        tokens = given * prompt_text + (1 - given) * self.unprompted
        v = self.transformer(
            x_flow,
            tau,
            encoder_hidden_states=torch.cat([tokens, duration[:, None]], 1),
            global_hidden_states=duration,
            local_add_cond=torch.cat([mask, context * mask], 1),
            return_dict=False,
        )[0]
        x0_hat: Tensor = x_flow - tau[:, None, None] * v
        return x0_hat


class Text(nn.Module):
    """T5Gemma's encoder; padding becomes the learned padding embedding."""

    padding: Tensor

    def __init__(self, encoder: Any, padding: Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.register_buffer("padding", padding)

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """(batch, tokens, width)."""
        hidden = self.encoder(token_ids, attention_mask=token_mask)[0]
        return torch.where(token_mask[:, :, None] > 0, hidden, self.padding)


class Encoder(nn.Module):
    """Audio to latents."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.patches, self.encoder, self.bottleneck = vae.patch_embed, vae.encoder, vae.bottleneck

    def forward(self, audio: Tensor) -> Tensor:
        """(batch, 2, samples) to (batch, channels, frames)."""
        latents: Tensor = self.bottleneck.encode(self.encoder(self.patches.encode(audio)))
        return latents


class Decoder(nn.Module):
    """Latents to audio."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.patches, self.decoder, self.bottleneck = vae.patch_embed, vae.decoder, vae.bottleneck

    def forward(self, latents: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, 2, samples)."""
        audio: Tensor = self.patches.decode(self.decoder(self.bottleneck.decode(latents)))
        return audio


LICENCE = replace(STABILITY, summary=f"{STABILITY.summary} The text encoder is Google's, under the Gemma Terms of Use.")


@dataclass(frozen=True)
class StableAudio3:
    """See the module."""

    name: str = "stable-audio-3"
    title: str = "Stable Audio 3"
    licence: Licence = LICENCE
    weights: str = "https://huggingface.co/stabilityai (stable-audio-3-small-music, stable-audio-3-medium)"
    pipelines: tuple[str, ...] = (
        "StableAudio3Pipeline",
        "StableAudio3InpaintPipeline",
        "StableAudio3AudioToAudioPipeline",
    )
    parts: tuple[Part, ...] = (
        Part("transformer", ("StableAudio3DiTModel",)),
        Part("vae", ("AutoencoderSAME",)),
        Part("duration_embedder", ("StableAudio3DurationEmbedder",)),
        Part("scheduler", ("FlowMatchEulerDiscreteScheduler",), needs_weights=False),
        Part("text_encoder", ("T5GemmaEncoderModel",), optional=True),
        Part("tokenizer", (), optional=True, needs_weights=False),
    )

    def adopt(self, folder: Path) -> Source | None:
        """Stability's own format."""
        return adopt(folder)

    def facts(self, source: Source) -> Facts:
        """The window is the longest duration the model was told of, or made, where that is shorter."""
        vae, transformer, duration = (source.config(p) for p in ("vae", "transformer", "duration_embedder"))
        if transformer.get("patch_size", 1) != 1:
            raise InvalidRequest(f"transformer: expected patch_size 1, which infills, got {transformer['patch_size']}")
        if vae.get("audio_channels", 2) != 2:
            raise InvalidRequest(f"vae: expected a stereo autoencoder, got {vae['audio_channels']} channels")
        rate, channels = int(vae.get("sampling_rate", 44100)), int(vae.get("latent_dim", 256))
        token, reach, multiple = geometry(vae)
        scheduler = source.config("scheduler")
        distilled = bool(scheduler.get("stochastic_sampling", False))
        longest = min(float(duration.get("max_val", 384.0)) * rate, scheduler.get("longest_samples") or math.inf)
        window = int(longest / token)
        return Facts(
            sample_rate=rate,
            channels=channels,
            token=token,
            window=window - window % multiple,
            min_window=multiple,
            latent_multiple=multiple,
            reach=reach,
            conditioning=(
                ("mask", ("batch", 1, "frames")),
                ("context", ("batch", channels, "frames")),
                (PROMPT, ("batch", _length(source), int(transformer.get("cond_token_dim", 768)))),
                (GIVEN, ("batch", 1)),
                ("seconds", ("batch", 2)),
            ),
            sampling={
                "sampler": "pingpong" if distilled else "ddim",
                "steps": 8 if distilled else 100,
                "schedule": "log_snr",
                "low": -6.2,
                "high": 2.0,
            },
        )

    def denoiser(self, source: Source, unprompted: Tensor | None) -> nn.Module:
        """Without a text encoder the empty prompt is all padding."""
        from diffusers import StableAudio3DiTModel  # noqa: PLC0415  seconds to import
        from diffusers.pipelines.stable_audio_3 import StableAudio3DurationEmbedder  # noqa: PLC0415

        transformer: Any = load_part(source, "transformer", StableAudio3DiTModel)
        if unprompted is None:
            unprompted = transformer.prompt_padding_embedding.detach().expand(1, _length(source), -1)
        return Denoiser(
            transformer, load_part(source, "duration_embedder", StableAudio3DurationEmbedder), unprompted.clone()
        )

    def codec(self, source: Source) -> tuple[nn.Module, nn.Module]:
        """SAME."""
        vae = load_part(source, "vae", make_same)
        return Encoder(vae), Decoder(vae)

    def tokens(self, source: Source) -> TextFacts:
        """Prompts are padded to 256 tokens."""
        tokenizer, _, pad = load_tokenizer(source)
        return TextFacts(tokenizer, max_length=_length(source), pad_to=_length(source), pad_id=pad)

    def text_encoder(self, source: Source) -> nn.Module:
        """T5Gemma, of which the published checkpoints hold a decoder too."""
        from transformers import T5GemmaEncoderModel  # noqa: PLC0415  seconds to import

        encoder = load_encoder(source, T5GemmaEncoderModel, is_encoder_decoder=False)
        return Text(encoder, source.tensor("transformer", _PADDING))


def _length(source: Source) -> int:
    """Tokens of a prompt."""
    stated = source.config("tokenizer").get("model_max_length", _TOKENS) if source.has("tokenizer") else _TOKENS
    return int(min(float(stated), _TOKENS))


FAMILY = StableAudio3()
