"""What an import will take, from file headers alone: disk, memory, time; and refusal where there is too little."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from segue.errors import ResourceError
from segue.render.memory import available_mb
from segue_export.graphs.weights import Storage
from segue_export.importers.contract import DENOISER, Family
from segue_export.importers.source import Source

_BASE_BYTES = 1_500 << 20  # Python, torch, diffusers and the exporter themselves
_COPIES = 2.5  # of the largest part in float32, at the peak; measured on Stable Audio 3 small (docs/priors.md)
_SECONDS_PER_BILLION = 400.0
_SECONDS_PER_GRAPH = 120.0  # tracing: it grows with layers, not with their width; measured on 20 (docs/priors.md)
GIB = 1 << 30


@dataclass(frozen=True)
class Estimate:
    """Bytes on disk while it runs and afterwards, bytes of memory at the peak, and seconds on two cores."""

    parameters: int
    disk_peak: int
    disk_bundle: int
    memory: int
    seconds: float

    def describe(self) -> str:
        """One line for a person."""
        return (
            f"{self.parameters / 1e6:.0f} million weights; about {self.memory / GIB:.1f} GiB of memory, "
            f"{self.disk_peak / GIB:.1f} GiB of disk while it runs and {self.disk_bundle / GIB:.1f} GiB afterwards, "
            f"{math.ceil(self.seconds / 60)} min on two cores"
        )


def estimate(source: Source, family: Family, *, store: Storage, with_text: bool) -> Estimate:
    """What the import of a folder takes.

    Without ``with_text`` the text encoder is loaded all the same, since it encodes the prompts, and not stored.
    """
    encoded = source.has("text_encoder") and source.has("tokenizer")
    sizes: Mapping[str, int] = {
        p.name: source.parameters(p.name)
        for p in family.parts
        if p.needs_weights and source.has(p.name) and (encoded or p.name != "text_encoder")
    }
    kept = {part: count for part, count in sizes.items() if with_text or part != "text_encoder"}
    total, largest = sum(sizes.values()), max(sizes.values())
    stored = sum(count * _bytes(store, part) for part, count in kept.items())
    return Estimate(
        parameters=total,
        disk_peak=stored + 4 * max(kept.values()),
        disk_bundle=stored,
        memory=int(_BASE_BYTES + _COPIES * 4 * largest),
        seconds=3 * _SECONDS_PER_GRAPH + _SECONDS_PER_BILLION * total / 1e9,
    )


def _bytes(store: Storage, part: str) -> int:
    """Of a stored number: int8 is for the denoiser."""
    if store == "int8":
        return 1 if part == DENOISER else 2
    return 4 if store == "fp32" else 2


def check_room(needs: Estimate, target: Path) -> None:
    """Refuse an import that would run out of disk or memory half-way.

    Raises:
        ResourceError: says what is needed and what there is.
    """
    folder = next(p for p in (target.absolute(), *target.absolute().parents) if p.is_dir())
    free = shutil.disk_usage(folder).free
    if needs.disk_peak > free:
        raise ResourceError(
            f"the import needs {needs.disk_peak / GIB:.1f} GiB in {folder}, {free / GIB:.1f} GiB are free: make room "
            "or choose another disk with -o"
        )
    available = available_mb()
    if available is not None and needs.memory > available * (1 << 20):
        raise ResourceError(
            f"the import needs about {needs.memory / GIB:.1f} GiB of memory, {available / 1024:.1f} GiB are free: "
            "close programs, add swap, or import on a larger machine and copy the bundle"
        )
