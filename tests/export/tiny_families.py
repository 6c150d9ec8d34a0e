"""Tiny random models of the open families, written as diffusers writes them: the classes are the families' own."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")
pytest.importorskip("transformers", reason="the import extra is not installed: pip install segue[import]")

from segue_export.importers.parts.loading import quiet

__all__ = ["quiet", "write_ace_step", "write_stable_audio_3", "write_stable_audio_open"]

WORDS = ("dusty", "upright", "piano", "warm", "pads", "slow", "drums", "and", "bass", "in", "the", "rain")
TOKENS = 12
TINY_TEXT = {
    "vocab_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "attention_dropout": 0.0,
}


def randomised(module: nn.Module, seed: int) -> nn.Module:
    """Every parameter random, at a scale that keeps activations near one; norms stay near their start."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() > 1 and "weight_g" not in name:
            parameter.data.copy_(noise * (0.7 / math.sqrt(max(parameter[0].numel(), 1))))
        else:
            parameter.data.add_(0.1 * noise)
    return module.eval().requires_grad_(False)


def seeded(write: Callable[..., Path]) -> Callable[..., Path]:
    """The same weights in every process, those that keep their start among them."""

    @functools.wraps(write)
    def run(folder: Path, **options: object) -> Path:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return write(folder, **options)

    return run


def tokenizer(longest: int = TOKENS) -> Any:
    """A tokenizer of a few words that ends each text with </s>; ``longest`` in tokens."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ("<pad>", "</s>", "<unk>", "<|endoftext|>")
    vocabulary = {word: i for i, word in enumerate((*special, *WORDS))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=longest
    )


def oobleck(rate: int, channels: int, strides: tuple[int, int], seed: int) -> nn.Module:
    """The autoencoder that Stable Audio Open and ACE-Step share, of two levels."""
    from diffusers import AutoencoderOobleck

    made = AutoencoderOobleck(
        encoder_hidden_size=2 * channels,
        downsampling_ratios=list(strides),
        channel_multiples=[1, 2],
        decoder_channels=8,
        decoder_input_channels=channels,
        sampling_rate=rate,
    )
    return randomised(made, seed)


@seeded
def write_stable_audio_open(folder: Path, *, sample_size: int = 64) -> Path:
    """A StableAudioPipeline: 8 latent channels, 16 samples a frame, ``sample_size`` frames."""
    from diffusers import EDMDPMSolverMultistepScheduler, StableAudioDiTModel, StableAudioPipeline
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel
    from transformers import T5Config, T5EncoderModel

    channels, width, text_width = 8, 16, 20
    text = T5EncoderModel(
        T5Config(vocab_size=16, d_model=text_width, d_kv=8, d_ff=32, num_layers=1, num_heads=2, dropout_rate=0.0)
    )
    transformer = StableAudioDiTModel(
        sample_size=sample_size,
        in_channels=channels,
        out_channels=channels,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=4,
        num_key_value_attention_heads=2,
        cross_attention_dim=32,
        time_proj_dim=16,
        global_states_input_dim=2 * width,
        cross_attention_input_dim=width,
    )
    StableAudioPipeline(
        vae=oobleck(44100, channels, (4, 4), 1),
        text_encoder=randomised(text, 2),
        projection_model=randomised(StableAudioProjectionModel(text_width, width, 0, 512), 3),
        tokenizer=tokenizer(),
        transformer=randomised(transformer, 4),
        scheduler=EDMDPMSolverMultistepScheduler(
            sigma_min=0.3, sigma_max=500, solver_order=2, sigma_schedule="exponential", prediction_type="v_prediction"
        ),
    ).save_pretrained(folder)
    return folder


@seeded
def write_stable_audio_3(folder: Path, *, distilled: bool = True) -> Path:
    """A StableAudio3InpaintPipeline: 8 latent channels, 32 samples a frame."""
    from diffusers import (
        AutoencoderSAME,
        FlowMatchEulerDiscreteScheduler,
        StableAudio3DiTModel,
        StableAudio3InpaintPipeline,
    )
    from diffusers.pipelines.stable_audio_3 import StableAudio3DurationEmbedder

    width = 16
    StableAudio3InpaintPipeline(
        vae=randomised(AutoencoderSAME(**SAME), 11),
        text_encoder=randomised(t5gemma(hidden_size=width), 12),
        tokenizer=tokenizer(),
        duration_embedder=randomised(StableAudio3DurationEmbedder(width, fourier_dim=8, max_val=64.5 * 32 / 44100), 13),
        transformer=randomised(StableAudio3DiTModel(**DIT), 14),
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, stochastic_sampling=distilled),
    ).save_pretrained(folder)
    return folder


SAME = {
    "patch_size": 8,
    "encoder_channels": 8,
    "encoder_c_mults": [2],
    "encoder_strides": [4],
    "encoder_transformer_depths": [1],
    "latent_dim": 8,
    "dim_heads": 8,
}
DIT = {
    "io_channels": 8,
    "embed_dim": 32,
    "depth": 1,
    "num_heads": 2,
    "cond_token_dim": 16,
    "global_cond_dim": 16,
    "local_add_cond_dim": 9,
    "timestep_features_dim": 16,
    "ff_mult": 2.0,
    "num_memory_tokens": 4,
}


def t5gemma(**sizes: int) -> nn.Module:
    """T5Gemma's encoder of these sizes; by default tiny, one layer with a sliding window."""
    from transformers import T5GemmaConfig, T5GemmaEncoderModel
    from transformers.models.t5gemma.configuration_t5gemma import T5GemmaModuleConfig

    made = T5GemmaModuleConfig(**{**TINY_TEXT, "intermediate_size": 32, "sliding_window": 4, **sizes})
    config = T5GemmaConfig(encoder=made, decoder=made, is_encoder_decoder=False, vocab_size=made.vocab_size)
    return T5GemmaEncoderModel(config)


