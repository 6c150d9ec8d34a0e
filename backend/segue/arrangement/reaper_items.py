"""Items of a REAPER track as stretches of audio files: the active take of each, as far as it plays a file as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from segue.arrangement.model import AudioClip, Fade
from segue.arrangement.rpp import Block, number, word
from segue.errors import InvalidRequest

FILES = frozenset({"WAVE", "FLAC", "MP3", "VORBIS", "OPUS"})
_CURVES: dict[int, Literal["linear", "fast", "slow"]] = {0: "linear", 1: "fast", 2: "slow"}


def read_items(track: Block, notes: list[str]) -> Iterator[AudioClip]:
    """The items that sound; what cannot be heard of them is noted.

    Raises:
        InvalidRequest: an item that plays its file in another way than from one place on, at its own speed.
    """
    for item in track.blocks("ITEM"):
        lines = {line[0]: line for line in _of_item(item)}
        if number(lines.get("MUTE", []), 1):
            continue
        take, source = _active_take(item)
        name = word(take.get("NAME", []), 1) or "item"
        if source is None or source.words[1:2] == ["MIDI"]:
            continue
        clip = _clip(name, lines, take, _file_of(name, source))
        notes += _not_heard(name, item, lines, take)
        yield clip


def _of_item(item: Block) -> Iterator[list[str]]:
    """Lines of the item itself and of its first take."""
    for line in item.lines():
        if line[0] == "TAKE":
            return
        yield line


def _active_take(item: Block) -> tuple[dict[str, list[str]], Block | None]:
    """Lines and source of the take that plays: the one marked SEL, or the first."""
    takes: list[tuple[bool, list[str | Block]]] = [(False, [])]
    for entry in item.inner:
        line = entry.split() if isinstance(entry, str) else []
        if line[:1] == ["TAKE"]:
            takes.append(("SEL" in line, []))
        else:
            takes[-1][1].append(entry)
    _, inner = next((take for take in takes if take[0]), takes[0])
    block = Block("<TAKE", inner)
    return {line[0]: line for line in block.lines()}, next(block.blocks("SOURCE"), None)


def _file_of(name: str, source: Block) -> str:
    kind = word(source.words, 1)
    file = next((line for line in source.lines() if line[0] == "FILE"), ["FILE"])
    if kind not in FILES or len(file) < 2 or not file[1]:
        raise InvalidRequest(f"the item {name!r} plays a source of the kind {kind}: glue it in REAPER first")
    return file[1]


def _clip(name: str, lines: dict[str, list[str]], take: dict[str, list[str]], source: str) -> AudioClip:
    rate = take.get("PLAYRATE", [])
    if number(rate, 1, 1.0) != 1.0 or number(rate, 3, 0.0) != 0.0:
        raise InvalidRequest(
            f"the item {name!r} plays at {number(rate, 1, 1.0):g} times its speed, shifted by {number(rate, 3):g} "
            "semitones: Segue hears files as they are only; glue it in REAPER first"
        )
    if "SM" in take:
        raise InvalidRequest(f"the item {name!r} has stretch markers: glue it in REAPER first")
    if number(take.get("CHANMODE", []), 1) != 0.0:
        raise InvalidRequest(f"the item {name!r} plays its channels in another way (CHANMODE): glue it in REAPER first")
    start = number(lines.get("POSITION", []), 1)
    offset, stop = number(take.get("SOFFS", []), 1), start + number(lines.get("LENGTH", []), 1)
    loops = number(lines.get("LOOP", []), 1) != 0.0
    if loops and offset < 0.0:  # the file begins within the item
        start, offset = start - offset, 0.0
    return AudioClip(
        name,
        source,
        start,
        max(start, stop),
        offset,
        _gain(lines, take),
        _fade(lines.get("FADEIN", [])),
        _fade(lines.get("FADEOUT", [])),
        loops=loops,
    )


def _gain(lines: dict[str, list[str]], take: dict[str, list[str]]) -> float:
    """The item's volume times its take's; a negative one turns the phase."""
    item = lines.get("VOLPAN", [])
    own = number(take["TAKEVOLPAN"], 2, 1.0) if "TAKEVOLPAN" in take else number(item, 3, 1.0)
    return number(item, 1, 1.0) * own


def _fade(line: list[str]) -> Fade | None:
    """The automatic fade where there is one, else the one that was drawn."""
    seconds = number(line, 3) if number(line, 3) > 0.0 else number(line, 2)
    return Fade(seconds, _CURVES.get(int(number(line, 1)), "linear")) if seconds > 0.0 else None


def _not_heard(name: str, item: Block, lines: dict[str, list[str]], take: dict[str, list[str]]) -> Iterator[str]:
    for edge in ("FADEIN", "FADEOUT"):
        if int(number(lines.get(edge, []), 1)) not in _CURVES and _fade(lines.get(edge, [])) is not None:
            yield f"a fade of {name!r} is of a shape that is heard as a line"
    pan = number(take["TAKEVOLPAN"], 1) if "TAKEVOLPAN" in take else number(lines.get("VOLPAN", []), 2)
    if pan:
        yield f"the pan of {name!r} is not heard"
    for kind, what in (("TAKEFX", "effects"), ("VOLENV", "a volume envelope"), ("PANENV", "a pan envelope")):
        if next(item.blocks(kind), None) is not None:
            yield f"{what} on {name!r}: not heard"
