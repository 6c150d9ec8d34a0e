"""Families by file: every module of this package that defines ``FAMILY`` is one. A new family is a new file."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from segue.errors import InvalidRequest
from segue_export import importers
from segue_export.importers.contract import Family
from segue_export.importers.source import INDEX, Source, read_source


def families() -> dict[str, Family]:
    """All families by name."""
    modules = (
        importlib.import_module(f"{importers.__name__}.{m.name}") for m in pkgutil.iter_modules(importers.__path__)
    )
    found = [module.FAMILY for module in modules if hasattr(module, "FAMILY")]
    return {family.name: family for family in sorted(found, key=lambda f: f.name)}


def open_source(folder: Path) -> tuple[Family, Source]:
    """A model's folder and the family that reads it.

    Raises:
        InvalidRequest: no folder, a broken index, or a model that no family reads.
    """
    known = families().values()
    if folder.is_dir() and not (folder / INDEX).is_file():
        for family in known:
            if (source := family.adopt(folder)) is not None:
                return family, source
    source = read_source(folder)
    for family in known:
        if source.pipeline in family.pipelines:
            return family, source
    readable = sorted(name for family in known for name in family.pipelines)
    raise InvalidRequest(
        f"{folder} holds a {source.pipeline}, which no importer reads; expected one of {readable}: see docs/priors.md "
        "for the models there are"
    )
