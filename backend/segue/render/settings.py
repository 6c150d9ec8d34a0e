"""What a caller asks of a render, hears while it runs, and gets at its end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segue.clip.recipe import Recipe
from segue.errors import InvalidRequest

MAX_CANDIDATES = 16
"""More takes of one gap than anyone auditions; a larger number is refused as a mistake."""

MAX_STEPS = 1000
"""Twice the paper's longest run; a larger number is refused as a mistake."""


@dataclass(frozen=True)
class RenderSettings:
    """How to render, whatever the task.

    ``seed`` of the generators; ``steps`` and ``sampler`` by name, None for the bundle's own choice; ``candidates`` to
    render and rank: their seeds count up from ``seed``, each hears other places of the song, where some fit nearly as
    well; ``bundle`` by path or by name, None for the embedded one; ``method``: candidates of one kind only
    ("splice", "generated", ...; the report names them), None for the best of all.
    """

    seed: int = 0
    steps: int | None = None
    sampler: str | None = None
    candidates: int = 1
    bundle: str | Path | None = None
    method: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise InvalidRequest(f"seed must lie in 0 to 2^63 - 1, got {self.seed}")
        if self.steps is not None and not 1 <= self.steps <= MAX_STEPS:
            raise InvalidRequest(f"steps must lie in 1 to {MAX_STEPS}, got {self.steps}")
        if not 1 <= self.candidates <= MAX_CANDIDATES:
            raise InvalidRequest(f"candidates must lie in 1 to {MAX_CANDIDATES}, got {self.candidates}")


@dataclass(frozen=True)
class Progress:
    """One event of a render.

    ``stage``: a word, such as preflight, recall or sample; ``step`` of ``steps`` within it; ``fraction`` of the whole
    render in [0, 1]; ``seconds_left`` of the whole, None while unknown; ``message``: one line for people, or empty.
    """

    stage: str
    step: int
    steps: int
    fraction: float
    seconds_left: float | None = None
    message: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.fraction) and 0.0 <= self.fraction <= 1.0):
            raise InvalidRequest(f"progress must be a fraction in [0, 1], got {self.fraction}")


ProgressCallback = Callable[[Progress], bool | None]
"""Told of progress at least once a step; returns False, or raises, to stop the render."""


@dataclass(frozen=True)
class FileResult:
    """What a render wrote.

    ``path`` is the best candidate, ``paths`` all of them, best first. ``report`` (see :mod:`segue.render.report`) is
    ready for JSON; ``recipe`` renders the best candidate again.
    """

    path: Path
    paths: tuple[Path, ...]
    report: dict[str, Any] = field(repr=False)
    recipe: Recipe


def candidate_path(out: Path, rank: int) -> Path:
    """Where the candidate of this rank goes: ``out`` itself for the best (1), then out-2.wav, out-3.wav beside it."""
    if rank < 1:
        raise InvalidRequest(f"ranks count from 1, got {rank}")
    return out if rank == 1 else out.with_name(f"{out.stem}-{rank}{out.suffix}")
