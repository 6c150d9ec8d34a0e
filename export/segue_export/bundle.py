"""Making bundles: graphs (see :mod:`segue_export.graphs.export`), a manifest with digests, and a trial opening."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from segue.errors import InvalidRequest
from segue.prior.bundle import Bundle
from segue.prior.checks import file_digest
from segue.prior.manifest import FORMAT_MAJOR, FORMAT_MINOR, MANIFEST, parse_manifest


def write_manifest(folder: Path, description: Mapping[str, Any]) -> None:
    """Write manifest.toml of a folder's files; ``description`` holds every field but ``format`` and ``files``.

    Raises:
        BundleRejected: the description is not what :class:`segue.prior.manifest.Manifest` asks for.
    """
    files = {path.name: file_digest(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    data = {"format": f"{FORMAT_MAJOR}.{FORMAT_MINOR}", **description, "files": files}
    text = tomli_w.dumps(data).encode()
    parse_manifest(text)
    (folder / MANIFEST).write_bytes(text)


def write_bundle(
    folder: Path,
    description: Mapping[str, Any],
    write_graphs: Callable[[Path], object],
    *,
    replace: bool = False,
    cache: Path | None = None,
) -> Bundle:
    """Make a whole bundle, or none: graphs, manifest, then every check and trial run of :meth:`Bundle.open`.

    ``write_graphs`` is given an empty folder for the graphs, weights and texts, as in
    ``lambda f: export_denoiser(module, f, channels=576, conditioning=...)``.

    Raises:
        ExportMismatch: a graph differs from torch; nothing is left.
        BundleRejected: the description is wrong, or a graph uses what bundles may not.
        InvalidRequest: the folder exists and ``replace`` is False.
    """
    if folder.exists() and not replace:
        raise InvalidRequest(f"{folder} exists already: choose another folder, or ask to replace it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=folder.parent) as scratch:
        made = Path(scratch) / "new"
        made.mkdir()
        write_graphs(made)
        write_manifest(made, description)
        Bundle.open(made, cache=cache)
        if folder.exists():  # moved aside, not removed: the new one is never missing for long
            folder.rename(Path(scratch) / "old")
        made.rename(folder)
    return Bundle.open(folder, cache=cache)


def zip_bundle(folder: Path, path: Path, *, cache: Path | None = None) -> None:
    """Pack a bundle folder into one zip, written beside ``path`` first and renamed.

    Raises:
        BundleRejected: the folder is no sound bundle.
    """
    Bundle.open(folder, cache=cache)
    with tempfile.TemporaryDirectory(prefix=".zip-", dir=path.parent) as scratch:
        packed = Path(scratch) / "bundle.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, file.name)
        shutil.move(packed, path)
