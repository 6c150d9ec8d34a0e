"""ACE-Step 1.5 (base, sft and turbo): rectified flow at 48 kHz, source latents and chunk mask beside the noise.

In the gap the source is the family's own latent of silence and the chunk mask is 1. The tokens of empty lyrics and of
the timbre of silence, which its condition encoder makes, are part of the graph; the prompt's follow them. Turbo weights
take 8 Euler steps without guidance; base and sft ones adaptive projected guidance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segue_export.importers.contract import GIVEN, PROMPT, Facts, Licence, TextFacts
from segue_export.importers.parts.clock import to_flow
from segue_export.importers.parts.loading import load_part
from segue_export.importers.parts.oobleck import geometry, load_oobleck
from segue_export.importers.parts.text import load_encoder, load_tokenizer
from segue_export.importers.source import Part, Source

_TIMBRE_SECONDS = 30
_TEXT_TOKENS = 256
_INSTRUCTION = "Repaint the mask area based on the given conditions:"
_METAS = "- bpm: N/A\n- timesignature: N/A\n- keyscale: N/A\n- duration: {seconds} seconds\n"
TEMPLATE = f"# Instruction\n{_INSTRUCTION}\n\n# Caption\n{{prompt}}\n\n# Metas\n{_METAS}<|endoftext|>\n"
_LYRICS = "# Languages\nen\n\n# Lyric\n<|endoftext|>"


class Denoiser(nn.Module):
    """The transformer with what it hears of silence, lyrics and timbre."""

    silence: Tensor
    prefix: Tensor
    null: Tensor

    def __init__(self, transformer: Any, silence: Tensor, prefix: Tensor, null: Tensor) -> None:
        super().__init__()
        self.transformer = transformer
        for name, value in (("silence", silence), ("prefix", prefix), ("null", null)):
            self.register_buffer(name, value)

    def forward(
        self, x_t: Tensor, time: Tensor, mask: Tensor, context: Tensor, prompt_text: Tensor, prompt_given: Tensor
    ) -> Tensor:
        """x0_hat; ``mask`` 1 = known; without a prompt every token is the learned null condition."""
        x_flow, tau = to_flow(x_t, time)
        known, given = mask.transpose(1, 2), prompt_given[:, :, None]
        positions = torch.arange(x_t.shape[2], device=x_t.device) % self.silence.shape[0]
        source = known * context.transpose(1, 2) + (1 - known) * self.silence[positions]
        chunk = (1 - known).expand_as(source)
        tokens = torch.cat([self.prefix.expand(prompt_text.shape[0], -1, -1), prompt_text], 1)
        v = self.transformer(
            x_flow.transpose(1, 2),
            tau,
            tau,
            given * tokens + (1 - given) * self.null,
            torch.cat([source, chunk], 2),
            return_dict=False,
        )[0]
        x0_hat: Tensor = x_flow - tau[:, None, None] * v.transpose(1, 2)
        return x0_hat


class Text(nn.Module):
    """Qwen3 and the projection to the condition encoder's width."""

    def __init__(self, encoder: Any, projector: nn.Module) -> None:
        super().__init__()
        self.encoder, self.projector = encoder, projector

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """(batch, tokens, width)."""
        hidden = self.encoder(input_ids=token_ids, attention_mask=token_mask, use_cache=False).last_hidden_state
        projected: Tensor = self.projector(hidden)
        return projected


LICENCE = Licence(
    "MIT",
    "https://huggingface.co/ACE-Step/Ace-Step1.5",
    commercial_use=True,
    summary="Free for any use; keep the licence with copies of the weights, and so with the bundle.",
)


