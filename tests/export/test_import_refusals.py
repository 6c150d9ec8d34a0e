"""Bad folders and options: a clear refusal each, before any work, and nothing half-written."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")

import torch
from safetensors.torch import load_file, save_file

from segue.errors import InvalidRequest, ResourceError, SegueError
from segue_export.importing import preflight, run
from segue_export.importing.run import ImportOptions, import_folder, plan_import
from tests.export import tiny_families
from tests.export.tiny_families import edit_json

ACCEPTED = ImportOptions(accept_licence=True)
_scratch = tempfile.TemporaryDirectory(prefix="segue-refusals-")


@functools.cache
def _model() -> Path:
    with tiny_families.quiet():
        return tiny_families.write_stable_audio_open(Path(_scratch.name) / "model")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(_model(), tmp_path / "model"))


def _edit(part: str, **changes: object) -> Callable[[Path], None]:
    name = "scheduler_config.json" if part == "scheduler" else "config.json"
    return lambda folder: edit_json(folder / part / name, **changes)


def _remove(name: str) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


def _pickle_only(folder: Path) -> None:
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").rename(
        folder / "transformer" / "diffusion_pytorch_model.bin"
    )


def _cut(folder: Path) -> None:
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _reclass(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    edit_json(folder / "model_index.json", transformer=["diffusers", "UNet1DModel"])
    assert index["transformer"] != ["diffusers", "UNet1DModel"]


def _shard_outside(folder: Path) -> None:
    index = folder / "vae" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../../elsewhere.safetensors"}}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove("model_index.json"), r"no model_index\.json"),
        (_remove("vae"), "has no vae: the download is not whole"),
        (_remove("vae/config.json"), r"has no config\.json"),
        (_remove("transformer/diffusion_pytorch_model.safetensors"), "there is none"),
        (_remove("tokenizer"), "no text encoder with its tokenizer"),
        (_pickle_only, "a pickle and is never opened"),
        (_cut, "cut or damaged"),
        (_reclass, "transformer is a UNet1DModel, expected StableAudioDiTModel"),
        (_shard_outside, "outside itself"),
        (_edit("vae", audio_channels=1), "expected a stereo autoencoder, got 1 channels"),
        (_edit("scheduler", sigma_min="low"), "a configuration is not as expected"),
        (lambda folder: (folder / "vae" / "config.json").write_text("{"), "is no JSON"),
        (
            lambda folder: edit_json(folder / "model_index.json", _class_name="MusicLDMPipeline"),
            "which no importer reads",
        ),
    ],
)
def test_a_wrong_or_partial_folder_is_refused_before_any_work(
    model: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(model)
    with pytest.raises(InvalidRequest, match=message):
        import_folder(model, tmp_path / "bundle", ACCEPTED)
    assert {p.name for p in tmp_path.iterdir()} == {"model"}


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="expected a local folder"):
        plan_import(tmp_path / "nowhere", ACCEPTED)


def test_the_licence_is_shown_and_must_be_acknowledged(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"(?s)Stability AI Community License.*revenue.*--accept-licence"):
        import_folder(model, tmp_path / "bundle", ImportOptions())
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ImportOptions(accept_licence=True, prompts={"a\nb": "pads"}), "1 to 64 printable letters"),
        (ImportOptions(accept_licence=True, min_seconds=1000.0), "--min-seconds must be above 0 and at most"),
        (ImportOptions(accept_licence=True, min_seconds=float("nan")), "--min-seconds must be above 0"),
    ],
)
def test_options_out_of_range_are_refused(model: Path, tmp_path: Path, options: ImportOptions, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        import_folder(model, tmp_path / "bundle", options)


def test_a_prompt_longer_than_the_text_encoder_takes_is_refused(model: Path, tmp_path: Path) -> None:
    long = ImportOptions(accept_licence=True, prompts={"long": "pads " * 50})
    with pytest.raises(InvalidRequest, match="at most 12 tokens, got 51"):
        import_folder(model, tmp_path / "bundle", long)
    assert {p.name for p in tmp_path.iterdir()} == {"model"}


def test_too_little_disk_or_memory_is_refused_with_what_is_needed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(ResourceError, match="GiB are free: make room"):
        import_folder(model, tmp_path / "bundle", ACCEPTED)
    monkeypatch.undo()
    monkeypatch.setattr(preflight, "available_mb", lambda: 100.0)
    with pytest.raises(ResourceError, match=r"1\.5 GiB of memory, 0\.1 GiB are free"):
        import_folder(model, tmp_path / "bundle", ACCEPTED)
    assert {p.name for p in tmp_path.iterdir()} == {"model"}


def test_a_bundle_that_exists_is_kept(model: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "mine").write_text("x")
    with pytest.raises(InvalidRequest, match="exists already"):
        import_folder(model, tmp_path / "bundle", ACCEPTED)
    assert (tmp_path / "bundle" / "mine").read_text() == "x"


@pytest.mark.parametrize("damage", ["nan", "missing", "extra", "shape"])
def test_weights_that_do_not_fit_the_configuration_are_refused_and_leave_nothing(
    model: Path, tmp_path: Path, damage: str
) -> None:
    path = model / "projection_model" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    name = next(iter(weights))
    match damage:
        case "nan":
            weights[name][:] = torch.nan
        case "missing":
            del weights[name]
        case "extra":
            weights["another"] = torch.zeros(2)
        case "shape":
            weights[name] = torch.zeros(3, 3, 3)
    save_file(weights, path)
    with pytest.raises(InvalidRequest, match="projection_model"):
        import_folder(model, tmp_path / "bundle", ACCEPTED)
    assert {p.name for p in tmp_path.iterdir()} == {"model"}


@pytest.mark.parametrize(("damage", "message"), [("missing", "1 weights are missing, {}"), ("nan", "{} holds NaN")])
def test_a_text_encoder_that_is_not_whole_is_refused(model: Path, damage: str, message: str) -> None:
    path, name = model / "text_encoder" / "model.safetensors", "encoder.block.0.layer.1.DenseReluDense.wo.weight"
    weights = load_file(path)
    whole = weights.pop(name)
    if damage == "nan":
        weights[name] = whole * float("nan")
    save_file(weights, path, metadata={"format": "pt"})
    plan = plan_import(model, ACCEPTED)
    with pytest.raises(InvalidRequest, match=message.format(name)):
        plan.family.text_encoder(plan.source)


def test_a_file_that_changes_meanwhile_leaves_nothing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        (model / "vae" / "config.json").write_text((model / "vae" / "config.json").read_text() + " ")

    monkeypatch.setattr(run, "write_parts", write)
    with pytest.raises(InvalidRequest, match="changed during the import"):
        import_folder(model, tmp_path / "bundle", ACCEPTED)
    assert {p.name for p in tmp_path.iterdir()} == {"model"}


def test_the_estimate_grows_with_the_weights_and_shrinks_with_half_precision(model: Path) -> None:
    whole = plan_import(model, ImportOptions(store="fp32")).needs
    half = plan_import(model, ImportOptions(store="fp16")).needs
    bare = plan_import(model, ImportOptions(store="fp32", text=False)).needs
    assert whole.disk_bundle == 4 * whole.parameters and half.disk_bundle == 2 * half.parameters
    assert bare.disk_bundle < whole.disk_bundle
    assert (bare.parameters, bare.memory) == (whole.parameters, whole.memory), "it is loaded for the empty prompt"
    shutil.rmtree(model / "text_encoder")
    shutil.rmtree(model / "tokenizer")
    assert plan_import(model, ImportOptions(store="fp32", text=False)).needs.parameters < whole.parameters
    assert isinstance(whole.describe(), str) and issubclass(ResourceError, SegueError)
