"""Stable Audio 3 in Stability's own format: model_config.json beside one model.safetensors for all parts.

Names follow the conversion that the diffusers project publishes. Fused queries, keys and values are stored in another
order there: [q, k, v, q2, k2] where diffusers has [q, q2, k, k2, v]. The text encoder is not in the file; it lies with
its tokenizer in a folder beside it: ``t5gemma-b-b-ul2``, as Stability AI publishes it, or ``text_encoder``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from segue.errors import InvalidRequest
from segue_export.importers.source import Source, read_json, shapes_of, sound

CONFIG, WEIGHTS = "model_config.json", "model.safetensors"
_CLASSES = {
    "transformer": "StableAudio3DiTModel",
    "vae": "AutoencoderSAME",
    "duration_embedder": "StableAudio3DurationEmbedder",
    "scheduler": "FlowMatchEulerDiscreteScheduler",
    "text_encoder": "T5GemmaEncoderModel",
    "tokenizer": "GemmaTokenizerFast",
}
_ENCODERS = ("text_encoder", "t5gemma-b-b-ul2")
_COMPUTED = (".rope.inv_freq", "bottleneck.noise_scaling_factor")  # stored there, computed or without use here
_INSIDE = ("transformer", "vae", "duration_embedder")
_DIT, _VAE, _CONDITIONERS = "model.model.", "pretransform.model.", "conditioner.conditioners."
_SECONDS = f"{_CONDITIONERS}seconds_total.embedder.embedding.1."
_MIN_FREQUENCY, _MAX_FREQUENCY = 0.5, 10000.0

_FEED_FORWARD = ((".ff.ff.0.proj.", ".ff.proj_in."), (".ff.ff.2.", ".ff.proj_out."))
_DIT_NAMES = (
    *_FEED_FORWARD,
    ("transformer.project_in.", "proj_in."),
    ("transformer.project_out.", "proj_out."),
    ("transformer.layers.", "transformer_blocks."),
    ("transformer.", ""),
)
_VAE_NAMES = (
    *_FEED_FORWARD,
    (".pre_norm.", ".norm_attn."),
    (".ff_norm.", ".norm_ff."),
    (".self_attn.", ".attn."),
    ("bottleneck.scaling_factor", "bottleneck.scale"),
)
_LAYER = re.compile(r"(encoder|decoder)\.layers\.(\d+)\.(.*)")


@dataclass(frozen=True)
class StabilitySource(Source):
    """The folder, seen as if it were diffusers'."""

    def path(self, part: str) -> Path:
        """The tokenizer comes in the text encoder's folder."""
        if part not in ("text_encoder", "tokenizer"):
            return self.folder
        return next((p for name in _ENCODERS if (p := self.folder / name).is_dir()), self.folder / _ENCODERS[0])

    def files(self) -> list[Path]:
        """The two files, and those of the text encoder."""
        encoder = self.path("text_encoder")
        beside = [p for p in encoder.iterdir() if p.is_file()] if encoder.is_dir() else []
        return sorted((self.folder / CONFIG, self.folder / WEIGHTS, *beside))

    def config(self, part: str) -> dict[str, Any]:
        """What diffusers' configuration of the part would say.

        Raises:
            InvalidRequest: model_config.json lacks it.
        """
        if part == "tokenizer":
            return read_json(self.path(part) / "tokenizer_config.json")
        if part == "text_encoder":
            config = super().config(part)
            return {**config, **config.get("encoder", {})}
        stated = read_json(self.folder / CONFIG)
        try:
            if part == "scheduler":
                model = stated["model"]
                objective = model.get("diffusion_objective") or model["diffusion"].get("diffusion_objective")
                return {"stochastic_sampling": objective == "rf_denoiser", "longest_samples": stated.get("sample_size")}
            if part == "vae":
                return _vae_config(stated)
            return self._duration_config(stated) if part == "duration_embedder" else self._dit_config()
        except (KeyError, TypeError, IndexError) as error:
            raise InvalidRequest(
                f"{self.folder / CONFIG} says nothing of {error} for {part}: expected a Stable Audio 3 model"
            ) from error

    def weights(self, part: str) -> list[Path]:
        """All parts but the text encoder lie in one file."""
        return [sound(self.folder / WEIGHTS)] if part in _INSIDE else super().weights(part)

    def parameters(self, part: str) -> int:
        """How many numbers the weights of a part hold."""
        if part not in _INSIDE:
            return super().parameters(part)
        shapes = shapes_of(self.folder / WEIGHTS)
        return sum(math.prod(shape) for name, shape in shapes.items() if self._name(part, name))

    def tensors(self, part: str) -> Iterator[tuple[str, Tensor]]:
        """Every weight of a part by diffusers' name."""
        if part not in _INSIDE:
            yield from super().tensors(part)
            return
        with safe_open(self.folder / WEIGHTS, framework="pt") as stored:
            for name in stored.keys():  # noqa: SIM118  no mapping
                renamed = self._name(part, name)
                if renamed:
                    yield renamed, _reordered(renamed, stored.get_tensor(name))
        if part == "duration_embedder":
            half = self._shape(f"{_SECONDS}weight")[1] // 2
            low, high = math.log(_MIN_FREQUENCY), math.log(_MAX_FREQUENCY)
            yield "freqs", torch.exp(torch.linspace(0.0, 1.0, half) * (high - low) + low)

    def _name(self, part: str, name: str) -> str:
        """diffusers' name of a stored tensor, "" where it belongs to another part."""
        if part == "duration_embedder":
            return f"linear.{name.removeprefix(_SECONDS)}" if name.startswith(_SECONDS) else ""
        if part == "transformer":
            if name == f"{_CONDITIONERS}prompt.padding_embedding":
                return "prompt_padding_embedding"
            return _replaced(name.removeprefix(_DIT), _DIT_NAMES) if name.startswith(_DIT) else ""
        return self._vae_name(name.removeprefix(_VAE)) if name.startswith(_VAE) else ""

    def _vae_name(self, name: str) -> str:
        """Layers are blocks between transpositions: the encoder's projection follows them, the decoder's precedes."""
        if name.endswith(_COMPUTED):
            return ""
        match = _LAYER.fullmatch(name)
        if match is None:
            return _replaced(name, _VAE_NAMES)
        side, index, rest = match[1], int(match[2]), match[3]
        blocks = len(_vae_config(read_json(self.folder / CONFIG))["encoder_strides"])
        first = 0 if side == "encoder" else 3
        if index == (blocks + 1 if side == "encoder" else 1):
            return f"{side}.proj.{rest}"
        return _replaced(f"{side}.blocks.{index - first}.{rest}", _VAE_NAMES)

    def _shape(self, name: str) -> tuple[int, ...]:
        return shapes_of(self.folder / WEIGHTS)[name]

    def _duration_config(self, stated: dict[str, Any]) -> dict[str, Any]:
        entries = stated["model"]["conditioning"]["configs"]
        seconds: dict[str, Any] = next((e["config"] for e in entries if e.get("id") == "seconds_total"), {})
        output, fourier = self._shape(f"{_SECONDS}weight")
        return {
            "output_dim": output,
            "fourier_dim": fourier,
            "min_val": float(seconds.get("min_val", 0.0)),
            "max_val": float(seconds.get("max_val", 384.0)),
            "min_freq": _MIN_FREQUENCY,
            "max_freq": _MAX_FREQUENCY,
        }

    def _dit_config(self) -> dict[str, Any]:
        self._check_dit()
        shapes = {n.removeprefix(_DIT): s for n, s in shapes_of(self.folder / WEIGHTS).items() if n.startswith(_DIT)}
        width, time_features = shapes["to_timestep_embed.0.weight"]
        first = "transformer.layers.0."
        layers = {int(m[1]) for name in shapes if (m := re.match(r"transformer\.layers\.(\d+)\.", name))}
        return {
            "io_channels": shapes["preprocess_conv.weight"][0],
            "embed_dim": width,
            "depth": len(layers),
            "num_heads": width // shapes[f"{first}self_attn.q_norm.gamma"][0],
            "cond_token_dim": shapes["to_cond_embed.0.weight"][1],
            "global_cond_dim": shapes["to_global_embed.0.weight"][1],
            "local_add_cond_dim": shapes[f"{first}to_local_embed.0.weight"][1],
            "timestep_features_dim": time_features,
            "ff_mult": shapes[f"{first}ff.ff.0.proj.weight"][0] / (2 * width),
            "num_memory_tokens": shapes["transformer.memory_tokens"][0] if "transformer.memory_tokens" in shapes else 0,
            "use_differential_attention": shapes[f"{first}self_attn.to_qkv.weight"][0] == 5 * width,
        }

    def _check_dit(self) -> None:
        """Refuse options that no weight's shape would tell."""
        stated: dict[str, Any] = read_json(self.folder / CONFIG)["model"]["diffusion"].get("config", {})
        if stated.get("timestep_features_logsnr") or stated.get("patch_size", 1) != 1:
            raise InvalidRequest(
                f"{self.folder / CONFIG}: a transformer with timestep_features_logsnr or patches is not supported"
            )


