"""Opening bundles: from a folder, a zip, a name, the package; and what each refusal says."""

from __future__ import annotations

import os
import random
import stat
import sys
import zipfile
from pathlib import Path

import platformdirs
import pytest
import torch

from segue.errors import BundleRejected, InvalidRequest
from segue.prior import bundle as bundle_module
from segue.prior.bundle import Bundle
from segue.prior.manifest import MANIFEST, parse_manifest
from segue_export.bundle import write_bundle, zip_bundle
from tests.tiny_models import CACHE, CHANNELS, MASK, copy_of_tiny, description, sign, tiny_bundle


def test_a_bundle_says_what_it_is() -> None:
    bundle = Bundle.open(tiny_bundle(), cache=CACHE)
    assert (bundle.manifest.name, bundle.manifest.channels, bundle.manifest.commercial_use) == ("tiny", CHANNELS, True)
    assert bundle.manifest.sampling.steps == 5
    assert bundle.manifest.denoiser().others[1].name == MASK[0]


def test_a_zip_opens_like_its_folder(tmp_path: Path) -> None:
    zip_bundle(tiny_bundle(), tmp_path / "tiny.zip", cache=CACHE)
    packed, folder = (Bundle.open(p, cache=CACHE) for p in (tmp_path / "tiny.zip", tiny_bundle()))
    assert packed.digest == folder.digest
    x_t, time, mask = torch.ones(1, CHANNELS, 8), torch.tensor([0.5]), torch.zeros(1, 1, 8)
    results = [b.denoiser().bind({"mask": mask})(x_t, time) for b in (packed, folder)]
    assert torch.equal(*results)


def test_a_name_is_looked_up_in_the_users_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_data_path", lambda _: tmp_path)
    with pytest.raises(BundleRejected, match="no bundle named 'mine'"):
        Bundle.open("mine", cache=CACHE)
    (tmp_path / "bundles").mkdir()
    copy_of_tiny(tmp_path).rename(tmp_path / "bundles" / "mine")
    assert Bundle.open("mine", cache=CACHE).manifest.name == "tiny"


def test_a_path_relative_to_the_working_folder_is_one_for_the_quarantine_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of_tiny(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert Bundle.open(Path(folder.name), cache=tmp_path / "cache").folder == folder.resolve()


def test_none_is_the_embedded_bundle_checked_but_not_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of_tiny(tmp_path)
    monkeypatch.setattr(bundle_module, "embedded_folder", lambda: folder)
    cache = tmp_path / "cache"
    os.link(folder / "weights.bin", tmp_path / "installer's copy")
    assert Bundle.open(cache=cache).manifest.name == "tiny"
    assert not cache.exists()
    (folder / "fw.onnx").write_bytes((folder / "bw.onnx").read_bytes())
    with pytest.raises(BundleRejected, match=r"fw\.onnx: expected SHA-256"):
        Bundle.open(cache=cache)


def test_a_digest_that_has_passed_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Bundle.open(tiny_bundle(), cache=CACHE)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    Bundle.open(tiny_bundle(), cache=CACHE)
    with pytest.raises(BundleRejected, match="MODEL_REJECTED tiny"):
        Bundle.open(tiny_bundle(), cache=tmp_path)


def test_a_child_that_crashes_rejects_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = tmp_path / "crash"
    crash.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crash.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(crash))
    with pytest.raises(BundleRejected, match=r"MODEL_REJECTED tiny.*signal 11"):
        Bundle.open(tiny_bundle(), cache=tmp_path / "cache")


def test_the_digest_is_that_of_everything(tmp_path: Path) -> None:
    folder = copy_of_tiny(tmp_path)
    (folder / "LICENCE").write_text("CC0")
    sign(folder)
    assert Bundle.open(folder, cache=CACHE).digest != Bundle.open(tiny_bundle(), cache=CACHE).digest


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "linked.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("weights.bin")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(BundleRejected, match="plain files"):
        Bundle.open(path, cache=tmp_path / "cache")


