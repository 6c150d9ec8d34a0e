"""Fault 33: pickled checkpoints; broken or NaN weights."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from segue.errors import BundleRejected
from segue.prior.bundle import Bundle
from segue_export.bundle import write_bundle
from tests.tiny_models import CACHE, copy_of_tiny, description, sign


class Payload:
    """Touches a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["weights.bin", "codec.bin", "denoise.onnx", "manifest.toml"])
@pytest.mark.parametrize("saved_by", ["pickle", "torch", "numpy"])
def test_fault_33_a_pickle_in_any_place_is_refused_and_never_unpickled(
    tmp_path: Path, name: str, saved_by: str
) -> None:
    trap = tmp_path / "unpickled"
    folder = copy_of_tiny(tmp_path)
    with (folder / name).open("wb") as stream:
        if saved_by == "pickle":
            pickle.dump(Payload(trap), stream)
        elif saved_by == "torch":
            torch.save({"weights": Payload(trap)}, stream)
        else:
            np.save(stream, np.array([Payload(trap)], dtype=object), allow_pickle=True)
    if name != "manifest.toml":
        sign(folder)
    with pytest.raises(BundleRejected):
        Bundle.open(folder, cache=tmp_path / "cache")
    assert not trap.exists()


@pytest.mark.parametrize(
    "name", ["model.pt", "model.ckpt", "statistics.npy", "model.safetensors", "model.pkl", "run.py"]
)
def test_fault_33_files_in_other_formats_are_refused_even_if_listed(tmp_path: Path, name: str) -> None:
    folder = copy_of_tiny(tmp_path)
    (folder / name).write_bytes(b"anything")
    sign(folder)
    with pytest.raises(BundleRejected, match="never read: export them"):
        Bundle.open(folder, cache=tmp_path / "cache")


def test_fault_33_a_changed_byte_of_the_weights_is_found(tmp_path: Path) -> None:
    folder = copy_of_tiny(tmp_path)
    content = bytearray((folder / "weights.bin").read_bytes())
    content[len(content) // 3] ^= 1
    (folder / "weights.bin").write_bytes(content)
    with pytest.raises(BundleRejected, match=r"weights\.bin: expected SHA-256 [0-9a-f]{64}, got"):
        Bundle.open(folder, cache=CACHE)


def test_fault_33_the_maker_of_bundles_refuses_them_too(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        for file in copy_of_tiny(tmp_path).glob("*[!l]"):
            (folder / file.name).write_bytes(file.read_bytes())
        torch.save({"w": torch.zeros(3)}, folder / "model.pt")

    with pytest.raises(BundleRejected, match=r"model\.pt"):
        write_bundle(tmp_path / "made", description(), write, cache=CACHE)
    assert not (tmp_path / "made").exists()