def adopt(folder: Path) -> Source | None:
    """The folder, where it holds a Stable Audio 3 model in Stability's format."""
    if not (folder / CONFIG).is_file():
        return None
    model = read_json(folder / CONFIG).get("model", {})
    encoder = model.get("pretransform", {}).get("config", {}).get("encoder", {}).get("config", {})
    if "transformer_depths" not in encoder:
        return None
    index = {part: ["diffusers", name] for part, name in _CLASSES.items()}
    return StabilitySource(folder, "StableAudio3InpaintPipeline", index)


def _vae_config(stated: dict[str, Any]) -> dict[str, Any]:
    autoencoder = stated["model"]["pretransform"]["config"]
    encoder, decoder = autoencoder["encoder"]["config"], autoencoder["decoder"]["config"]
    strides = list(encoder["strides"])
    return {
        "audio_channels": autoencoder.get("io_channels", 2),
        "patch_size": autoencoder["downsampling_ratio"] // math.prod(strides),
        "encoder_channels": encoder["channels"],
        "encoder_c_mults": list(encoder["c_mults"]),
        "encoder_strides": strides,
        "encoder_transformer_depths": list(encoder["transformer_depths"]),
        "latent_dim": encoder["latent_dim"],
        "dim_heads": encoder.get("dim_heads", 128),
        "ff_mult": encoder.get("ff_mult", 3),
        "use_differential_attention": bool(encoder.get("differential", True)),
        "encoder_sinusoidal_blocks": list(encoder.get("sinusoidal_blocks", [0])),
        "decoder_sinusoidal_blocks": list(decoder.get("sinusoidal_blocks", [0])),
        "sampling_rate": int(stated.get("sample_rate", 44100)),
        **_attention(encoder, decoder),
    }


