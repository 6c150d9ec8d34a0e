"""All project formats by name: a new one needs a file of its own, an import and a line here (or ``FORMATS``)."""

from __future__ import annotations

from pathlib import Path

from segue.arrangement.contract import Format, Opened
from segue.arrangement.dawproject import DawProject
from segue.arrangement.folder import Folder
from segue.arrangement.reaper import Reaper
from segue.errors import InvalidRequest
from segue.registry import Registry

FORMATS: Registry[Format] = Registry("project format", {"dawproject": DawProject, "reaper": Reaper, "folder": Folder})


def open_project(path: Path, pattern: str = "*.wav") -> Opened:
    """Read a project in the format of its ending.

    Raises:
        InvalidRequest: missing, or of no known format; the rest as :meth:`Format.open`.
    """
    if not path.exists():
        raise InvalidRequest(f"{path} does not exist: give a project, or a folder of audio files")
    suffix = "" if path.is_dir() else path.suffix.lower()
    formats = [FORMATS.make(name) for name in FORMATS.names]
    for one in formats:
        if suffix in one.suffixes:
            return one.open(path, pattern)
    known = ", ".join(sorted(s or "a folder" for one in formats for s in one.suffixes))
    raise InvalidRequest(f"expected a project of a known format ({known}), got {path.name}")