@dataclass(frozen=True)
class AceStep:
    """See the module."""

    name: str = "ace-step"
    title: str = "ACE-Step 1.5"
    licence: Licence = LICENCE
    weights: str = "https://huggingface.co/ACE-Step (a repository whose name ends in -diffusers)"
    pipelines: tuple[str, ...] = ("AceStepPipeline",)
    parts: tuple[Part, ...] = (
        Part("transformer", ("AceStepTransformer1DModel",)),
        Part("vae", ("AutoencoderOobleck",)),
        Part("condition_encoder", ("AceStepConditionEncoder",)),
        Part("scheduler", ("FlowMatchEulerDiscreteScheduler",), needs_weights=False),
        Part("text_encoder", ("Qwen3Model",)),
        Part("tokenizer", (), needs_weights=False),
    )

    def adopt(self, folder: Path) -> Source | None:
        """Diffusers' format alone."""
        return None

    def facts(self, source: Source) -> Facts:
        """The window is as long as the latent of silence that comes with the model (10 minutes)."""
        rate, channels, token, reach = geometry(source.config("vae"))
        transformer = source.config("transformer")
        width = transformer.get("encoder_hidden_size") or transformer.get("hidden_size", 2048)
        turbo = bool(transformer.get("is_turbo")) or transformer.get("model_version") == "turbo"
        multiple = int(transformer.get("patch_size", 2))
        frames = source.shape("condition_encoder", "silence_latent")[1]
        return Facts(
            sample_rate=rate,
            channels=channels,
            token=token,
            window=frames - frames % multiple,
            reach=reach,
            latent_multiple=multiple,
            min_window=multiple,
            conditioning=(
                ("mask", ("batch", 1, "frames")),
                ("context", ("batch", channels, "frames")),
                (PROMPT, ("batch", "tokens", int(width))),
                (GIVEN, ("batch", 1)),
            ),
            sampling={"sampler": "ddim", "steps": 8 if turbo else 50, "schedule": "flow", "shift": 3.0},
            prompting={} if turbo else {"scale": 7.0, "rule": "apg", "momentum": -0.75, "threshold": 2.5},
        )

    def denoiser(self, source: Source, unprompted: Tensor | None) -> nn.Module:
        """Without a prompt the learned null condition takes the tokens' place."""
        from diffusers import AceStepTransformer1DModel  # noqa: PLC0415  seconds to import

        silence, prefix, null = _heard(source)
        return Denoiser(load_part(source, "transformer", AceStepTransformer1DModel), silence, prefix, null)

    def codec(self, source: Source) -> tuple[nn.Module, nn.Module]:
        """Oobleck."""
        return load_oobleck(source)

    def tokens(self, source: Source) -> TextFacts:
        """Prompts are not padded, as cross-attention takes no mask."""
        tokenizer, _, pad = load_tokenizer(source)
        return TextFacts(tokenizer, max_length=_TEXT_TOKENS, pad_id=pad, template=TEMPLATE)

    def text_encoder(self, source: Source) -> nn.Module:
        """Qwen3."""
        from transformers import Qwen3Model  # noqa: PLC0415  seconds to import

        return Text(load_encoder(source, Qwen3Model), _condition_encoder(source).text_projector)


def _condition_encoder(source: Source) -> Any:
    from diffusers.pipelines.ace_step import AceStepConditionEncoder  # noqa: PLC0415  seconds to import

    return load_part(source, "condition_encoder", AceStepConditionEncoder)


def _heard(source: Source) -> tuple[Tensor, Tensor, Tensor]:
    """The latent of silence (frames, channels), the tokens of no lyrics and no timbre, and the null condition."""
    rate, _, token, _ = geometry(source.config("vae"))
    tokenizer, _, _ = load_tokenizer(source)
    ids = torch.tensor([tokenizer.encode(_LYRICS).ids])
    words = torch.nn.functional.embedding(ids, source.tensor("text_encoder", "embed_tokens.weight"))
    encoder = _condition_encoder(source)
    silence: Tensor = encoder.silence_latent
    with torch.no_grad():
        lyrics = encoder.lyric_encoder(inputs_embeds=words, attention_mask=torch.ones_like(ids, dtype=torch.bool))
        timbre, _ = encoder.timbre_encoder(
            silence[:, : math.ceil(_TIMBRE_SECONDS * rate / token)], torch.zeros(1, dtype=torch.long)
        )
    return silence[0].clone(), torch.cat([lyrics, timbre], 1), encoder.null_condition_emb.detach().clone()


FAMILY = AceStep()