@seeded
def write_ace_step(folder: Path, *, turbo: bool = True) -> Path:
    """An AceStepPipeline: 8 latent channels; 320 samples a frame (294 at 44.1 kHz) keep 30 s of silence short."""
    from diffusers import AceStepPipeline, AceStepTransformer1DModel, FlowMatchEulerDiscreteScheduler
    from diffusers.pipelines.ace_step import AceStepConditionEncoder
    from transformers import Qwen3Config, Qwen3Model

    channels, width, text_width = 8, 16, 12
    attention = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "sliding_window": 8}
    condition = AceStepConditionEncoder(
        hidden_size=width,
        intermediate_size=24,
        text_hidden_dim=text_width,
        timbre_hidden_dim=channels,
        num_lyric_encoder_hidden_layers=2,
        num_timbre_encoder_hidden_layers=2,
        **attention,
    )
    randomised(condition, 21)
    condition.silence_latent.copy_(
        torch.randn(condition.silence_latent.shape, generator=torch.Generator().manual_seed(22))
    )
    transformer = AceStepTransformer1DModel(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        in_channels=3 * channels,
        audio_acoustic_hidden_dim=channels,
        encoder_hidden_size=width,
        is_turbo=turbo,
        model_version="turbo" if turbo else "base",
        **attention,
    )
    text = Qwen3Config(**TINY_TEXT, hidden_size=text_width, intermediate_size=24)
    AceStepPipeline(
        vae=oobleck(48000, channels, (20, 16), 23),
        text_encoder=randomised(Qwen3Model(text), 24),
        tokenizer=tokenizer(),
        transformer=randomised(transformer, 25),
        condition_encoder=condition,
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
    ).save_pretrained(folder)
    return folder


def edit_json(path: Path, **changes: object) -> None:
    """Change entries of a JSON file; None removes one."""
    data = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not None}))
