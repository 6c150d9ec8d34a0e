"""What of a track is to be rendered: the gaps between its clips, its joints, and what markers or automation name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from segue.arrangement.model import Marker, Track
from segue.arrangement.timeline import Timeline
from segue.clip.gaps import parse_gap
from segue.clip.span import Span
from segue.errors import InvalidRequest

Kind = Literal["gap", "transition", "marked", "automation"]
_NAME = re.compile(r"segue(\s*:\s*(?P<times>.+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """``max_gap`` in seconds: a longer silence is a rest. ``transitions``: joints too, ``overlap`` seconds around each;
    ``marked``: regions of markers named segue too.
    """

    max_gap: float = 8.0
    transitions: bool = False
    overlap: float = 2.5
    marked: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.max_gap <= 60.0:
            raise InvalidRequest(f"expected the longest gap in 0 to 60 s, got {self.max_gap}")
        if not 0.1 <= self.overlap <= 20.0:
            raise InvalidRequest(f"expected an overlap from 0.1 to 20 s, got {self.overlap}")


@dataclass(frozen=True)
class Place:
    """A stretch to render. ``context``: the stretch of the timeline around it that is heard with it."""

    kind: Kind
    span: Span
    context: Span
    task: Literal["infill", "regenerate"]


@dataclass(frozen=True)
class Found:
    """``places`` in order, apart; ``left``: what was left alone, each with the reason."""

    places: tuple[Place, ...]
    left: tuple[str, ...]


def find_places(track: Track, timeline: Timeline, markers: Sequence[Marker], wanted: Wanted) -> Found:
    """All places; where two meet, automation goes before markers, these before gaps, and joints come last.

    Raises:
        InvalidRequest: a marker named segue whose times cannot be read.
    """
    named: list[tuple[Kind, Span]] = [("automation", _span(a, b, timeline)) for a, b in track.wanted]
    named += [("marked", span) for span in _marked(markers, timeline)] if wanted.marked else []
    left: list[str] = []
    for one, two in zip(timeline.sounding, timeline.sounding[1:], strict=False):
        gap = Span(one.stop, two.start)
        if gap.length <= wanted.max_gap * timeline.rate:
            named.append(("gap", gap))
        else:
            left.append(f"{_clock(gap, timeline)} is longer than {wanted.max_gap:g} s, and taken for a rest")
    if wanted.transitions:
        half = round(wanted.overlap * timeline.rate / 2)
        named += [("transition", _around(joint, half, timeline)) for joint in timeline.joints]
    taken: list[Place] = []
    for kind, span in named:
        reason = _unfit(span, taken, timeline)
        if reason:
            left.append(f"{_clock(span, timeline)} ({kind}) {reason}")
        else:
            taken.append(_placed(kind, span, track, timeline))
    return Found(tuple(sorted(taken, key=lambda place: place.span)), tuple(left))


def _marked(markers: Sequence[Marker], timeline: Timeline) -> list[Span]:
    """Regions named segue, "segue: 1.2-3.4", and from a marker named segue to the next marker."""
    spans = []
    for marker in markers:
        found = _NAME.fullmatch(marker.name.strip())
        if found is None:
            continue
        if found["times"]:
            spans.append(parse_gap(found["times"], timeline.rate, timeline.length))
            continue
        stop = marker.stop
        if stop is None:
            stop = min((other.seconds for other in markers if other.seconds > marker.seconds), default=None)
        if stop is None:
            raise InvalidRequest(
                f"the marker {marker.name!r} at {marker.seconds:g} s opens a region that nothing closes: set another "
                'marker where it ends, or name it as in "segue: 1.2-3.4"'
            )
        spans.append(_span(marker.seconds, stop, timeline))
    return spans


def _around(joint: Span, half: int, timeline: Timeline) -> Span:
    """The middle of a joint and ``half`` on both sides, or less: as much as that is left of the clips as context."""
    at = (joint.start + joint.stop) // 2
    stretch = next(s for s in timeline.sounding if s.start <= at <= s.stop)
    half = min(half, (at - stretch.start) // 2, (stretch.stop - at) // 2)
    return Span(at - half, at + half)


def _span(start: float, stop: float, timeline: Timeline) -> Span:
    first = min(max(0, round(start * timeline.rate)), timeline.length)
    return Span(first, max(first, min(round(stop * timeline.rate), timeline.length)))


def _unfit(span: Span, taken: Sequence[Place], timeline: Timeline) -> str:
    if span.length == 0:
        return "lies past the last clip"
    if any(place.span.start <= span.stop and span.start <= place.span.stop for place in taken):
        return "meets a place that is rendered already"
    if not any(known.start < span.start or known.stop > span.stop for known in timeline.sounding):
        return "is all there is of the track"
    return ""


def _placed(kind: Kind, span: Span, track: Track, timeline: Timeline) -> Place:
    """The context reaches to the far ends of the clips around, but not across a further gap."""
    start, stop = span.start, span.stop
    before = [s.start for s in timeline.sounding if s.start < span.start]
    after = [s.stop for s in timeline.sounding if s.stop > span.stop]
    context = Span(before[-1] if before else start, after[0] if after else stop)
    sounds = any(s.start <= start and stop <= s.stop for s in timeline.sounding)
    varies = sounds and (kind in ("transition", "marked") or track.freedom is not None)
    return Place(kind, span, context, "regenerate" if varies else "infill")


def _clock(span: Span, timeline: Timeline) -> str:
    return f"{span.start / timeline.rate:.3f} to {span.stop / timeline.rate:.3f} s"
