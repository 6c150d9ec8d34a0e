"""Stable Audio Open 1.0 (Evans et al. 2024): v-prediction on the cosine schedule, prompt and seconds, no mask.

x_t = cos(pi t / 2) x_0 + sin(pi t / 2) eps and v = alpha_t eps - sigma_t x_0 are Segue's own variables. A gap is filled
by guidance gradients and data consistency alone, as in Levy et al. 2023.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue_export.importers.contract import GIVEN, PROMPT, Facts, Licence, TextFacts
from segue_export.importers.parts.clock import from_velocity
from segue_export.importers.parts.licences import STABILITY
from segue_export.importers.parts.loading import load_part
from segue_export.importers.parts.oobleck import geometry, load_oobleck
from segue_export.importers.parts.text import load_encoder, load_tokenizer
from segue_export.importers.source import Part, Source


class Denoiser(nn.Module):
    """The transformer with the conditioners of start and end, in seconds."""

    def __init__(self, transformer: Any, projection: Any) -> None:
        super().__init__()
        self.transformer = transformer
        self.start, self.end = projection.start_number_conditioner, projection.end_number_conditioner
        self.rotary = int(transformer.config.attention_head_dim) // 2

    def forward(self, x_t: Tensor, time: Tensor, prompt_text: Tensor, prompt_given: Tensor, seconds: Tensor) -> Tensor:
        """x0_hat; ``seconds`` (batch, 2): where the sound starts and ends. Without a prompt all tokens are zero."""
        from diffusers.models.embeddings import get_1d_rotary_pos_embed  # noqa: PLC0415

        start, end = self.start(seconds[:, 0]), self.end(seconds[:, 1])
        tokens = torch.cat([prompt_text, start, end], 1) * prompt_given[:, :, None]
        positions = torch.arange(x_t.shape[2] + 1, device=x_t.device)
        rotary = get_1d_rotary_pos_embed(self.rotary, positions, use_real=True, repeat_interleave_real=False)
        v = self.transformer(
            x_t,
            time,
            encoder_hidden_states=tokens,
            global_hidden_states=torch.cat([start, end], 2),
            rotary_embedding=rotary,
            return_dict=False,
        )[0]
        return from_velocity(x_t, v, time)


class Text(nn.Module):
    """T5 and the projection to the transformer's width; padding becomes zero."""

    def __init__(self, encoder: Any, projection: Any) -> None:
        super().__init__()
        self.encoder, self.projection = encoder, projection.text_projection

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """(batch, tokens, width)."""
        hidden: Tensor = self.projection(self.encoder(token_ids, attention_mask=token_mask)[0])
        return hidden * token_mask[:, :, None].to(hidden.dtype)


@dataclass(frozen=True)
class StableAudioOpen:
    """See the module."""

    name: str = "stable-audio-open"
    title: str = "Stable Audio Open 1.0"
    licence: Licence = STABILITY
    weights: str = "https://huggingface.co/stabilityai/stable-audio-open-1.0"
    pipelines: tuple[str, ...] = ("StableAudioPipeline",)
    parts: tuple[Part, ...] = (
        Part("transformer", ("StableAudioDiTModel",)),
        Part("vae", ("AutoencoderOobleck",)),
        Part("projection_model", ("StableAudioProjectionModel",)),
        Part("scheduler", ("EDMDPMSolverMultistepScheduler", "CosineDPMSolverMultistepScheduler"), needs_weights=False),
        Part("text_encoder", ("T5EncoderModel",), optional=True),
        Part("tokenizer", (), optional=True, needs_weights=False),
    )

    def adopt(self, folder: Path) -> Source | None:
        """Diffusers' format alone."""
        return None

    def facts(self, source: Source) -> Facts:
        """The window is the length the model always makes; shorter ones are outside of what it was trained on."""
        rate, channels, token, reach = geometry(source.config("vae"))
        transformer, scheduler = source.config("transformer"), source.config("scheduler")
        width = int(source.config("projection_model")["conditioning_dim"])
        tokens = int(source.config("tokenizer").get("model_max_length", 128)) if source.has("tokenizer") else 128
        window = int(transformer.get("sample_size", 1024))
        return Facts(
            sample_rate=rate,
            channels=channels,
            token=token,
            window=window,
            min_window=window,
            reach=reach,
            conditioning=(
                (PROMPT, ("batch", tokens, width)),
                (GIVEN, ("batch", 1)),
                ("seconds", ("batch", 2)),
            ),
            sampling={
                "sampler": _solver(source),
                "steps": 100,
                "schedule": "edm",
                "low": -math.log(float(scheduler.get("sigma_max", 500.0))),
                "high": -math.log(float(scheduler.get("sigma_min", 0.3))),
            },
            prompting={"scale": 7.0},
        )

    def denoiser(self, source: Source, unprompted: Tensor | None) -> nn.Module:
        """Without a prompt its tokens are zero, as in the family's own pipeline."""
        from diffusers import StableAudioDiTModel  # noqa: PLC0415  seconds to import

        return Denoiser(load_part(source, "transformer", StableAudioDiTModel), _projection(source))

    def codec(self, source: Source) -> tuple[nn.Module, nn.Module]:
        """Oobleck."""
        return load_oobleck(source)

    def tokens(self, source: Source) -> TextFacts:
        """Prompts are padded to the tokenizer's length."""
        tokenizer, length, pad = load_tokenizer(source)
        return TextFacts(tokenizer, max_length=length, pad_to=length, pad_id=pad)

    def text_encoder(self, source: Source) -> nn.Module:
        """T5."""
        from transformers import T5EncoderModel  # noqa: PLC0415  seconds to import

        return Text(load_encoder(source, T5EncoderModel), _projection(source))


def _solver(source: Source) -> str:
    """The pipeline's own: stochastic in the published model.

    Raises:
        InvalidRequest: other noise levels, or another prediction, than the family's.
    """
    config = source.config("scheduler")
    schedule, prediction = (config.get(key) for key in ("sigma_schedule", "prediction_type"))
    if schedule not in (None, "exponential") or prediction not in (None, "v_prediction"):
        raise InvalidRequest(
            f"scheduler: expected exponential noise levels and v_prediction, got {schedule} and {prediction}: this "
            "variant is not supported"
        )
    cosine = source.class_of("scheduler") == "CosineDPMSolverMultistepScheduler"
    return "dpmpp-sde" if cosine or str(config.get("algorithm_type")).startswith("sde") else "dpmpp"


def _projection(source: Source) -> Any:
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel  # noqa: PLC0415

    return load_part(source, "projection_model", StableAudioProjectionModel)


FAMILY = StableAudioOpen()
