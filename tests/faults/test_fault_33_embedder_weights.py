"""Fault 33, on the weights of an embedder: broken, NaN or pickled files."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from segue.errors import BundleRejected
from segue.guidance.embedders.guide import GUIDE_WEIGHTS, HEADER
from segue.guidance.embedders.musicnn import Musicnn, digest
from tests.faults.test_fault_33_checkpoints import Payload


def header() -> dict[str, object]:
    with safe_open(GUIDE_WEIGHTS, "pt") as file:
        found: dict[str, object] = json.loads(file.metadata()[HEADER])
    return found


def written(path: Path, tensors: dict[str, Tensor], **changes: object) -> Path:
    """Weights with an honest digest, unless ``changes`` to the header say otherwise."""
    path.write_bytes(save(tensors, {HEADER: json.dumps(header() | {"tensors_sha256": digest(tensors)} | changes)}))
    return path


def test_fault_33_embedder_weights_with_nan_are_refused_by_name(tmp_path: Path) -> None:
    tensors = load_file(GUIDE_WEIGHTS)
    tensors["dense.bias"][3] = float("nan")
    with pytest.raises(BundleRejected, match=r"NaN or infinite weights in dense\.bias"):
        Musicnn.load(written(tmp_path / "nan.safetensors", tensors))


def test_fault_33_embedder_weights_with_one_flipped_bit_are_refused(tmp_path: Path) -> None:
    content = bytearray(GUIDE_WEIGHTS.read_bytes())
    content[-5] ^= 1
    (tmp_path / "flipped.safetensors").write_bytes(content)
    with pytest.raises(BundleRejected, match="not those its header was written for"):
        Musicnn.load(tmp_path / "flipped.safetensors")


@pytest.mark.parametrize("length", [0, 7, 2000, 1_000_000])
def test_fault_33_embedder_weights_cut_short_are_refused(tmp_path: Path, length: int) -> None:
    (tmp_path / "cut.safetensors").write_bytes(GUIDE_WEIGHTS.read_bytes()[:length])
    with pytest.raises(BundleRejected, match="expected musicnn weights as safetensors"):
        Musicnn.load(tmp_path / "cut.safetensors")


def test_fault_33_a_missing_file_of_embedder_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRejected, match=r"missing\.safetensors"):
        Musicnn.load(tmp_path / "missing.safetensors")


@pytest.mark.parametrize("saved_by", ["pickle", "torch"])
def test_fault_33_pickled_embedder_weights_are_refused_and_never_unpickled(tmp_path: Path, saved_by: str) -> None:
    trap, path = tmp_path / "unpickled", tmp_path / "weights.safetensors"
    with path.open("wb") as stream:
        if saved_by == "pickle":
            pickle.dump(Payload(trap), stream)
        else:
            torch.save({"weights": Payload(trap)}, stream)
    with pytest.raises(BundleRejected, match="expected musicnn weights as safetensors"):
        Musicnn.load(path)
    assert not trap.exists()


def test_fault_33_embedder_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    tensors = load_file(GUIDE_WEIGHTS)
    del tensors["output.bias"]
    with pytest.raises(BundleRejected, match=r"another network.*output\.bias"):
        Musicnn.load(written(tmp_path / "other.safetensors", tensors))
    with pytest.raises(BundleRejected, match="50 labels, got 42 and 1"):
        Musicnn.load(written(tmp_path / "labels.safetensors", load_file(GUIDE_WEIGHTS), labels=["rock"]))
    (tmp_path / "bare.safetensors").write_bytes(save(tensors))
    with pytest.raises(BundleRejected, match="no entry 'musicnn' in its header"):
        Musicnn.load(tmp_path / "bare.safetensors")
