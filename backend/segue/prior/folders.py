"""Where bundles lie. Imports nothing heavy: the service's front lists bundles without opening one."""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path

import platformdirs

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
