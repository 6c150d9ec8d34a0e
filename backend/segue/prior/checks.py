"""What a bundle's files must be before ONNX Runtime sees one: regular, listed, of the stated digest and size.

Nothing here runs a model or unpickles anything; weights are numbers at stated places and are read as such. The graphs
themselves are looked at in :mod:`segue.prior.graph_checks`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onnx import ModelProto

from segue.errors import BundleRejected
from segue.prior.graph_checks import check_graph, check_interface, check_text_interface
from segue.prior.manifest import MANIFEST, PROMPTS, TOKENIZER, Manifest
from segue.prior.runtime import Graph
from segue.prior.weight_checks import StoredTensor, check_coverage

MAX_GRAPH_BYTES = 64 << 20
MAX_WEIGHTS_BYTES = 64 << 30
MAX_TEXT_BYTES = 256 << 20
WEIGHT_FILES = frozenset({"weights.bin", "codec.bin", "text.bin"})
_TEXT_FILES = frozenset({TOKENIZER, PROMPTS})
_PLAIN_TEXT = frozenset({".md", ".txt", ""})  # README.md, LICENCE and the like: listed and hashed, never interpreted
_BLOCK = 1 << 20


def check_files(folder: Path, manifest: Manifest, *, may_be_linked: bool) -> None:
    """Every file is listed, regular, small enough, of a kind a bundle may hold, and of the digest stated.

    ``may_be_linked``: hard links are fine, as installers make them of a package's own files.

    Raises:
        BundleRejected: one is not.
    """
    present = {entry.name for entry in os.scandir(folder)}
    listed = {MANIFEST, *manifest.files}
    if present != listed:
        raise BundleRejected(
            f"expected exactly the files the manifest lists: missing {sorted(listed - present)}, "
            f"not listed {sorted(present - listed)}; copy or export the bundle again"
        )
    for name, digest in manifest.files.items():
        path = folder / name
        _check_kind(path, may_be_linked=may_be_linked)
        found = file_digest(path)
        if found != digest:
            raise BundleRejected(f"{name}: expected SHA-256 {digest}, got {found}: the file is damaged or was changed")


def _check_kind(path: Path, *, may_be_linked: bool) -> None:
    name, status = path.name, os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        raise BundleRejected(f"{name}: expected a regular file, got a link, folder or device: copy the file itself")
    if status.st_nlink > 1 and not may_be_linked:
        raise BundleRejected(
            f"{name}: expected a file of its own, got one of {status.st_nlink} hard links: copy the file"
        )
    if path.suffix == ".onnx":
        limit = MAX_GRAPH_BYTES
    elif name in WEIGHT_FILES:
        limit = MAX_WEIGHTS_BYTES
    elif name in _TEXT_FILES:
        limit = MAX_TEXT_BYTES
    elif path.suffix in _PLAIN_TEXT:
        limit = _BLOCK
    else:
        raise BundleRejected(
            f"{name}: a bundle holds .onnx graphs, {sorted(WEIGHT_FILES | _TEXT_FILES)} and texts; checkpoints in "
            "other formats (pickles among them) are never read: export them with segue_export"
        )
    if status.st_size > limit:
        raise BundleRejected(f"{name}: expected at most {limit} bytes, got {status.st_size}")


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class Checked:
    """What has passed: the graphs by name, and the tensors that lie in each weights file."""

    graphs: Mapping[str, Graph]
    tensors: Mapping[str, Sequence[StoredTensor]]


def check_graphs(folder: Path, manifest: Manifest) -> Checked:
    """The graphs, each of the digest stated, parsed and found to be what a bundle may hold.

    Raises:
        BundleRejected: one is not, or does not fit its weights file, or has other inputs than the manifest says.
    """
    graphs: dict[str, Graph] = {}
    tensors: dict[str, list[StoredTensor]] = {name: [] for name in WEIGHT_FILES & set(manifest.files)}
    sizes = {name: (folder / name).stat().st_size for name in tensors}

    def load(name: str) -> ModelProto:
        model = _read(folder / f"{name}.onnx", manifest.files)
        proto, stored = check_graph(name, model, sizes)
        for tensor in stored:
            tensors[tensor.file].append(tensor)
        graphs[name] = Graph(name, model, folder)
        return proto

    for signature in manifest.functions():
        check_interface(signature, *(load(name) for name in signature.graphs))
    if (text := manifest.text_signature()) is not None:
        check_text_interface(text, load(text.graph))
    for file, stored in tensors.items():
        check_coverage(folder / file, stored)
    return Checked(graphs, tensors)


def _read(path: Path, digests: Mapping[str, str]) -> bytes:
    """A graph's bytes, hashed again as read: the file may have changed since it was first looked at."""
    model = path.read_bytes()
    if hashlib.sha256(model).hexdigest() != digests[path.name]:
        raise BundleRejected(f"{path.name} changed while it was being read: close what writes to it and try again")
    return model
