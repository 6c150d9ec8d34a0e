"""DAWproject 1.0 (https://github.com/bitwig/dawproject): a zip of project.xml, metadata.xml and audio."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from segue.arrangement.automation import course, switched_on
from segue.arrangement.container import Container, written
from segue.arrangement.contract import OURS, Filled
from segue.arrangement.dawclips import EXTERNAL, flatten, number, unit_of
from segue.arrangement.model import Marker, Project, Tempo, Track
from segue.arrangement.places import beside, is_absolute
from segue.clip.files import AudioFile, read_audio
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve

PROJECT = "project.xml"


@dataclass(frozen=True)
class DawProject:
    """Projects by their ending."""

    suffixes: tuple[str, ...] = (".dawproject",)

    def open(self, path: Path, pattern: str) -> OpenedDawProject:
        """See :meth:`segue.arrangement.contract.Format.open`."""
        del pattern
        container = Container(path)
        root = container.xml(PROJECT)
        if root.tag != "Project" or not str(root.get("version", "")).startswith("1."):
            raise InvalidRequest(
                f"expected a DAWproject of version 1, {path.name} has <{root.tag}> of version {root.get('version')}"
            )
        return OpenedDawProject(container, root, _project(path, root))


@dataclass(frozen=True)
class OpenedDawProject:
    """See :class:`segue.arrangement.contract.Opened`."""

    container: Container
    root: Element
    project: Project

    def audio(self, source: str) -> AudioFile:
        """A member of the container, or a file that the project calls external."""
        if not source.startswith(EXTERNAL):
            with tempfile.TemporaryDirectory(prefix="segue-") as folder:
                return read_audio(self.container.extract(source, Path(folder)))
        name = source.removeprefix(EXTERNAL)
        return read_audio(Path(name) if is_absolute(name) else beside(self.container.path.parent, name))

    def check_out(self, out: Path) -> None:
        """External audio is found from the project's folder."""
        if out.suffix.lower() != ".dawproject":
            raise InvalidRequest(f"expected a name with the ending .dawproject, got {out.name}")
        names = [f.get("path", "") for f in self.root.iter("File") if f.get("external") == "true"]
        if (
            any(not is_absolute(name) for name in names)
            and out.resolve().parent != self.container.path.resolve().parent
        ):
            raise InvalidRequest(
                f"{self.project.name} finds external audio from its own folder: write the new project there, too"
            )

    def write(self, out: Path, filled: Sequence[Filled]) -> None:
        """A copy with a track of new clips for each track that was filled; their audio inside."""
        if not filled:
            self.container.rewrite(out, {}, {})
            return
        root = deepcopy(self.root)
        names = _Names(root)
        folders = itertools.chain(["audio/"], (f"audio/segue-{n}/" for n in itertools.count(2)))
        folder = next(f for f in folders if not any(f + one.path.name in self.container for one in filled))
        added: dict[str, Path] = {}
        for own in (list(group) for _, group in itertools.groupby(filled, key=lambda one: one.track.id)):
            paths = {folder + one.path.name: one.path for one in own}
            added |= paths
            _add_track(root, own, list(paths), names)
        self.container.rewrite(out, {PROJECT: written(root)}, added)


def _project(path: Path, root: Element) -> Project:
    arrangement = root.find("Arrangement")
    tempo = _tempo(root)
    lanes = None if arrangement is None else arrangement.find("Lanes")
    tracks = [
        _track(element, root, lanes, tempo)
        for element in root.iterfind("Structure//Track")
        if element.get("id") is not None
    ]
    markers = () if arrangement is None else tuple(_markers(arrangement, lanes, tempo))
    return Project(path.stem, "dawproject", tempo, tuple(tracks), markers)


def _tempo(root: Element) -> Tempo:
    automation = root.find("Arrangement/TempoAutomation")
    points = [] if automation is None else list(automation.iterfind("RealPoint"))
    if automation is not None and points:
        unit = unit_of(automation, unit_of(root.find("Arrangement/Lanes")))
        return Tempo.over(
            [(number(p, "time"), number(p, "value"), p.get("interpolation") == "linear") for p in points], unit
        )
    given = root.find("Transport/Tempo")
    return Tempo.constant(120.0 if given is None else number(given, "value", 120.0))


def _markers(arrangement: Element, lanes: Element | None, tempo: Tempo) -> Iterator[Marker]:
    for group in arrangement.iterfind("Markers"):
        beats = unit_of(group, unit_of(lanes)) == "beats"
        for marker in group.iterfind("Marker"):
            time = number(marker, "time")
            yield Marker(tempo.seconds_at(time) if beats else time, marker.get("name", ""))


