"""Stability's own format of Stable Audio 3: the same network as in diffusers' format, under other names and orders."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from segue.errors import InvalidRequest
from segue_export.importers.registry import open_source
from segue_export.importing.run import ImportOptions, plan_import
from tests.export.tiny_bundles import folder
from tests.export.tiny_families import DIT, SAME, quiet

TRB = {"norm_attn.": "pre_norm.", "norm_ff.": "ff_norm.", "attn.": "self_attn."}
FEED_FORWARD = {"ff.proj_in.": "ff.ff.0.proj.", "ff.proj_out.": "ff.ff.2."}
INNER = ("global_cond_embedder.", "memory_tokens", "rotary_pos_emb.")


def _reordered(name: str, value: Tensor) -> Tensor:
    """[q, q2, k, k2, v] to [q, k, v, q2, k2]."""
    if not name.endswith("attn.to_qkv.weight"):
        return value
    q, q2, k, k2, v = value.chunk(5)
    return torch.cat([q, k, v, q2, k2])


def _with(name: str, names: dict[str, str]) -> str:
    for mine, theirs in names.items():
        name = re.sub(rf"(?<=\.){re.escape(mine)}", theirs, name)
    return name


def _dit(name: str) -> str:
    if name == "prompt_padding_embedding":
        return "conditioner.conditioners.prompt.padding_embedding"
    name = _with(name, FEED_FORWARD)
    name = re.sub(r"^transformer_blocks\.", "transformer.layers.", name)
    name = re.sub(r"^proj_(in|out)\.", r"transformer.project_\1.", name)
    return f"model.model.{'transformer.' if name.startswith(INNER) else ''}{name}"


def _vae(name: str) -> str:
    name = name.replace("bottleneck.scale", "bottleneck.scaling_factor")
    name = name.replace("encoder.proj.", "encoder.layers.2.").replace("decoder.proj.", "decoder.layers.1.")
    name = name.replace("encoder.blocks.0.", "encoder.layers.0.").replace("decoder.blocks.0.", "decoder.layers.3.")
    return f"pretransform.model.{_with(_with(name, TRB), FEED_FORWARD)}"


def _config() -> dict[str, Any]:
    side = {
        "strides": SAME["encoder_strides"],
        "transformer_depths": SAME["encoder_transformer_depths"],
        "c_mults": SAME["encoder_c_mults"],
        "channels": SAME["encoder_channels"],
        "latent_dim": SAME["latent_dim"],
        "dim_heads": SAME["dim_heads"],
        "sliding_window": [1, 1],
    }
    seconds = {"id": "seconds_total", "type": "number", "config": {"min_val": 0, "max_val": 64.5 * 32 / 44100}}
    return {
        "model_type": "diffusion_cond_inpaint",
        "sample_rate": 44100,
        "model": {
            "pretransform": {
                "config": {
                    "encoder": {"config": side},
                    "decoder": {"config": side},
                    "io_channels": 2,
                    "downsampling_ratio": 32,
                }
            },
            "conditioning": {"configs": [seconds]},
            "diffusion": {"diffusion_objective": "rf_denoiser"},
        },
    }


@pytest.fixture
def native(tmp_path: Path) -> Path:
    """The tiny model of diffusers' format, written as Stability writes it."""
    weights: dict[str, Tensor] = {"pretransform.model.bottleneck.noise_scaling_factor": torch.ones(1)}
    for part, rename in (("transformer", _dit), ("vae", _vae)):
        stored = load_file(folder("stable_audio_3") / part / "diffusion_pytorch_model.safetensors")
        weights |= {rename(name): _reordered(name, value).contiguous() for name, value in stored.items()}
    duration = load_file(folder("stable_audio_3") / "duration_embedder" / "diffusion_pytorch_model.safetensors")
    for suffix in ("weight", "bias"):
        weights[f"conditioner.conditioners.seconds_total.embedder.embedding.1.{suffix}"] = duration[f"linear.{suffix}"]
    made = tmp_path / "native"
    made.mkdir()
    save_file(weights, made / "model.safetensors")
    (made / "model_config.json").write_text(json.dumps(_config()))
    return made


def test_the_same_configuration_weights_and_prediction_are_read(native: Path) -> None:
    family, source = open_source(native)
    _, expected = open_source(folder("stable_audio_3"))
    transformer = source.config("transformer")
    assert {name: transformer[name] for name in DIT} == DIT
    assert {name: source.config("vae")[name] for name in SAME} == SAME
    for part in ("transformer", "vae"):
        mine, theirs = dict(source.tensors(part)), dict(expected.tensors(part))
        assert set(theirs) <= set(mine)
        assert all(torch.equal(mine[name], value) for name, value in theirs.items())
    with quiet():
        for one, other in zip(family.codec(source), family.codec(expected), strict=True):
            state = other.state_dict()
            assert all(torch.equal(value, state[name]) for name, value in one.state_dict().items())
    facts, plain = family.facts(source), family.facts(expected)
    assert (facts.token, facts.window, facts.channels, facts.reach) == (plain.token, 64, plain.channels, plain.reach)
    assert facts.sampling == plain.sampling


def test_without_its_text_encoder_beside_it_the_model_is_read_for_use_without_prompts(native: Path) -> None:
    with pytest.raises(InvalidRequest, match="no text encoder with its tokenizer"):
        plan_import(native, ImportOptions())
    plan = plan_import(native, ImportOptions(text=False))
    with quiet():
        denoiser = plan.family.denoiser(plan.source, None)
    padding = plan.source.tensor("transformer", "prompt_padding_embedding")
    assert torch.equal(denoiser.get_buffer("unprompted"), padding.expand(1, 256, -1))


def test_another_model_of_stability_is_not_taken_for_it(native: Path) -> None:
    (native / "model_config.json").write_text(json.dumps({"model_type": "autoencoder"}))
    with pytest.raises(InvalidRequest, match=r"no model_index\.json"):
        open_source(native)
