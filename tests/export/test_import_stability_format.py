"""Stability's own format of Stable Audio 3: the same network as in diffusers' format, under other names and orders."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")

import torch
from safetensors.torch import load_file

from segue.errors import InvalidRequest
from segue_export.graphs.export import TOLERANCE
from segue_export.importers.parts.same import make_same
from segue_export.importers.registry import open_source
from segue_export.importing.run import ImportOptions, import_folder, plan_import
from tests.export.stability_format import model_config, write_native
from tests.export.tiny_bundles import folder
from tests.export.tiny_families import DIT, SAME, quiet, randomised
from tests.tiny_models import CACHE

TOKEN = 32
WIDE = {**SAME, "encoder_c_mults": [3]}  # wider inside, so that the output convolution is there
CHUNKS = {"chunk_size": 8, "chunk_shift": True, "wide_output": True}


def _stored(part: str) -> dict[str, torch.Tensor]:
    return load_file(folder("stable_audio_3") / part / "diffusion_pytorch_model.safetensors")


@pytest.fixture
def native(tmp_path: Path) -> Path:
    """The tiny model of diffusers' format, written as Stability writes it."""
    config = model_config(SAME, small=False, longest=1000 * TOKEN, seconds=64.5 * TOKEN / 44100)
    parts = (_stored(part) for part in ("transformer", "vae", "duration_embedder"))
    return write_native(tmp_path / "native", config, *parts)


@functools.cache
def _autoencoder() -> Any:
    """Like the small models'."""
    with quiet():
        return randomised(make_same(**WIDE, **CHUNKS), 31)  # type: ignore[arg-type]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The same transformer with an autoencoder like the small models'; told of 64 frames, made for 40."""
    config = model_config(WIDE, small=True, longest=41 * TOKEN, seconds=64.5 * TOKEN / 44100)
    parts = (_stored("transformer"), _autoencoder().state_dict(), _stored("duration_embedder"))
    return write_native(tmp_path / "small", config, *parts)


def test_the_same_configuration_weights_and_prediction_are_read(native: Path) -> None:
    family, source = open_source(native)
    _, expected = open_source(folder("stable_audio_3"))
    transformer = source.config("transformer")
    assert {name: transformer[name] for name in DIT} == DIT
    assert {name: source.config("vae")[name] for name in SAME} == SAME
    for part in ("transformer", "vae"):
        mine, theirs = dict(source.tensors(part)), dict(expected.tensors(part))
        assert set(theirs) == set(mine)
        assert all(torch.equal(mine[name], value) for name, value in theirs.items())
    with quiet():
        for one, other in zip(family.codec(source), family.codec(expected), strict=True):
            state = other.state_dict()
            assert all(torch.equal(value, state[name]) for name, value in one.state_dict().items())
    facts, plain = family.facts(source), family.facts(expected)
    assert (facts.token, facts.window, facts.channels, facts.reach) == (plain.token, 64, plain.channels, plain.reach)
    assert facts.sampling == plain.sampling


def test_a_small_model_is_read_with_its_chunks_and_its_own_longest_window(small: Path) -> None:
    family, source = open_source(small)
    facts = family.facts(source)
    assert (facts.token, facts.reach, facts.latent_multiple) == (TOKEN, 2 * TOKEN, 2)
    assert (facts.window, facts.min_window) == (40, 2)
    with quiet():
        encoder, decoder = family.codec(source)
    audio = torch.randn(1, 2, 6 * TOKEN, generator=torch.Generator().manual_seed(1))
    latents = encoder(audio)
    assert torch.allclose(latents, _autoencoder().encode(audio).latents, atol=1e-6)
    assert torch.allclose(decoder(latents), _autoencoder().decode(latents).sample, atol=1e-6)


@pytest.mark.nightly
def test_a_small_model_becomes_a_bundle(small: Path, tmp_path: Path) -> None:
    options = ImportOptions(accept_licence=True, text=False, cache=CACHE)
    notes: list[str] = []
    bundle = import_folder(small, tmp_path / "bundle", options, note=notes.append)
    assert bundle.manifest.latent_multiple == 2 and not bundle.prompts().reads
    assert any("codec: within" in line for line in notes)
    codec = bundle.codec()
    audio = 0.1 * torch.randn(1, 2, 12 * TOKEN)
    with quiet():
        family, source = open_source(small)
        encoder, _ = family.codec(source)
    made = codec.encode(audio)
    assert (made - encoder(audio)).norm() < 100 * TOLERANCE * made.norm()  # stored as float16


@pytest.mark.parametrize("change", ["wide", "uneven", "odd", "halves", "deep"])
def test_an_autoencoder_of_another_kind_is_refused(small: Path, native: Path, change: str) -> None:
    path = native if change in ("wide", "uneven") else small
    config = json.loads((path / "model_config.json").read_text())
    coder = config["model"]["pretransform"]["config"]
    encoder, decoder = coder["encoder"]["config"], coder["decoder"]["config"]
    match change:
        case "wide":
            decoder["conv_mapping"] = True
        case "uneven":
            encoder["sliding_window"] = decoder["sliding_window"] = [1, 2]
        case "odd":
            encoder["chunk_size"] = decoder["chunk_size"] = 12
        case "halves":
            decoder["chunk_size"] = 16
        case "deep":
            encoder["layer_scale"] = True
    (path / "model_config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidRequest, match="not supported"):
        plan_import(path, ImportOptions(text=False))


def test_a_transformer_that_hears_time_in_another_way_is_refused(native: Path) -> None:
    config = json.loads((native / "model_config.json").read_text())
    config["model"]["diffusion"]["config"] = {"timestep_features_logsnr": True}
    (native / "model_config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidRequest, match="timestep_features_logsnr"):
        plan_import(native, ImportOptions(text=False))


def test_without_its_text_encoder_beside_it_the_model_is_read_for_use_without_prompts(native: Path) -> None:
    with pytest.raises(InvalidRequest, match="no text encoder with its tokenizer"):
        plan_import(native, ImportOptions())
    plan = plan_import(native, ImportOptions(text=False))
    with quiet():
        denoiser = plan.family.denoiser(plan.source, None)
    padding = plan.source.tensor("transformer", "prompt_padding_embedding")
    assert torch.equal(denoiser.get_buffer("unprompted"), padding.expand(1, 256, -1))


def test_the_text_encoder_is_found_where_stability_puts_it(native: Path) -> None:
    (native / "t5gemma-b-b-ul2").mkdir()
    _, source = open_source(native)
    assert source.path("tokenizer") == source.path("text_encoder") == native / "t5gemma-b-b-ul2"


def test_another_model_of_stability_is_not_taken_for_it(native: Path) -> None:
    (native / "model_config.json").write_text(json.dumps({"model_type": "autoencoder"}))
    with pytest.raises(InvalidRequest, match=r"no model_index\.json"):
        open_source(native)
