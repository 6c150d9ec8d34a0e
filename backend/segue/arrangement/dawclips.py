"""Clips of a DAWproject, nested, looped and warped, as stretches of audio files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element

from segue.arrangement.model import AudioClip, Fade, Tempo
from segue.errors import InvalidRequest

Unit = Literal["beats", "seconds"]

EXTERNAL = "external:"
"""Before the path of a source that is not in the container."""

DRIFT = 0.001
"""Seconds that warp points may be off from the file's own speed, over a whole clip."""

MAX_PASSES = 10_000
MAX_DEPTH = 16


def unit_of(element: Element | None, outer: str = "beats", name: str = "timeUnit") -> Unit:
    """The unit that an element states, or that it is in."""
    unit = outer if element is None else element.get(name, outer)
    if unit not in ("beats", "seconds"):
        raise InvalidRequest(f"expected the unit beats or seconds, got {unit!r}: export the project again")
    return "beats" if unit == "beats" else "seconds"


def number(element: Element, name: str, default: float | None = None) -> float:
    """A number among the attributes.

    Raises:
        InvalidRequest: missing without a default, or no finite number.
    """
    text = element.get(name)
    if text is None and default is not None:
        return default
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidRequest(f"expected a number as {name} of <{element.tag}>, got {text!r}: export the project again")
    return value


@dataclass(frozen=True)
class _Frame:
    """Content time ``origin`` plays at ``anchor`` seconds of the arrangement; heard from ``low`` to ``high``."""

    tempo: Tempo
    unit: Unit
    anchor: float
    origin: float
    low: float
    high: float
    name: str = ""
    fade_in: float = 0.0
    fade_out: float = 0.0
    depth: int = 0

    def at(self, time: float) -> float:
        """Seconds of the arrangement at a content time."""
        past = time - self.origin
        if self.unit == "seconds":
            return self.anchor + past
        return self.tempo.seconds_at(self.tempo.beat_at(self.anchor) + past)


def flatten(lane: Element, unit: str, tempo: Tempo, notes: list[str]) -> Iterator[AudioClip]:
    """The audio of a track's timeline in ``unit``; what cannot be heard is noted.

    Raises:
        InvalidRequest: stretched or linked clips, or a broken element.
    """
    frame = _Frame(tempo, unit_of(None, unit), 0.0, 0.0, 0.0, math.inf)
    yield from _content(lane, frame, notes)


def _content(element: Element, frame: _Frame, notes: list[str]) -> Iterator[AudioClip]:
    frame = _in_unit(frame, unit_of(element, frame.unit))
    if frame.depth > MAX_DEPTH:
        raise InvalidRequest(f"the clip {frame.name!r} is nested deeper than any editor nests: consolidate it first")
    if element.tag == "Clips":
        for clip in element.iterfind("Clip"):
            yield from _clip(clip, frame, notes)
    elif element.tag == "Lanes":
        for child in element:
            if child.tag == "Points" and frame.depth:
                notes.append(f"automation inside of the clip {frame.name!r} is not heard")
            elif isinstance(child.tag, str):
                yield from _content(child, frame, notes)
    elif element.tag == "Audio":
        yield from _audio(element, frame, frame.low - frame.at(0.0))
    elif element.tag == "Warps":
        yield from _warped(element, frame)


def _in_unit(frame: _Frame, unit: Unit) -> _Frame:
    """The same frame counted in another unit; a content time of 0 stays where it is."""
    if unit == frame.unit:
        return frame
    return _Frame(**{**vars(frame), "unit": unit, "anchor": frame.at(0.0), "origin": 0.0})


def _clip(element: Element, outer: _Frame, notes: list[str]) -> Iterator[AudioClip]:
    if element.get("enable") in ("false", "0"):
        return
    name = element.get("name") or outer.name
    if element.get("reference") is not None:
        raise InvalidRequest(f"the clip {name!r} is linked to another: make it independent in the editor first")
    unit = unit_of(element, outer.unit, "contentTimeUnit")
    time, first = number(element, "time"), number(element, "playStart", 0.0)
    start = outer.at(time)
    whole = _Frame(outer.tempo, unit, start, first, start, start, name)
    if element.get("duration") is not None:
        stop = outer.at(time + number(element, "duration"))
    elif element.get("playStop") is not None:
        stop = whole.at(number(element, "playStop"))
    else:
        raise InvalidRequest(f"the clip {name!r} says neither how long it is nor where it stops: export it again")
    fades = _fades(element, outer, start, stop)
    for anchor, origin, end in _passes(element, whole, stop):
        low, high = max(anchor, outer.low), min(end, outer.high)
        if low >= high:
            continue
        fade_in = max(outer.fade_in if low == outer.low else 0.0, fades[0] if low == start else 0.0)
        fade_out = max(outer.fade_out if high == outer.high else 0.0, fades[1] if high == stop else 0.0)
        frame = _Frame(outer.tempo, unit, anchor, origin, low, high, name, fade_in, fade_out, outer.depth + 1)
        for child in element:
            if isinstance(child.tag, str):
                yield from _content(child, frame, notes)


