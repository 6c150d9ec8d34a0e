"""Manifests of format 1.1: prompts, text encoders, schedules; and the free axis of a prompt."""

from __future__ import annotations

from typing import Any

import pytest
import tomli_w

from segue.errors import BundleRejected, InvalidRequest
from segue.prior.manifest import Manifest, parse_manifest
from segue.prior.signature import TensorSpec

GRAPHS = ("denoise", "fw", "bw", "text")
PROMPTED = {
    "name": "prompted",
    "version": "1.0",
    "kind": "latent",
    "sample_rate": 48000,
    "channels": 4,
    "token": 16,
    "window": 64,
    "licence": "MIT",
    "commercial_use": True,
    "codec": {"kind": "mel"},
    "conditioning": [{"name": "prompt_text", "shape": ["batch", "tokens", 8]}],
    "text": {"max_length": 32, "outputs": ["prompt_text"]},
    "prompts": [{"name": "pads", "text": "warm pads"}],
}


def _parsed(files: tuple[str, ...] = ("tokenizer.json", "prompts.safetensors"), **changes: Any) -> Manifest:
    data = {"format": "1.1", **PROMPTED, **changes}
    names = [f"{g}.onnx" for g in GRAPHS if g != "text" or data.get("text")]
    data["files"] = dict.fromkeys([*names, *files], "0" * 64)
    return parse_manifest(tomli_w.dumps({k: v for k, v in data.items() if v is not None}).encode())


def test_a_prompted_manifest_is_read_whole() -> None:
    manifest = _parsed()
    text = manifest.text_signature()
    assert text is not None and [s.name for s in text.outputs] == ["prompt_text"]
    assert manifest.text is not None and manifest.text.template == "{prompt}" and manifest.text.pad_to is None
    assert manifest.prompting.scale == 1.0 and manifest.min_window == 1


def test_the_schedule_of_format_1_0_is_still_read() -> None:
    assert _parsed(sampling={"schedule": "cosine"}).sampling.schedule == "linear"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": ("prompts.safetensors",)}, r"\[text\] needs tokenizer.json"),
        ({"files": ("tokenizer.json",)}, r"\[\[prompts\]\] needs prompts.safetensors"),
        ({"text": None}, r"neither comes alone"),
        ({"text": {"max_length": 32, "outputs": ["prompt_text"], "template": "no place"}}, "must contain {prompt}"),
        ({"text": {"max_length": 32, "outputs": ["prompt_text"], "pad_to": 16}}, "pad_to must be max_length"),
        ({"text": {"max_length": 32, "outputs": ["other"]}}, "are no conditioning inputs"),
        ({"prompts": [{"name": "a", "text": ""}, {"name": "a", "text": "b"}]}, "different names"),
        ({"sampling": {"schedule": "log_snr", "low": 2.0, "high": 2.0}}, "low must be below high"),
        ({"sampling": {"schedule": "flow", "shift": 0.0}}, "greater than 0"),
        ({"min_window": 65}, "min_window 65 must be at most window 64"),
        ({"prompting": {"scale": 0.5}}, "greater than or equal to 1"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleRejected, match=message):
        _parsed(**changes)


def test_a_prompts_length_is_free_of_the_windows() -> None:
    spec = TensorSpec("prompt_text", ("batch", "tokens", 8))
    assert spec.sizes(2, 64, 5) == (2, 5, 8)
    assert spec.match((3, 11, 8)) == (3, None)
    for sizes in ((3, 0, 8), (3, 11, 7), (3, 11)):
        with pytest.raises(InvalidRequest, match="expected shape"):
            spec.match(sizes)
    with pytest.raises(InvalidRequest, match="at most one axis 'tokens'"):
        TensorSpec("prompt_text", ("batch", "tokens", "tokens"))
