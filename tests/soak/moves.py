"""What clients do and what befalls them, drawn from a seed: for the pool's soak and for the service's."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import Literal

import numpy as np

from segue.clip.clip import Clip
from segue.service.jobs import Job
from tests.pools import RATE, endless, fill

Kind = Literal["quick", "again", "broken", "late", "endless"]

KINDS: tuple[Kind, ...] = ("quick", "quick", "again", "broken", "late", "endless")
AGAIN = 100
"""The seed of the job that all ask for again and again."""


@dataclass(frozen=True)
class Ask:
    """A job, and after how many seconds its client cancels it, if it does."""

    kind: Kind
    job: Job
    cancel_after: float | None = None


@functools.cache
def _not_finite() -> Clip:
    return Clip(np.full((2, 10 * RATE), np.nan, np.float32), RATE)


def draw(rng: random.Random, number: int) -> Ask:
    """The ``number``-th job of a run."""
    kind = rng.choice(KINDS)
    match kind:
        case "quick":
            return Ask(kind, fill(AGAIN + number))
        case "again":
            return Ask(kind, fill(AGAIN))
        case "broken":
            return Ask(kind, fill(clip=_not_finite()))
        case "late":
            return Ask(kind, fill(200_000 + number, deadline=rng.choice((0.01, 0.3))))
        case "endless":
            return Ask(kind, endless(300_000 + number), rng.uniform(0.0, 1.5))


def expected(reason: str) -> bool:
    """Whether a job may fail for this reason while its process is killed and stopped and its audio is not finite."""
    return any(words in reason for words in ("signal 9", "said nothing", "finite"))
