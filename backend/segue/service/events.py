"""What the service says of a job: any number of :class:`Progressed` and :class:`CandidateReady`, then one final event.

The finals are :class:`Finished`, :class:`Failed`, :class:`Cancelled` and :class:`TimedOut`. Whatever happens (a worker
killed, a full disk, a client that cancels twice), a submitted job ends with exactly one of them; nothing follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32

from segue.clip.recipe import Recipe
from segue.errors import AudioFileError, BundleRejected, InvalidRequest, NonFinite, SegueError
from segue.render.settings import Progress
from segue_protocol.errors import REMEDIES, Code

_CODES: dict[type[Exception], Code] = {
    InvalidRequest: Code.INVALID,
    AudioFileError: Code.INVALID,
    BundleRejected: Code.MODEL_REJECTED,
    NonFinite: Code.NONFINITE,
    SegueError: Code.RESOURCE,
}

Audio = Float32[np.ndarray, "_channels _samples"]
"""A gap's audio at the clip's own rate and channel count, full scale 1.0."""


@dataclass(frozen=True)
class Progressed:
    """Where the render stands; see :class:`segue.render.settings.Progress`."""

    progress: Progress


@dataclass(frozen=True, eq=False)
class CandidateReady:
    """One candidate for one gap, to be heard while the rest is made; the first is usually the splice.

    ``number`` counts up within the job; ``gap`` is the index of the gap; ``audio`` (channels, gap samples);
    ``method``, ``how`` and ``seed`` as the report has them; ``scores`` so far, lower ``total`` is better: ``surprise``
    is None where the prior was not asked yet. Another gap within the resampling filter's reach (3 ms) is silent here.
    """

    number: int
    gap: int
    audio: Audio = field(repr=False)
    method: str
    how: str
    seed: int | None
    scores: Mapping[str, float | None]


@dataclass(frozen=True, eq=False)
class Rendition:
    """One of the candidates asked for: the ``audio`` of every gap, in order of time, and the recipe that makes it.

    ``candidate``: number of the :class:`CandidateReady` that was this, bit for bit, in a job of one gap; else None.
    """

    audio: tuple[Audio, ...] = field(repr=False)
    recipe: Recipe
    candidate: int | None = None


@dataclass(frozen=True, eq=False)
class Finished:
    """The result: ``renditions`` best first, as many as were asked for; ``report``, ready for JSON.

    ``ranking``: for each gap, the numbers of its :class:`CandidateReady`, best first; empty where the answer came
    from the store (``from_store``), bit for bit what was rendered then. ``key`` names the result in the store; where
    it could not be kept there, ``note`` says why.
    """

    renditions: tuple[Rendition, ...]
    report: Mapping[str, Any] = field(repr=False)
    ranking: tuple[tuple[int, ...], ...]
    key: str
    from_store: bool = False
    note: str = ""


@dataclass(frozen=True)
class Failed:
    """No result: ``message`` says what was expected and what came, ``remedy`` what to do.

    Codes in use: INVALID, MODEL_REJECTED, NONFINITE (every candidate), RESOURCE (memory, disk, device), LOST (the
    render's process died or stopped answering, or the service was closed), INTERNAL.
    """

    code: Code
    message: str
    remedy: str

    @staticmethod
    def of(code: Code, message: str, remedy: str | None = None) -> Failed:
        """With the usual remedy of its code, where there is no better one."""
        return Failed(code, message, remedy or REMEDIES[code])

    @staticmethod
    def by(error: Exception) -> Failed:
        """By what was raised: Segue's own refusals in their words, anything else as a defect (INTERNAL)."""
        code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), Code.INTERNAL)
        return Failed.of(code, f"{type(error).__name__}: {error}" if code is Code.INTERNAL else str(error))


@dataclass(frozen=True)
class Cancelled:
    """The client asked to stop."""


@dataclass(frozen=True)
class TimedOut:
    """The deadline passed; ``began`` tells whether the render had started."""

    message: str
    began: bool


Final = Finished | Failed | Cancelled | TimedOut
Event = Progressed | CandidateReady | Final
OnEvent = Callable[[Event], None]
"""Called on a thread of the pool, one call at a time for each job, in order, the final one last. It must return soon
(hand the event on, do not send it): while it works, that worker's next messages wait. What it raises is logged."""
