"""One import of each tiny family for all tests of a process: an import takes far longer than what is tested on it."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from segue.prior.bundle import Bundle
from segue_export.importing.run import ImportOptions, import_folder
from tests.export import tiny_families
from tests.tiny_models import CACHE

PROMPTS = {"pads": "warm pads", "rain": "slow drums in the rain"}
_scratch = tempfile.TemporaryDirectory(prefix="segue-families-")


@dataclass(frozen=True)
class Imported:
    """A family's folder, and the bundle made of it, weights stored as float32."""

    folder: Path
    bundle: Bundle


@functools.cache
def folder(family: str) -> Path:
    """The family's tiny model in diffusers' format; not to be changed: copy it first."""
    path = Path(_scratch.name) / family
    with tiny_families.quiet():
        getattr(tiny_families, f"write_{family}")(path)
    return path


@functools.cache
def imported(family: str) -> Imported:
    """The family's tiny model as a bundle, with its text encoder and two stored prompts."""
    options = ImportOptions(accept_licence=True, store="fp32", prompts=PROMPTS, cache=CACHE)
    bundle = import_folder(folder(family), Path(_scratch.name) / f"{family}-bundle", options)
    return Imported(folder(family), bundle)
