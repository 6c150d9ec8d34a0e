"""Stored prompts: found by name or text, refused with a list of those there are, and never half there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from segue.errors import BundleRejected, InvalidRequest, ResourceError
from segue.prior.manifest import Manifest, TextEncoder
from segue.prior.prompts import Prompts
from segue.prior.runtime import Graph, SessionSettings
from segue.prior.signature import TextSignature
from segue.prior.text import PromptEncoder
from segue.render.settings import RenderSettings
from segue.style.preset import load_preset
from segue.style.resolve import resolve
from segue.style.style import Style

PADS, RAIN = torch.full((1, 4, 3), 1.0), torch.full((1, 4, 3), 2.0)
STORED = {"0.prompt_text": PADS, "1.prompt_text": RAIN}


def manifest() -> Manifest:
    conditioning = [
        {"name": "prompt_text", "shape": ["batch", 4, 3]},
        {"name": "prompt_given", "shape": ["batch", 1]},
    ]
    graphs = ("denoise", "fw", "bw")
    return Manifest.model_validate(
        {
            "format": "1.1",
            "name": "spoken",
            "version": "1",
            "kind": "latent",
            "sample_rate": 44100,
            "channels": 2,
            "token": 512,
            "window": 64,
            "licence": "CC0-1.0",
            "commercial_use": True,
            "codec": {"kind": "mel"},
            "conditioning": conditioning,
            "prompts": [{"name": "pads", "text": "warm pads"}, {"name": "rain", "text": "Slow drums in the rain"}],
            "files": {**{f"{g}.onnx": "0" * 64 for g in graphs}, "prompts.safetensors": "0" * 64},
        }
    )


@pytest.mark.parametrize("asked", ["rain", " RAIN ", "slow drums in the rain"])
def test_a_stored_prompt_is_found_by_its_name_or_its_text(asked: str) -> None:
    prompts = Prompts(manifest(), stored=STORED)
    assert prompts.reads and not prompts.reads_any and prompts.knows(asked)
    assert torch.equal(prompts.encode(asked, 6.0)["prompt_text"], RAIN)
    assert prompts.nothing()["prompt_text"].shape == (1, 4, 3) and not prompts.nothing()["prompt_text"].any()


def test_without_the_tokenizers_package_stored_prompts_are_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    settings = TextEncoder(max_length=8, outputs=("prompt_text",))
    encoder = PromptEncoder(settings, TextSignature(()), Graph("text", b"", Path()), Path(), SessionSettings())
    prompts = Prompts(manifest(), encoder, STORED)
    prompts.check("rain")
    assert torch.equal(prompts.encode("rain", 6.0)["prompt_text"], RAIN)
    for refuse in (prompts.check, lambda text: prompts.encode(text, 6.0)):
        with pytest.raises(ResourceError, match=r"segue\[text\], or use a stored prompt"):
            refuse("dusty piano")


def test_another_prompt_is_refused_with_a_list_of_those_there_are() -> None:
    prompts = Prompts(manifest(), stored=STORED)
    for refuse in (prompts.check, lambda text: prompts.encode(text, 6.0)):
        with pytest.raises(InvalidRequest, match="no stored prompt 'dusty piano'; it has 'pads', 'rain'"):
            refuse("dusty piano")


@pytest.mark.parametrize(
    "stored",
    [
        {"0.prompt_text": PADS},
        {**STORED, "1.prompt_text": RAIN[:, :3]},
        {**STORED, "1.prompt_text": RAIN.double()},
        {**STORED, "1.prompt_text": RAIN * float("nan")},
    ],
    ids=["missing", "another shape", "another type", "not finite"],
)
def test_stored_tensors_that_are_not_what_the_manifest_lists_are_refused(stored: dict[str, Tensor]) -> None:
    with pytest.raises(BundleRejected, match=r"1\.prompt_text"):
        Prompts(manifest(), stored=stored)


def test_a_presets_prompt_that_a_bundle_does_not_know_leaves_the_rest_of_the_preset_and_says_so() -> None:
    prompts = Prompts(manifest(), stored=STORED)
    own = load_preset("ambient wash").model_copy(update={"prompt": "an endless wash"})
    made = resolve(Style.of(own), RenderSettings(), reads_text=True, knows=prompts.knows)
    assert made.prompt is None and made.steering.terms and "no stored prompt" in made.notes[0]
    known = resolve(Style.of(own.model_copy(update={"prompt": "warm pads"})), RenderSettings(), reads_text=True)
    assert known.prompt == "warm pads" and not known.notes


def test_a_bundle_whose_own_sampler_takes_guidance_is_guided_with_it() -> None:
    wish = Style.of(tags="rock")
    assert resolve(wish, RenderSettings(), reads_text=False, sampler="pingpong").settings.sampler is None
    assert resolve(wish, RenderSettings(), reads_text=False, sampler="dpmpp").settings.sampler == "ding"
