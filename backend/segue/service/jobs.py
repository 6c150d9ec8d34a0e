"""What a client asks of the service. Knows no transport: a socket, a farm and a test make the same :class:`Job`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from segue.clip.clip import Clip
from segue.clip.gaps import check_gaps
from segue.clip.resample import check_format
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.render.settings import RenderSettings
from segue.service.style import CURVES, style_of
from segue.style.preset import find_preset, is_preset_name, load_preset, preset_references

MAX_DEADLINE = 86_400.0
"""Seconds; nobody waits longer than a day for a gap."""


@dataclass(frozen=True)
class Uses:
    """Which fields of a :class:`Job` a task needs, and which it also takes; any other must be left alone."""

    needs: frozenset[str]
    takes: frozenset[str] = frozenset()
    curves: frozenset[str] = frozenset()


_STYLE = frozenset({"preset", "prompt", "references", "curves"})
_FREE = CURVES | {"freedom"}

TASK_USES: Mapping[str, Uses] = {
    "infill": Uses(frozenset({"gaps"}), _STYLE, CURVES),
    "regenerate": Uses(frozenset({"gaps"}), _STYLE, _FREE),
    "continuation": Uses(frozenset({"added"}), _STYLE | {"backward"}, CURVES),
    "transition": Uses(frozenset({"other", "overlap"}), _STYLE, _FREE),
    "restyle": Uses(frozenset({"gaps"}), _STYLE, _FREE),
}
"""Tasks the service knows. A new one needs a line here and one in :mod:`segue.service.worker.material`."""

_BY_TASK = ("other", "gaps", "added", "backward", "overlap", "curves", "preset", "prompt", "references")


@dataclass(frozen=True, eq=False)
class Job:
    """One render, whole: all that a worker needs to know.

    ``task`` by its registered name. ``clip``: the track; ``other``: the second track of a transition; ``songs``:
    further material for recall; ``sound``: another song, if the result is to have its sound. All audio is float32,
    (channels, samples) with its own rate, and must not be changed after it was handed over. ``gaps`` (samples of the
    clip) for infill and regenerate; ``added`` samples for a continuation, ``backward`` before the clip's start;
    ``overlap`` samples for a transition. ``curves`` by name over seconds of the clip: "freedom" and those of a style
    (:mod:`segue.service.style`), to which ``preset``, ``prompt`` and ``references`` belong. ``names``: of all audio, in
    the order of :attr:`audio`, for recipes. Without ``references`` those of the preset are read (:func:`complete`).

    ``digests`` by role, of audio that was hashed before (:func:`segue.service.header.digest_of`) and need not be again.

    ``generation``: counts up each time the same place is asked for anew; the service only hands it back. ``deadline``:
    seconds after which the answer is of no use, counted from the submission.

    Raises:
        InvalidRequest: an unknown task; fields missing, out of range or of no use to the task; unusable audio.
    """

    task: str
    clip: Clip = field(repr=False)
    settings: RenderSettings = field(default_factory=RenderSettings)
    gaps: tuple[Span, ...] = ()
    other: Clip | None = field(default=None, repr=False)
    songs: tuple[Clip, ...] = field(default=(), repr=False)
    sound: Clip | None = field(default=None, repr=False)
    added: int = 0
    backward: bool = False
    overlap: int = 0
    curves: Mapping[str, Curve] = field(default_factory=dict)
    preset: str | None = None
    prompt: str | None = None
    references: tuple[Clip, ...] = field(default=(), repr=False)
    names: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)
    generation: int = 0
    deadline: float | None = None

    def __post_init__(self) -> None:
        uses = TASK_USES.get(self.task)
        if uses is None:
            raise InvalidRequest(f"unknown task {self.task!r}; expected one of {', '.join(sorted(TASK_USES))}")
        for role, clip in self.audio.items():
            _check_clip(role, clip)
        self._check_fields(uses)
        self._check_numbers()
        if self.gaps:
            elsewhere = bool(self.songs) or self.task == "restyle"
            check_gaps(self.gaps, self.clip.length, rate=self.clip.rate, elsewhere=elsewhere)
        self._check_style()
        if "freedom" in self.curves:
            Freedom(self.curves["freedom"])
        if self.names and len(self.names) != len(self.audio):
            raise InvalidRequest(f"expected a name for each of {len(self.audio)} tracks, got {len(self.names)}")

    @property
    def audio(self) -> dict[str, Clip]:
        """All audio by role: "clip", "other", "song0", "song1", ..., "sound", "reference0", ..."""
        roles = {"clip": self.clip} if self.other is None else {"clip": self.clip, "other": self.other}
        roles |= {f"song{index}": song for index, song in enumerate(self.songs)}
        roles |= {} if self.sound is None else {"sound": self.sound}
        return roles | {f"reference{index}": clip for index, clip in enumerate(self.references)}

    @property
    def nbytes(self) -> int:
        """Bytes of audio the job holds."""
        return sum(clip.samples.nbytes for clip in self.audio.values())

    def _check_fields(self, uses: Uses) -> None:
        defaults: dict[str, object] = {f.name: {} if f.name == "curves" else f.default for f in fields(self)}
        given = {name for name in _BY_TASK if getattr(self, name) != defaults[name]}
        if missing := uses.needs - given:
            raise InvalidRequest(f"{self.task} needs {', '.join(sorted(missing))}: give it with the job")
        if extra := given - uses.needs - uses.takes:
            raise InvalidRequest(f"{self.task} has no use for {', '.join(sorted(extra))}: leave it out")
        if unknown := set(self.curves) - uses.curves:
            known = ", ".join(sorted(uses.curves)) or "none"
            raise InvalidRequest(f"{self.task} has no curve {', '.join(sorted(unknown))}; expected of {known}")

    def _check_style(self) -> None:
        if self.preset is not None and not is_preset_name(self.preset):
            raise InvalidRequest(f"expected a preset by name, got {self.preset!r}")
        style = style_of(self.preset, self.prompt, (), self.curves)
        if self.task == "restyle" and style.is_empty and not self.references and self.sound is None:
            raise InvalidRequest(
                "restyle needs a preset, a prompt, a reference, a feature's curve or another song's sound: give one"
            )

    def _check_numbers(self) -> None:
        if self.added < 0 or self.overlap < 0:
            raise InvalidRequest(f"expected samples, 0 or more, got added {self.added}, overlap {self.overlap}")
        if not 0 <= self.generation < 2**63:
            raise InvalidRequest(f"generation must lie in 0 to 2^63 - 1, got {self.generation}")
        if self.deadline is not None and not (math.isfinite(self.deadline) and 0.0 < self.deadline <= MAX_DEADLINE):
            raise InvalidRequest(f"the deadline must lie in 0 to {MAX_DEADLINE:.0f} s from now, got {self.deadline}")


def complete(job: Job) -> Job:
    """The job with what its preset is to sound like, where it has no references of its own. Decodes whole files.

    Raises:
        InvalidRequest: no such preset, or a faulty one. AudioFileError: a reference cannot be read.
    """
    if job.preset is None or job.references:
        return job
    own = preset_references(load_preset(job.preset), find_preset(job.preset))
    names = (*job.names, *(file.name for file in own)) if job.names else ()
    return replace(job, references=tuple(file.clip() for file in own), names=names) if own else job


def _check_clip(role: str, clip: Clip) -> None:
    if clip.samples.ndim != 2 or clip.samples.dtype != np.float32:
        raise InvalidRequest(
            f"expected {role} as float32 (channels, samples), got {clip.samples.dtype} {clip.samples.shape}"
        )
    check_format(clip.channels, clip.rate)
    if clip.length == 0:
        raise InvalidRequest(f"{role} holds no samples: send the track")
