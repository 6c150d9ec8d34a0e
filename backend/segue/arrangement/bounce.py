"""Bounce: read a project, render every place that wants music, write a new project and a report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from segue.arrangement.contract import OURS, Filled, Opened
from segue.arrangement.gaps import Found, Place, Wanted, find_places
from segue.arrangement.model import Track
from segue.arrangement.registry import open_project
from segue.arrangement.render import Rendered, render_all
from segue.arrangement.report import write_report
from segue.arrangement.takes import clip_of, in_context, write_take
from segue.arrangement.timeline import Timeline, lay_out
from segue.clip.clip import Clip
from segue.clip.span import Span
from segue.errors import InvalidRequest, ResourceError
from segue.guidance.curve import Curve
from segue.render.settings import ProgressCallback, RenderSettings
from segue.service.events import Finished
from segue.service.jobs import Job
from segue.service.pool import Pool
from segue.service.style import Parts
from segue.style.preset import find_preset

MAX_SONGS = 8
"""Further stretches of the track to recall from: the longest."""

MIN_SONG = 1.0
"""Seconds; shorter stretches hold nothing to recall."""


@dataclass(frozen=True)
class Bounce:
    """What to do. ``tracks`` by name, none for all that have audio and are not from an earlier bounce; ``pattern``:
    which files of a folder; ``style`` as jobs carry it; ``sound``: a song, with its name, whose units sound what is
    made; ``overwrite`` what was written before.
    """

    tracks: tuple[str, ...] = ()
    pattern: str = "*.wav"
    wanted: Wanted = field(default_factory=Wanted)
    settings: RenderSettings = field(default_factory=RenderSettings)
    style: Parts = field(default_factory=Parts)
    sound: tuple[Clip, str] | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Bounced:
    """What was written: the project, the folder of clips and report, and the report itself (ready for JSON)."""

    path: Path
    folder: Path
    report: Mapping[str, Any]

    @property
    def failed(self) -> int:
        """Places that could not be rendered."""
        return sum("failed" in place for track in self.report["tracks"] for place in track["places"])


@dataclass(frozen=True, eq=False)
class _Laid:
    """A track, ready: its timeline and the jobs of its places."""

    track: Track
    timeline: Timeline
    found: Found
    jobs: tuple[Job, ...]


def bounce(
    path: Path,
    out: Path,
    pool: Callable[[], Pool],
    asked: Bounce | None = None,
    callback: ProgressCallback | None = None,
) -> Bounced:
    """Render all places of a project and write it anew as ``out``, its clips and a report in a folder beside it.

    ``pool`` is started only where something is to be rendered; with a store it finds what an earlier run rendered. A
    place that fails is reported, and left as it was; the others are written.

    Raises:
        InvalidRequest, AudioFileError: the project, or what is asked of it; nothing was written.
        ResourceError: every place failed. Cancelled: what was rendered is in the store.
    """
    asked = asked or Bounce()
    if asked.style.preset is not None:
        find_preset(asked.style.preset)
    opened = open_project(path, asked.pattern)
    folder = out.with_name(f"{out.stem} Segue")
    _check_out(path, out, folder, opened, overwrite=asked.overwrite)
    laid = [_prepare(track, opened, asked) for track in _tracks(opened, asked)]
    jobs = [job for one in laid for job in one.jobs]
    rendered = render_all(pool, jobs, callback) if jobs else []
    if jobs and not any(isinstance(one, Finished) for one in rendered):
        raise ResourceError(f"none of {len(jobs)} places could be rendered: {rendered[0]}")
    folder.mkdir(parents=True, exist_ok=True)
    filled, tracks, at = [], [], 0
    for index, one in enumerate(laid, 1):
        prefix = f"{index:02d} " if len(laid) > 1 else ""
        own, about = _take_over(one, rendered[at : at + len(one.jobs)], folder / (prefix + _file_name(one)), opened)
        at += len(one.jobs)
        filled += own
        tracks.append(about)
    opened.write(out, filled)
    project = opened.project
    report = {"project": path.name, "written": out.name, "format": project.format, "notes": list(project.notes)}
    return Bounced(out, folder, write_report(folder, report | {"tracks": tracks}))


def _check_out(path: Path, out: Path, folder: Path, opened: Opened, *, overwrite: bool) -> None:
    if out.resolve() == path.resolve():
        raise InvalidRequest(f"{out} is the project itself, which is never written: give the new one another name")
    if not out.resolve().parent.is_dir():
        raise InvalidRequest(f"the folder {out.parent} does not exist: make it first")
    for taken in (out, folder):
        if taken.exists() and not overwrite:
            raise InvalidRequest(f"{taken} exists: give another name, or allow overwriting (--force)")
    if folder.exists() and not folder.is_dir():
        raise InvalidRequest(f"expected a folder for the clips, {folder} is a file: give another name")
    opened.check_out(out)


def _tracks(opened: Opened, asked: Bounce) -> list[Track]:
    project = opened.project
    if asked.tracks:
        return [project.track(name) for name in dict.fromkeys(asked.tracks)]
    if not (found := [t for t in project.tracks if t.clips and not t.name.startswith(OURS)]):
        raise InvalidRequest(f"{project.name} has no audio on any track: nothing can be filled")
    return found


def _prepare(track: Track, opened: Opened, asked: Bounce) -> _Laid:
    timeline = lay_out(track, opened.audio)
    found = find_places(track, timeline, opened.project.markers, asked.wanted)
    jobs = tuple(_job(place, index, track, timeline, asked) for index, place in enumerate(found.places))
    return _Laid(track, timeline, found, jobs)


def _job(place: Place, index: int, track: Track, timeline: Timeline, asked: Bounce) -> Job:
    """The place in its surroundings; the rest of the track, in one piece a stretch, to recall from."""
    start, rate = place.context.start, timeline.rate
    others = [span for span in timeline.sounding if not span.overlaps(place.context)]
    longest = sorted(others, key=lambda span: (-span.length, span.start))[:MAX_SONGS]
    songs = [span for span in sorted(longest) if span.length >= MIN_SONG * rate]
    curves = dict(asked.style.curves or {})
    if place.task == "regenerate" and track.freedom is not None:
        curves["freedom"] = Curve(tuple((t - start / rate, v) for t, v in track.freedom.points))
    clips = [_cut(timeline, span) for span in (place.context, *songs)]
    names = [f"{track.name} {index + 1}", *(f"{track.name} from {span.start / rate:.3f} s" for span in songs)]
    sound, named = (None, []) if asked.sound is None else (asked.sound[0], [asked.sound[1]])
    names += named + [f"reference {number + 1}" for number in range(len(asked.style.references))]
    return Job(
        place.task,
        clips[0],
        asked.settings,
        gaps=(Span(place.span.start - start, place.span.stop - start),),
        songs=tuple(clips[1:]),
        sound=sound,
        curves=curves,
        preset=asked.style.preset,
        prompt=asked.style.prompt,
        references=asked.style.references,
        names=tuple(names),
    )


def _cut(timeline: Timeline, span: Span) -> Clip:
    return Clip(np.ascontiguousarray(timeline.heard[:, span.start : span.stop]), timeline.rate)


def _take_over(
    laid: _Laid, rendered: Sequence[Rendered], stem: Path, opened: Opened
) -> tuple[list[Filled], dict[str, Any]]:
    """Write the clips of a track; what goes into the project, and into the report."""
    filled: list[Filled] = []
    places: list[dict[str, Any]] = []
    timeline, name = laid.timeline, laid.track.name
    for number, (place, done) in enumerate(zip(laid.found.places, rendered, strict=True), 1):
        about = _about(place, timeline, opened)
        places.append(about)
        if not isinstance(done, Finished):
            about["failed"] = done
            continue
        audio, recipe = done.renditions[0].audio[0], done.renditions[0].recipe
        span, clip = clip_of(timeline, place, audio)
        named = f"{stem.name}_{number:03d}_{span.start / timeline.rate:.3f}s"
        path, listen = stem.with_name(f"{named}.wav"), stem.with_name(f"{named} in context.wav")
        write_take(path, clip, timeline.rate, span.start, f"Segue, {name}, {place.kind} {number}")
        write_take(listen, in_context(timeline, place.span, audio), timeline.rate, -1, "")
        about |= {"file": path.name, "listen": listen.name, "from_store": done.from_store, "key": done.key}
        about |= {"recipe": recipe.model_dump(mode="json"), "render": dict(done.report)}
        filled.append(
            Filled(laid.track, path.stem, timeline.rate, place.span, audio, recipe, path, span.start, span.length)
        )
    notes = [*laid.track.notes, *timeline.notes]
    return filled, {"name": name, "places": places, "left": list(laid.found.left), "notes": notes}


def _about(place: Place, timeline: Timeline, opened: Opened) -> dict[str, Any]:
    start, stop = (at / timeline.rate for at in (place.span.start, place.span.stop))
    beats = [opened.project.tempo.beat_at(at) for at in (start, stop)]
    return {"kind": place.kind, "task": place.task, "seconds": [start, stop], "beats": beats}


def _file_name(laid: _Laid) -> str:
    """A track's name as part of a file's, on every system."""
    return re.sub(r"[^A-Za-z0-9 -]+", "-", laid.track.name).strip(" -")[:60] or "track"