def _track(element: Element, root: Element, lanes: Element | None, tempo: Tempo) -> Track:
    name = str(element.get("id"))
    own = [] if lanes is None else _lanes_of(lanes, name, unit_of(lanes))
    notes: list[str] = []
    clips = [clip for lane, unit in own for clip in flatten(lane, unit, tempo, notes)]
    curves = {what: points for lane, unit in own for what, points in _automation(lane, unit, element, tempo) if points}
    freedom = curves.get("freedom")
    return Track(
        name,
        element.get("name", name),
        tuple(sorted(clips, key=lambda clip: clip.start)),
        None if freedom is None else Curve(tuple(freedom)),
        tuple(switched_on(curves.get("gap", []), max((clip.stop for clip in clips), default=0.0))),
        tuple(dict.fromkeys(notes)),
    )


def _lanes_of(parent: Element, track: str, unit: str) -> list[tuple[Element, str]]:
    """The timelines of a track, wherever the lanes hold them; each with its unit."""
    found: list[tuple[Element, str]] = []
    for child in parent:
        if not isinstance(child.tag, str):
            continue
        own = unit_of(child, unit)
        if child.get("track") == track:
            found.append((child, own))
        elif child.tag == "Lanes" and child.get("track") is None:
            found += _lanes_of(child, track, own)
    return found


def _automation(
    lane: Element, unit: str, track: Element, tempo: Tempo
) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Points named Freedom or Gap, themselves or by the parameter they move."""
    names = {p.get("id"): p.get("name", "") for p in track.iter() if p.get("id") is not None}
    for points in lane.iter("Points"):
        target = points.find("Target")
        name = points.get("name") or names.get(None if target is None else target.get("parameter"), "")
        if name.casefold() not in ("freedom", "gap"):
            continue
        beats = unit_of(points, unit) == "beats"
        scale = 0.01 if points.get("unit") == "percent" else 1.0
        yield (
            name.casefold(),
            course(_point(p, beats, scale, tempo) for p in points if p.tag in ("RealPoint", "BoolPoint")),
        )


def _point(point: Element, beats: bool, scale: float, tempo: Tempo) -> tuple[float, float, bool]:
    time = number(point, "time")
    switch = point.tag == "BoolPoint"
    value = float(point.get("value") in ("true", "1")) if switch else scale * number(point, "value")
    line = not switch and point.get("interpolation") == "linear"
    return tempo.seconds_at(time) if beats else time, value, line


class _Names:
    """Identifiers that the document does not have yet."""

    def __init__(self, root: Element) -> None:
        self._taken = {element.get("id") for element in root.iter()}
        self._count = itertools.count()

    def new(self) -> str:
        """Another one."""
        return next(name for name in (f"segue{n}" for n in self._count) if name not in self._taken)


def _add_track(root: Element, filled: Sequence[Filled], names: Sequence[str], ids: _Names) -> None:
    """A track behind the one that was filled, as loud, and its clips, timed in seconds."""
    first, track = filled[0], ids.new()
    parent, old = next(
        (parent, child) for parent in root.iter() for child in parent if child.get("id") == first.track.id
    )
    new = Element("Track", {"contentType": "audio", "loaded": "true", "id": track, "name": OURS + first.track.name})
    _add_channel(new, old, first.channels, ids)
    parent.insert(list(parent).index(old) + 1, new)
    lanes = root.find("Arrangement/Lanes")
    assert lanes is not None  # the track's clips were found there
    own = SubElement(lanes, "Lanes", {"timeUnit": "seconds", "track": track, "id": ids.new()})
    clips = SubElement(own, "Clips", {"id": ids.new()})
    for one, name in zip(filled, names, strict=True):
        length = repr(one.length / one.rate)
        clip = SubElement(clips, "Clip", {"name": one.name, "time": repr(one.start / one.rate), "duration": length})
        clip.attrib |= {"contentTimeUnit": "seconds", "playStart": "0.0"}
        clip.attrib |= {"fadeTimeUnit": "seconds", "fadeInTime": "0.0", "fadeOutTime": "0.0"}
        about = {"channels": str(one.channels), "duration": length, "sampleRate": str(one.rate), "id": ids.new()}
        SubElement(SubElement(clip, "Audio", about), "File", {"path": name})


def _add_channel(new: Element, old: Element, channels: int, ids: _Names) -> None:
    """The old track's way to the mixer, without its devices and sends."""
    channel = SubElement(new, "Channel", {"audioChannels": str(channels), "role": "regular", "id": ids.new()})
    like = old.find("Channel")
    if like is None:
        return
    if (destination := like.get("destination")) is not None:
        channel.set("destination", destination)
    for tag in ("Mute", "Pan", "Volume"):  # in the schema's order
        if (parameter := like.find(tag)) is not None:
            copy = deepcopy(parameter)
            copy.set("id", ids.new())
            copy.attrib.pop("parameterID", None)
            channel.append(copy)