def _fades(element: Element, outer: _Frame, start: float, stop: float) -> tuple[float, float]:
    """Seconds of both fades; a negative one, a cross-fade with material before the clip, is refused."""
    unit = unit_of(element, outer.unit, "fadeTimeUnit")
    lengths = [number(element, name, 0.0) for name in ("fadeInTime", "fadeOutTime")]
    if min(lengths) < 0.0:
        raise InvalidRequest(
            f"the clip {element.get('name')!r} cross-fades into time before it, which Segue does not read: bounce or "
            "consolidate the two clips first"
        )
    if unit == "seconds":
        return lengths[0], lengths[1]
    at = outer.tempo.beat_at
    return (
        outer.tempo.seconds_at(at(start) + lengths[0]) - start,
        stop - outer.tempo.seconds_at(at(stop) - lengths[1]),
    )


def _passes(element: Element, whole: _Frame, stop: float) -> Iterator[tuple[float, float, float]]:
    """Where a clip's content plays, loops unrolled: seconds of its start, content time there, seconds of its end."""
    first, end = number(element, "loopStart", 0.0), element.get("loopEnd")
    if end is None or whole.at(number(element, "loopEnd")) >= stop:
        yield whole.anchor, whole.origin, stop
        return
    last = number(element, "loopEnd")
    if last <= first:
        raise InvalidRequest(f"the clip {whole.name!r} loops from {first} to {last}: export the project again")
    if number(element, "playStart", 0.0) >= last:  # never in the loop: straight on
        yield whole.anchor, whole.origin, stop
        return
    frame = whole
    for _ in range(MAX_PASSES):
        until = frame.at(last)
        if until > frame.anchor:
            yield frame.anchor, frame.origin, min(until, stop)
        if until >= stop:
            return
        frame = _Frame(whole.tempo, whole.unit, until, first, until, until, whole.name)
    raise InvalidRequest(f"the clip {whole.name!r} loops more than {MAX_PASSES} times: export the project again")


def _audio(element: Element, frame: _Frame, offset: float) -> Iterator[AudioClip]:
    file = element.find("File")
    if file is None or not file.get("path"):
        raise InvalidRequest(f"the clip {frame.name!r} names no file: export the project again, with its audio")
    path = str(file.get("path"))
    source = EXTERNAL + path if file.get("external") in ("true", "1") else path
    low, high = frame.low, frame.high
    if max(low, low - offset) >= min(high, low - offset + number(element, "duration")):
        return  # the file lies before or after the clip
    fade_in, fade_out = (Fade(f) if f > 0.0 else None for f in (frame.fade_in, frame.fade_out))
    yield AudioClip(frame.name, source, low, high, offset, 1.0, fade_in, fade_out)


def _warped(element: Element, frame: _Frame) -> Iterator[AudioClip]:
    """A file under warp points, as long as they leave it at its own speed."""
    audio = element.find("Audio")
    points = [(number(w, "time"), number(w, "contentTime")) for w in element.iterfind("Warp")]
    if audio is None or not points:
        return
    if unit_of(element, frame.unit, "contentTimeUnit") != "seconds":
        raise InvalidRequest(f"the clip {frame.name!r} warps in beats what is a file: consolidate it first")
    placed = [frame.at(time) for time, _ in points]
    drifts = [(at - placed[0]) - (content - points[0][1]) for at, (_, content) in zip(placed, points, strict=True)]
    if max(abs(drift) for drift in drifts) > DRIFT:
        raise InvalidRequest(
            f"the clip {frame.name!r} is stretched ({max(drifts, key=abs):+.3f} s over its length): Segue hears files "
            "at their own speed only; bounce it in place first"
        )
    yield from _audio(audio, frame, frame.low - (placed[0] - points[0][1]))
