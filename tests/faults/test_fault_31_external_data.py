"""Fault 31: external data with '..', absolute, linked or oversized places."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from segue.errors import BundleRejected
from segue.prior import quarantine
from segue.prior.bundle import Bundle
from tests.tiny_models import copy_of_tiny, sign, tiny_bundle


@pytest.fixture(autouse=True)
def _no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these must be refused before anything is loaded, in a child or here; a sound bundle is made before."""
    tiny_bundle()

    def fail(*_: object) -> None:
        raise AssertionError("a session would have been made")

    monkeypatch.setattr(quarantine.subprocess, "run", fail)


def _edit(folder: Path, change: Callable[[TensorProto], None]) -> None:
    """Change the first external tensor of a graph, and sign the bundle anew as an attacker would."""
    model = onnx.load(folder / "denoise.onnx", load_external_data=False)
    tensor = next(t for t in model.graph.initializer if t.data_location == TensorProto.EXTERNAL)
    change(tensor)
    (folder / "denoise.onnx").write_bytes(model.SerializeToString())
    sign(folder)


def _place(**entries: str) -> Callable[[TensorProto], None]:
    def change(tensor: TensorProto) -> None:
        for entry in tensor.external_data:
            entry.value = entries.pop(entry.key, entry.value)
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)

    return change


def _dims(*dims: int) -> Callable[[TensorProto], None]:
    def change(tensor: TensorProto) -> None:
        del tensor.dims[:]
        tensor.dims.extend(dims)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_place(location="../weights.bin"), "own weights file"),
        (_place(location="/etc/passwd"), "own weights file"),
        (_place(location="./weights.bin"), "own weights file"),
        (_place(location="a/../weights.bin"), "own weights file"),
        (_place(location="manifest.toml"), "own weights file"),
        (_place(location="weights.bin\0"), "own weights file"),
        (_place(location=""), "own weights file"),
        (_place(offset="-64"), "whole numbers"),
        (_place(offset="0x40"), "whole numbers"),
        (_place(offset="1" + "0" * 17), "ends at byte"),
        (_place(offset="9" * 400), "whole numbers"),
        (_place(offset="³"), "whole numbers"),
        (_place(length="4"), "bytes by its shape"),
        (_place(basepath="/etc"), "location, offset and length"),
        (_dims(1 << 30, 1 << 30, 1 << 30), "bytes by its shape"),
        (_dims(1 << 62, 4), "impossible shape"),
        (_dims(-1, 4), "impossible shape"),
        (_dims(0), "bytes by its shape"),
        (_dims(*[1] * 9), "impossible shape"),
        (lambda t: setattr(t, "data_type", TensorProto.DOUBLE), "bytes by its shape"),
        (lambda t: setattr(t, "data_type", TensorProto.STRING), "type bundles do not use"),
        (lambda t: setattr(t, "raw_data", b"both"), "location, offset and length"),
    ],
)
def test_fault_31_external_data_elsewhere_or_of_another_size_are_refused(
    tmp_path: Path, change: Callable[[TensorProto], None], message: str
) -> None:
    folder = copy_of_tiny(tmp_path)
    _edit(folder, change)
    with pytest.raises(BundleRejected, match=message):
        Bundle.open(folder, cache=tmp_path / "cache")


def _symbolic(folder: Path) -> None:
    (folder / "weights.bin").rename(folder.parent / "elsewhere")
    (folder / "weights.bin").symlink_to(folder.parent / "elsewhere")


def _hard(folder: Path) -> None:
    os.link(folder / "weights.bin", folder.parent / "elsewhere")


def _pipe(folder: Path) -> None:
    (folder / "weights.bin").unlink()
    os.mkfifo(folder / "weights.bin")


@pytest.mark.parametrize(("link", "message"), [(_symbolic, "regular file"), (_hard, "hard links"), (_pipe, "regular")])
def test_fault_31_linked_files_are_refused(tmp_path: Path, link: Callable[[Path], None], message: str) -> None:
    folder = copy_of_tiny(tmp_path)
    link(folder)
    with pytest.raises(BundleRejected, match=message):
        Bundle.open(folder, cache=tmp_path / "cache")


@pytest.mark.parametrize("change", ["extra", "missing", "longer", "shorter", "subfolder"])
def test_fault_31_files_other_than_the_manifest_lists_are_refused(tmp_path: Path, change: str) -> None:
    folder = copy_of_tiny(tmp_path)
    weights = folder / "weights.bin"
    if change == "extra":
        (folder / "more.bin").write_bytes(b"x")
    elif change == "subfolder":
        (folder / "more").mkdir()
    elif change == "missing":
        weights.unlink()
    else:
        content = weights.read_bytes()
        weights.write_bytes(content + b"\0" if change == "longer" else content[:-1])
    with pytest.raises(BundleRejected, match=r"not listed|missing|SHA-256"):
        Bundle.open(folder, cache=tmp_path / "cache")


@pytest.mark.parametrize("hidden", [b"\0" * 5000, b"\0" * 10 + b"\x80\x04payload"], ids=["bulk", "payload"])
def test_fault_31_bytes_that_belong_to_no_tensor_are_refused(tmp_path: Path, hidden: bytes) -> None:
    folder = copy_of_tiny(tmp_path)
    (folder / "weights.bin").write_bytes((folder / "weights.bin").read_bytes() + hidden)
    sign(folder)
    with pytest.raises(BundleRejected, match="belong to no tensor"):
        Bundle.open(folder, cache=tmp_path / "cache")
