"""An arrangement as far as filling its gaps needs it, whatever format it came in. Times are seconds from its start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve

Course = Literal["hold", "beats", "seconds"]
"""How a tempo goes to the next point: held, or along a line over beats or over seconds."""


@dataclass(frozen=True)
class TempoPoint:
    """From ``beat``, which is at ``seconds``: ``bpm`` quarter notes a minute, changing as ``course`` says."""

    beat: float
    seconds: float
    bpm: float
    course: Course = "hold"


@dataclass(frozen=True)
class Tempo:
    """A tempo map; before its first point and after its last the tempo is theirs."""

    points: tuple[TempoPoint, ...]

    @staticmethod
    def constant(bpm: float) -> Tempo:
        """One tempo throughout."""
        return Tempo((TempoPoint(0.0, 0.0, _checked(bpm)),))

    @staticmethod
    def over(points: Sequence[tuple[float, float, bool]], unit: Literal["beats", "seconds"]) -> Tempo:
        """From points (time in ``unit``, bpm, whether it goes to the next in a line), the first one moved to time 0.

        Raises:
            InvalidRequest: none; a tempo that is none; not in order of time.
        """
        if not points:
            raise InvalidRequest("expected at least one tempo, got none")
        ordered = [(0.0, *points[0][1:])] if points[0][0] > 0.0 else []
        ordered += list(points)
        made: list[TempoPoint] = []
        for (time, bpm, line), following in zip(ordered, [*ordered[1:], None], strict=True):
            course: Course = unit if line and following is not None else "hold"
            at = Tempo(tuple(made)) if made else None
            beat = time if unit == "beats" else at.beat_at(time, bpm) if at else time * _checked(bpm) / 60.0
            seconds = time if unit == "seconds" else at.seconds_at(time, bpm) if at else time * 60.0 / _checked(bpm)
            made.append(TempoPoint(beat, seconds, _checked(bpm), course))
        if any(b.seconds < a.seconds for a, b in pairwise(made)):
            raise InvalidRequest("expected the tempo map in order of time, it goes back: save the project again")
        return Tempo(tuple(made))

    def seconds_at(self, beat: float, coming: float | None = None) -> float:
        """Seconds from beats. ``coming``: the tempo at that very beat, where it is the end of a line."""
        one, two = self._around([p.beat for p in self.points], beat)
        end = _bpm(two, coming)
        past = beat - one.beat
        if one.course == "hold" or end is None or end == one.bpm:
            return one.seconds + past * 60.0 / one.bpm
        span = (beat if two is None else two.beat) - one.beat
        if span <= 0.0:
            return one.seconds
        if one.course == "beats":
            slope = (end - one.bpm) / span
            return one.seconds + 60.0 / slope * math.log1p(slope * past / one.bpm)
        assert two is not None
        rise = (end - one.bpm) / (two.seconds - one.seconds)
        return one.seconds + 120.0 * past / (one.bpm + math.sqrt(one.bpm**2 + 120.0 * rise * past))

    def beat_at(self, seconds: float, coming: float | None = None) -> float:
        """Inverse of :meth:`seconds_at`."""
        one, two = self._around([p.seconds for p in self.points], seconds)
        end = _bpm(two, coming)
        past = seconds - one.seconds
        if one.course == "hold" or end is None or end == one.bpm:
            return one.beat + past * one.bpm / 60.0
        span = (seconds if two is None else two.seconds) - one.seconds
        if span <= 0.0:
            return one.beat
        if one.course == "seconds":
            return one.beat + past * (one.bpm + (end - one.bpm) / span * past / 2.0) / 60.0
        assert two is not None
        slope = (end - one.bpm) / (two.beat - one.beat)
        return one.beat + one.bpm / slope * math.expm1(slope * past / 60.0)

    def _around(self, times: Sequence[float], time: float) -> tuple[TempoPoint, TempoPoint | None]:
        index = max(0, sum(1 for at in times if at <= time) - 1)
        return self.points[index], self.points[index + 1] if index + 1 < len(self.points) else None


def _bpm(following: TempoPoint | None, coming: float | None) -> float | None:
    return coming if following is None else following.bpm


def _checked(bpm: float) -> float:
    if not (math.isfinite(bpm) and 1.0 <= bpm <= 10_000.0):
        raise InvalidRequest(f"expected a tempo from 1 to 10000 beats a minute, got {bpm}")
    return bpm


@dataclass(frozen=True)
class Marker:
    """A marker, or a region where it has a ``stop``."""

    seconds: float
    name: str
    stop: float | None = None


@dataclass(frozen=True)
class Fade:
    """A fade of ``seconds``; ``curve``: "linear", "fast" (1 - (1 - x)^2, as it rises) or "slow" (x^2)."""

    seconds: float
    curve: Literal["linear", "fast", "slow"] = "linear"


@dataclass(frozen=True)
class AudioClip:
    """A stretch of a source on a track: from ``start`` to ``stop``, playing the source from ``offset`` seconds on.

    Where the source does not reach, before its start (a negative ``offset``) or after its end, the clip is silent; its
    fades are at its own ends all the same. ``source`` as its project knows it; ``loops``: the whole source starts again
    where it ends. ``gain``: a factor.
    """

    name: str
    source: str
    start: float
    stop: float
    offset: float = 0.0
    gain: float = 1.0
    fade_in: Fade | None = None
    fade_out: Fade | None = None
    loops: bool = False

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.start, self.stop, self.offset, self.gain))):
            raise InvalidRequest(f"expected finite times and gain of the clip {self.name!r}, got {self}")
        if self.stop < self.start or self.start < 0.0:
            raise InvalidRequest(
                f"expected the clip {self.name!r} from 0 s on and of some length, got {self.start} to {self.stop} s"
            )


@dataclass(frozen=True)
class Track:
    """A track: ``id`` as its project knows it. ``freedom`` and ``wanted`` are automation named Freedom and Gap."""

    id: str
    name: str
    clips: tuple[AudioClip, ...]
    freedom: Curve | None = None
    wanted: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """An arrangement; ``notes``: what of it is not heard by Segue, in words."""

    name: str
    format: str
    tempo: Tempo
    tracks: tuple[Track, ...]
    markers: tuple[Marker, ...] = ()
    notes: tuple[str, ...] = ()

    def track(self, name: str) -> Track:
        """The track of a name, whatever its case.

        Raises:
            InvalidRequest: none of that name, or several.
        """
        found = [t for t in self.tracks if t.name == name] or [
            t for t in self.tracks if t.name.casefold() == name.casefold()
        ]
        if len(found) != 1:
            known = ", ".join(t.name for t in self.tracks if t.clips) or "none"
            many = f"{len(found)} tracks are" if found else "no track is"
            raise InvalidRequest(f"{many} named {name!r}; tracks with audio: {known}")
        return found[0]
