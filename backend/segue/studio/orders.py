"""What the page asks for, turned into one of Segue's verbs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from segue.api import Style, extend_file, fill_file, regenerate_file, restyle_file, transition_file
from segue.clip.clip import Clip
from segue.clip.files import read_audio, target_of
from segue.clip.gaps import parse_gap
from segue.errors import AudioFileError, InvalidRequest
from segue.joint.settings import JointSettings
from segue.render.settings import FileResult, RenderSettings
from segue.studio.curve import read_curve
from segue.studio.jobs import Work
from segue.studio.pictures import Stretch

FILL, CONTINUE, REGENERATE, TRANSITION, RESTYLE = "fill", "continue", "regenerate", "transition", "restyle"
TASKS = {
    "Fill the gap": FILL,
    "Continue": CONTINUE,
    "Vary what is there": REGENERATE,
    "Lead into a second clip": TRANSITION,
    "Restyle": RESTYLE,
}
"""By what the page calls them."""

N = TypeVar("N", int, float)

USES_GAP = frozenset({FILL, REGENERATE, RESTYLE})
USES_FREEDOM = frozenset({REGENERATE, TRANSITION, RESTYLE})


@dataclass(frozen=True)
class Order:
    """The page's fields, in its order. Files are paths; texts are as typed; None and empty ones were left out."""

    task: str
    clip: str | None
    second: str | None
    start: str
    stop: str
    seconds: float | None
    backward: bool
    overlap: float | None
    matched: bool
    curve: str
    preset: str | None
    amount: float | None
    tags: str
    references: list[str] | None
    songs: list[str] | None
    sound: str | None
    candidates: int | None
    seed: int | None
    steps: int | None
    method: str


def gap_text(start: str, stop: str) -> str | None:
    """Two times as one gap of the command line; None where both are empty.

    Raises:
        InvalidRequest: a time that holds a hyphen, which would be read as another gap.
    """
    if "-" in start + stop:
        raise InvalidRequest(f"expected times such as 12.5 or 1:02.5, got {start!r} and {stop!r}")
    return f"{start.strip()}-{stop.strip()}" if (start + stop).strip() else None


def gap_seconds(start: str, stop: str, clip: Clip) -> Stretch | None:
    """The gap in seconds of the clip; None where no time is given.

    Raises:
        InvalidRequest: see :func:`segue.clip.gaps.parse_gap`.
    """
    text = gap_text(start, stop)
    if text is None:
        return None
    span = parse_gap(text, clip.rate, clip.length)
    return span.start / clip.rate, span.stop / clip.rate


def work_of(order: Order, folder: Path, bundle: str | None) -> Work:
    """The render of an order, which writes its candidates into an empty folder.

    Raises:
        InvalidRequest, AudioFileError: what can be known to be wrong before any work.
    """
    if order.clip is None:
        raise InvalidRequest("load a clip first")
    verb = _verb(order, Path(order.clip), _out(Path(order.clip), order.task, folder))
    settings = RenderSettings(
        seed=_number(order.seed, "the seed"),
        steps=order.steps or None,
        candidates=_number(order.candidates, "how many takes to compare"),
        bundle=bundle,
        method=order.method.strip() or None,
    )
    style = Style.of(
        order.preset or None,
        tags=order.tags.strip() or (),
        reference=tuple(order.references or ()),
        amount=float(_number(order.amount, "how much of the style")),
    )
    shared: dict[str, Any] = {"style": style, "settings": settings}
    shared |= {"song": tuple(order.songs or ()), "sound_from": order.sound or None}
    return lambda callback: verb(**shared, callback=callback)


def _verb(order: Order, clip: Path, out: Path) -> Callable[..., FileResult]:
    text = gap_text(order.start, order.stop) if order.task in USES_GAP else None
    gaps = None if text is None else [text]
    freedom = read_curve(order.curve) if order.task in USES_FREEDOM else None
    if order.task == FILL:
        return partial(fill_file, clip, out, gaps=gaps)
    if order.task == CONTINUE:
        seconds = float(_number(order.seconds, "the seconds to add"))
        return partial(extend_file, clip, out, seconds=seconds, backward=order.backward)
    if order.task == REGENERATE:
        if gaps is None:
            raise InvalidRequest("mark what to vary: give its start and end, or click them in the picture")
        return partial(regenerate_file, clip, out, gaps=gaps, freedom=freedom)
    if order.task == RESTYLE:
        return partial(restyle_file, clip, out, gaps=gaps, freedom=freedom)
    if order.second is None:
        raise InvalidRequest("a transition leads into a second clip: load it too")
    joint = JointSettings() if order.matched else None
    second = Path(order.second)
    overlap = float(_number(order.overlap, "the seconds both clips share"))
    return partial(transition_file, clip, second, out, overlap=overlap, joint=joint, freedom=freedom)


def _number(value: N | None, what: str) -> N:
    if value is None:
        raise InvalidRequest(f"expected a number for {what}, got an empty field: fill it in")
    return value


def _out(clip: Path, task: str, folder: Path) -> Path:
    """A WAV file, or one like the clip's where a WAV cannot hold its samples unchanged."""
    source, out = read_audio(clip), folder / f"{clip.stem}-{task}.wav"
    try:
        target_of(out, source)
    except AudioFileError:
        return out.with_suffix(clip.suffix)
    return out


def rendered_stretches(order: Order, result: FileResult) -> Sequence[Stretch]:
    """Where the result is new, in its own seconds."""
    if order.task == CONTINUE:
        whole = read_audio(result.path).clip().seconds
        added = float(_number(order.seconds, "the seconds to add"))
        return [(0.0, added) if order.backward else (whole - added, whole)]
    return [(float(a), float(b)) for a, b in (gap["gap_seconds"] for gap in result.report["gaps"])]
