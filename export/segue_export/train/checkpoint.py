"""What a run has come to, in one file of its folder, so that its next course goes on where the last one ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segue.errors import InvalidRequest

FILE = "checkpoint.pt"
_PARTS = {"average", "courses", "progress"}

State = dict[str, Tensor]


@dataclass(frozen=True)
class Progress:
    """What training goes on from, beside the averaged weights.

    ``net``: the weights that learn; ``moments``: the optimiser's, by parameter; ``heard``: hours of music.
    """

    net: State
    moments: dict[int, dict[str, Any]]
    steps: int = 0
    heard: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Checkpoint:
    """``average``: the EMA weights, which bundles are made of; ``courses``: how many have left weights here.

    Without ``progress`` there are weights alone, of a bundle or of a run of before checkpoints held it.
    """

    average: State
    courses: int = 0
    progress: Progress | None = None


def write(checkpoint: Checkpoint, run: Path) -> None:
    """Into the run's folder, in place of the one that is there."""
    progress = None if checkpoint.progress is None else dict(vars(checkpoint.progress))
    parts = {"average": checkpoint.average, "courses": checkpoint.courses, "progress": progress}
    temporary = (run / FILE).with_suffix(".tmp")
    torch.save(parts, temporary)
    temporary.replace(run / FILE)


def read(run: Path) -> Checkpoint | None:
    """The run's checkpoint; None where there is none yet."""
    if not (run / FILE).exists():
        return None
    stored = torch.load(run / FILE, weights_only=True, map_location="cpu")
    if set(stored) != _PARTS:
        return Checkpoint(stored)
    progress = None if stored["progress"] is None else Progress(**stored["progress"])
    return Checkpoint(stored["average"], stored["courses"], progress)


def averaged_weights(run: Path) -> State:
    """The EMA weights of a run.

    Raises:
        InvalidRequest: it has not left any yet.
    """
    found = read(run)
    if found is None:
        raise InvalidRequest(f"expected {run / FILE}, found none: train into {run} first, or name another run")
    return found.average


def seeds(seed: int, start: Checkpoint | None) -> tuple[int, int]:
    """For noise and for examples: each course of a run has its own, so that none repeats what another heard."""
    courses = 0 if start is None else start.courses
    noise, examples = np.random.SeedSequence([seed, courses]).generate_state(2)
    return int(noise), int(examples)
