"""Stable Audio 3 as Stability writes it: model_config.json beside one model.safetensors, other names, other orders.

Written from the inverse of what the importer reads; ``small`` is as the small models are: chunks in the autoencoder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

_BLOCK = {"norm_attn.": "pre_norm.", "norm_ff.": "ff_norm.", "attn.": "self_attn."}
_FEED_FORWARD = {"ff.proj_in.": "ff.ff.0.proj.", "ff.proj_out.": "ff.ff.2."}
_INNER = ("global_cond_embedder.", "memory_tokens", "rotary_pos_emb.")
_CONDITIONERS = "conditioner.conditioners."


def _reordered(name: str, value: Tensor) -> Tensor:
    """[q, q2, k, k2, v] to [q, k, v, q2, k2]."""
    if not name.endswith("attn.to_qkv.weight") or value.shape[0] != 5 * value.shape[1]:
        return value.contiguous()
    q, q2, k, k2, v = value.chunk(5)
    return torch.cat([q, k, v, q2, k2])


def _with(name: str, names: Mapping[str, str]) -> str:
    for mine, theirs in names.items():
        name = re.sub(rf"(?<=\.){re.escape(mine)}", theirs, name)
    return name


def _dit(name: str) -> str:
    if name == "prompt_padding_embedding":
        return f"{_CONDITIONERS}prompt.padding_embedding"
    name = _with(name, _FEED_FORWARD)
    name = re.sub(r"^transformer_blocks\.", "transformer.layers.", name)
    name = re.sub(r"^proj_(in|out)\.", r"transformer.project_\1.", name)
    return f"model.model.{'transformer.' if name.startswith(_INNER) else ''}{name}"


def _vae(name: str) -> str:
    name = name.replace("bottleneck.scale", "bottleneck.scaling_factor")
    name = name.replace("encoder.proj.", "encoder.layers.2.").replace("decoder.proj.", "decoder.layers.1.")
    name = name.replace("encoder.blocks.0.", "encoder.layers.0.").replace("decoder.blocks.0.", "decoder.layers.3.")
    return f"pretransform.model.{_with(_with(name, _BLOCK), _FEED_FORWARD)}"


def model_config(vae: Mapping[str, Any], *, small: bool, longest: int, seconds: float) -> dict[str, Any]:
    """model_config.json of an autoencoder of diffusers' settings; ``longest`` in samples, ``seconds`` the duration's
    range."""
    side: dict[str, Any] = {
        "strides": vae["encoder_strides"],
        "transformer_depths": vae["encoder_transformer_depths"],
        "c_mults": vae["encoder_c_mults"],
        "channels": vae["encoder_channels"],
        "latent_dim": vae["latent_dim"],
        "dim_heads": vae["dim_heads"],
    }
    chunked = {"chunk_size": 2 * vae["encoder_strides"][0], "chunk_midpoint_shift": True}
    encoder = {**side, **(chunked if small else {"sliding_window": [1, 1]})}
    decoder = {**encoder, "sinusoidal_blocks": [0], **({"conv_mapping": True, "mask_noise": 0.01} if small else {})}
    token = vae["patch_size"] * vae["encoder_strides"][0]
    duration = {"id": "seconds_total", "type": "number", "config": {"min_val": 0, "max_val": seconds}}
    coder = {"encoder": {"config": encoder}, "decoder": {"config": decoder}}
    return {
        "model_type": "diffusion_cond_inpaint",
        "sample_rate": 44100,
        "sample_size": longest,
        "model": {
            "pretransform": {"config": {**coder, "io_channels": 2, "downsampling_ratio": token}},
            "conditioning": {"configs": [duration]},
            "diffusion": {"diffusion_objective": "rf_denoiser"},
        },
    }


def write_native(
    folder: Path,
    config: Mapping[str, Any],
    transformer: Mapping[str, Tensor],
    vae: Mapping[str, Tensor],
    duration: Mapping[str, Tensor],
) -> Path:
    """The two files of a model whose weights have diffusers' names."""
    weights = {"pretransform.model.bottleneck.noise_scaling_factor": torch.ones(1, 0, 1)}
    for stored, rename in ((transformer, _dit), (vae, _vae)):
        weights |= {rename(name): _reordered(name, value) for name, value in stored.items()}
    for side, layer in (("encoder", 0), ("decoder", 3)):
        weights[f"pretransform.model.{side}.layers.{layer}.transformers.0.rope.inv_freq"] = torch.ones(2)
    for suffix in ("weight", "bias"):
        weights[f"{_CONDITIONERS}seconds_total.embedder.embedding.1.{suffix}"] = duration[f"linear.{suffix}"]
    folder.mkdir(parents=True)
    save_file(weights, folder / "model.safetensors")
    (folder / "model_config.json").write_text(json.dumps(config))
    return folder