@pytest.mark.parametrize("name", ["../evil", "/evil", "folder/evil", "..\\evil", ".hidden", ""])
def test_a_zip_that_writes_elsewhere_is_refused_and_writes_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / "slip.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    with pytest.raises(BundleRejected):
        Bundle.open(path, cache=tmp_path / "cache")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "slip.zip"]
    assert list((tmp_path / "cache" / "unpacked").iterdir()) == []


def test_a_zip_that_inflates_beyond_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.bin", bytes(8 << 20))
    with pytest.raises(BundleRejected, match="would unpack to 8388608 bytes"):
        Bundle.open(path, cache=tmp_path / "cache")


@pytest.mark.parametrize("stated", [10, 4000])
def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path, stated: int) -> None:
    path = tmp_path / "lying.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.bin", random.Random(0).randbytes(3000))
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    assert content[at : at + 4] == (3000).to_bytes(4, "little")
    content[at : at + 4] = stated.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(BundleRejected, match=r"not a sound zip|states 4000 bytes"):
        Bundle.open(path, cache=tmp_path / "cache")
    assert list((tmp_path / "cache" / "unpacked").iterdir()) == []


def test_a_cut_zip_is_refused(tmp_path: Path) -> None:
    zip_bundle(tiny_bundle(), tmp_path / "tiny.zip", cache=CACHE)
    whole = (tmp_path / "tiny.zip").read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.zip").write_bytes(whole[:size])
        with pytest.raises(BundleRejected, match="not a sound zip"):
            Bundle.open(tmp_path / "cut.zip", cache=tmp_path / "cache")


def test_a_path_with_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRejected, match="there is nothing"):
        Bundle.open(tmp_path / "none", cache=CACHE)
    with pytest.raises(BundleRejected, match=MANIFEST):
        Bundle.open(tmp_path, cache=CACHE)


def test_writing_over_a_bundle_must_be_asked_for(tmp_path: Path) -> None:
    folder = copy_of_tiny(tmp_path)

    def write(made: Path) -> None:
        for file in folder.glob("*[!l]"):
            (made / file.name).write_bytes(file.read_bytes())

    with pytest.raises(InvalidRequest, match="exists already"):
        write_bundle(folder, description(version="0.2.0"), write, cache=CACHE)
    written = write_bundle(folder, description(version="0.2.0"), write, replace=True, cache=CACHE)
    assert written.manifest.version == "0.2.0"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_failed_write_leaves_the_old_bundle(tmp_path: Path) -> None:
    folder = copy_of_tiny(tmp_path)
    with pytest.raises(BundleRejected):
        write_bundle(folder, description(channels=0), lambda made: None, replace=True, cache=CACHE)
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]
    assert Bundle.open(folder, cache=CACHE).manifest.name == "tiny"


def _manifest(old: str = "", new: str = "") -> bytes:
    text = (tiny_bundle() / MANIFEST).read_text()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('format = "1.1"', 'format = "2.0"', r"format is 2\.0, this Segue reads 1\.x"),
        ('format = "1.1"', "format = 1", "expected format"),
        ('format = "1.1"', 'colour = "red"', "expected format"),
        ('name = "tiny"', 'name = "tiny"\ncolour = "red"', "colour"),
        ('name = "tiny"', 'name = "../tiny"', "name"),
        ("commercial_use = true", "", "commercial_use"),
        ("steps = 5", "steps = 0", r"sampling\.steps"),
        ("window = 32", "window = 33\nlatent_multiple = 2", "multiple of latent_multiple"),
        ('"frames"', '"flames"', "conditioning.0"),
        ('name = "mask"', 'name = "cot"', "different names"),
        ("sample_rate = 44100", "sample_rate = nan", "sample_rate"),
        ("[files]", "[files", "not TOML"),
        ('"fw.onnx"', '"backward.onnx"', "expected the graphs"),
    ],
)
def test_manifests_that_say_something_else_are_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(BundleRejected, match=message):
        parse_manifest(_manifest(old, new))


def test_a_newer_minor_format_is_read_without_what_is_new() -> None:
    text = _manifest('format = "1.1"', 'format = "1.7"\ncolour = "red"')
    assert parse_manifest(text).name == "tiny"


def test_deeply_nested_toml_is_refused() -> None:
    with pytest.raises(BundleRejected):
        parse_manifest(b'format = "1.0"\nx = ' + b"[" * 100_000)
