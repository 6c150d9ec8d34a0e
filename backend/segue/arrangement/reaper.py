"""REAPER projects: items on tracks, the tempo map, markers and regions, envelopes; new items on a track at the end."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from segue.arrangement.automation import course, switched_on
from segue.arrangement.contract import OURS, Filled
from segue.arrangement.model import Marker, Project, Tempo, Track
from segue.arrangement.places import beside, is_absolute
from segue.arrangement.reaper_items import read_items
from segue.arrangement.rpp import Block, number, parse, quoted, unparse, word
from segue.clip.atomic import replacing
from segue.clip.files import AudioFile, read_audio
from segue.errors import AudioFileError, InvalidRequest
from segue.guidance.curve import Curve

_SQUARE = 1  # the shape of an envelope point that holds its value
_NAMESPACE = uuid.UUID("4f1a2f86-6c5b-4b0e-9d5c-7f0a4f3f2d11")


@dataclass(frozen=True)
class Reaper:
    """Projects by their ending."""

    suffixes: tuple[str, ...] = (".rpp",)

    def open(self, path: Path, pattern: str) -> OpenedReaper:
        """See :meth:`segue.arrangement.contract.Format.open`."""
        del pattern
        try:
            root = parse(path.read_bytes())
        except OSError as error:
            raise AudioFileError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
        tracks = tuple(_track(block, index) for index, block in enumerate(root.blocks("TRACK")))
        return OpenedReaper(path, root, Project(path.stem, "reaper", _tempo(root), tracks, tuple(_markers(root))))


@dataclass(frozen=True)
class OpenedReaper:
    """See :class:`segue.arrangement.contract.Opened`."""

    path: Path
    root: Block
    project: Project

    def audio(self, source: str) -> AudioFile:
        """A file in the project's folder, or where the project says by an absolute path; it is only read."""
        absolute = Path(source).is_absolute() or is_absolute(source)
        return read_audio(Path(source) if absolute else beside(self.path.parent, source))

    def check_out(self, out: Path) -> None:
        """The audio is found from the project's own folder."""
        if out.suffix.lower() != ".rpp":
            raise InvalidRequest(f"expected a name with the ending .rpp, got {out.name}")
        if out.resolve().parent != self.path.resolve().parent:
            raise InvalidRequest(
                f"{self.path.name} finds its audio from its own folder: write the new project there, too"
            )

    def write(self, out: Path, filled: Sequence[Filled]) -> None:
        """A copy with a track at the end for each that was filled: numbers of tracks, which routing goes by, stay."""
        root = deepcopy(self.root)
        ending = "\r\n" if root.head.endswith("\r\n") else "\n"
        for own in (list(group) for _, group in itertools.groupby(filled, key=lambda one: one.track.id)):
            old = list(self.root.blocks("TRACK"))[int(own[0].track.id)]
            last = max(i for i, entry in enumerate(root.inner) if isinstance(entry, Block) and entry.kind == "TRACK")
            text = "".join(line + ending for line in _new_track(old, own, out))
            root.inner.insert(last + 1, text)
        with replacing(out) as part:
            part.write_bytes(unparse(root))


def _track(block: Block, index: int) -> Track:
    lines = {line[0]: line for line in block.lines()}
    notes: list[str] = []
    items = tuple(read_items(block, notes))
    curves = dict(_envelopes(block))
    freedom, wanted = curves.get("freedom"), curves.get("gap", [])
    if number(lines.get("MUTESOLO", []), 1) != 0.0:
        notes.append("the track is muted, and is filled all the same")
    return Track(
        str(index),
        word(lines.get("NAME", []), 1) or f"Track {index + 1}",
        tuple(sorted(items, key=lambda item: item.start)),
        None if freedom is None else Curve(tuple(freedom)),
        tuple(switched_on(wanted, max((item.stop for item in items), default=0.0))),
        tuple(dict.fromkeys(notes)),
    )


def _points(block: Block) -> list[tuple[float, float, bool]]:
    """(seconds, value, whether it goes to the next in a line) of an envelope."""
    points = [line for line in block.lines() if line[0] == "PT"]
    return [(number(p, 1), number(p, 2), number(p, 3) != _SQUARE) for p in points]


def _envelopes(track: Block) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Envelopes of parameters named Freedom or Gap, between 0 and 1."""
    for chain in track.blocks("FXCHAIN"):
        for envelope in chain.blocks("PARMENV"):
            about = envelope.words
            name = word(about, 1).partition(":")[2].strip("_ ").casefold()
            low, high = number(about, 2, 0.0), number(about, 3, 1.0)
            if name not in ("freedom", "gap") or high <= low:
                continue
            if points := _points(envelope):
                yield name, course((t, (value - low) / (high - low), line) for t, value, line in points)


def _tempo(root: Block) -> Tempo:
    for block in root.blocks("TEMPOENVEX"):
        if points := _points(block):
            return Tempo.over(points, "seconds")
    given = next((line for line in root.lines() if line[0] == "TEMPO"), [])
    return Tempo.constant(number(given, 1, 120.0))


def _markers(root: Block) -> Iterator[Marker]:
    """A region is two lines of one number, the second one without a name."""
    opened: dict[str, tuple[float, str]] = {}
    for line in root.lines():
        if line[0] != "MARKER" or len(line) < 4:
            continue
        seconds, name, region = number(line, 2), line[3], int(number(line, 4)) & 1
        if not region:
            yield Marker(seconds, name)
        elif line[1] in opened:
            start, called = opened.pop(line[1])
            yield Marker(start, called, seconds)
        else:
            opened[line[1]] = (seconds, name)


def _guid(*parts: object) -> str:
    """The same for the same place of the same project: a second run writes the same file."""
    return "{" + str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts)))).upper() + "}"


def _new_track(old: Block, filled: Sequence[Filled], out: Path) -> Iterator[str]:
    """As loud as the old one, without its effects and sends."""
    name, own = filled[0].track.name, _guid(out.name, filled[0].track.id)
    yield f"  <TRACK {own}"
    yield f"    NAME {quoted(OURS + name)}"
    kept = {line[0]: line for line in old.lines() if line[0] in ("VOLPAN", "MUTESOLO")}
    for line in kept.values():
        yield "    " + " ".join(line)
    yield f"    TRACKID {own}"
    for one in filled:
        yield from _new_item(one, out)
    yield "  >"


def _new_item(one: Filled, out: Path) -> Iterator[str]:
    file = Path(os.path.relpath(one.path.resolve(), out.resolve().parent)).as_posix()
    yield "    <ITEM"
    yield f"      POSITION {one.start / one.rate!r}"
    yield f"      LENGTH {one.length / one.rate!r}"
    yield "      LOOP 0"
    for edge in ("FADEIN", "FADEOUT"):  # none: its edges are made to meet
        yield f"      {edge} 0 0 0 0 0 0 0"
    yield f"      IGUID {_guid(out.name, one.path.name, 'item')}"
    yield f"      NAME {quoted(one.name)}"
    yield "      VOLPAN 1 0 1 -1"
    yield "      SOFFS 0"
    yield "      PLAYRATE 1 1 0 -1 0 0.0025"
    yield f"      GUID {_guid(out.name, one.path.name, 'take')}"
    yield "      <SOURCE WAVE"
    yield f"        FILE {quoted(file)}"
    yield "      >"
    yield "    >"