def _attention(encoder: dict[str, Any], decoder: dict[str, Any]) -> dict[str, Any]:
    """Within a sliding window or, where none is named, within chunks; both halves alike.

    Raises:
        InvalidRequest: what neither diffusers' class nor :class:`segue_export.importers.parts.same.ChunkedBlock` does.
    """
    named = ("sliding_window", "chunk_size", "chunk_midpoint_shift", "dim_heads", "differential", "ff_mult")
    differ = [name for name in named if encoder.get(name) != decoder.get(name)]
    odd = [name for name in ("conformer", "layer_scale", "causal", "feat_scale") if {**encoder, **decoder}.get(name)]
    window, wide = encoder.get("sliding_window"), bool(decoder.get("conv_mapping"))
    if differ or odd or encoder.get("conv_mapping") or (window and (wide or len(set(window)) > 1)):
        raise InvalidRequest(
            f"{CONFIG}: an autoencoder whose halves differ in {differ}, or with {odd}, sliding_window {window} and "
            f"conv_mapping {encoder.get('conv_mapping', False)}, {wide} is not supported"
        )
    if window:
        return {"sliding_window": window[0]}
    shifted = bool(encoder.get("chunk_midpoint_shift", False))
    return {"chunk_size": encoder.get("chunk_size", 128), "chunk_shift": shifted, "wide_output": wide}


def _replaced(name: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for old, new in pairs:
        if old in name and (old.startswith(".") or name.startswith(old)):
            name = name.replace(old, new, 1)
    return name


def _reordered(name: str, value: Tensor) -> Tensor:
    """A fused projection of differential self-attention in diffusers' order."""
    if not name.endswith("attn.to_qkv.weight") or value.shape[0] != 5 * value.shape[1]:
        return value
    q, k, v, q2, k2 = value.chunk(5)
    return torch.cat([q, q2, k, k2, v])
