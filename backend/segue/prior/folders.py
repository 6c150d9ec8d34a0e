"""Where bundles lie. Imports nothing heavy: the service's front lists bundles without opening one."""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path

import platformdirs

from segue.errors import BundleRejected

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def packaged_folder() -> Path:
    """Where the bundles inside the package lie, by name."""
    return Path(str(importlib.resources.files("segue"))) / "bundles"


def embedded_folder() -> Path:
    """Where the default bundle lies inside the package."""
    return packaged_folder() / "embedded"


def bundles_folder() -> Path:
    """Where bundles are found by name: folders, or zips named NAME.zip."""
    return platformdirs.user_data_path("segue") / "bundles"


def is_bundle_name(source: str) -> bool:
    """Whether this is a bare name, to be looked up in :func:`bundles_folder`, and no path."""
    return _NAME.fullmatch(source) is not None and not source.endswith(".zip")


def find_bundle(source: str | Path, user: Path | None = None) -> Path:
    """The folder or zip a source names: a path, or a name in the ``user`` folder (bundles_folder()) or in the package.

    Raises:
        BundleRejected: there is none.
    """
    if isinstance(source, Path) or not is_bundle_name(source):
        path = Path(source)
        if not path.exists():
            raise BundleRejected(f"expected a bundle at {path}, there is nothing")
        return path.resolve()  # the quarantine reads it from another folder
    folder = user or bundles_folder()
    for path in (folder / source, folder / f"{source}.zip", packaged_folder() / source):
        if path.exists():
            return path
    raise BundleRejected(
        f"no bundle named {source!r} in {folder}: put its folder or zip there, or give a path (as ./{source})"
    )
