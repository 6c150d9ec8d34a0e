"""Events as frames between a render process and its pool, there and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from segue.clip.recipe import Recipe
from segue.render.settings import Progress
from segue.service.events import CandidateReady, Event, Failed, Finished, Progressed, Rendition
from segue.service.worker.frames import Frame, frame
from segue_protocol.errors import Code


def to_frame(event: Event, job: str) -> Frame:
    """An event of the job with this id. Cancelled and TimedOut stay with the pool, which decides them."""
    match event:
        case Progressed():
            return frame("progress", job=job, **asdict(event.progress))
        case CandidateReady():
            fields = {name: getattr(event, name) for name in ("number", "gap", "method", "how", "seed", "scores")}
            return frame("candidate", [event.audio], job=job, **fields)
        case Finished():
            arrays = [audio for rendition in event.renditions for audio in rendition.audio]
            fields = {name: getattr(event, name) for name in ("report", "ranking", "key", "from_store", "note")}
            recipes = [rendition.recipe.to_json() for rendition in event.renditions]
            candidates = [rendition.candidate for rendition in event.renditions]
            return frame("finished", arrays, job=job, recipes=recipes, candidates=candidates, **fields)
        case Failed():
            return frame("failed", job=job, code=event.code, message=event.message, remedy=event.remedy)
    raise AssertionError(f"{type(event).__name__} is not sent by a render process")


def from_frame(received: Frame) -> Event:
    """Inverse of :func:`to_frame`; a KeyError for a frame that is no event."""
    fields = {name: value for name, value in received.header.items() if name not in ("say", "job")}
    return _READERS[received.say](fields, received)


def _progress(fields: dict[str, Any], _: Frame) -> Event:
    return Progressed(Progress(**fields))


def _candidate(fields: dict[str, Any], received: Frame) -> Event:
    return CandidateReady(audio=received.arrays[0], **fields)


def _finished(fields: dict[str, Any], received: Frame) -> Event:
    recipes, candidates = fields.pop("recipes"), fields.pop("candidates")
    gaps = len(received.arrays) // len(recipes)
    renditions = tuple(
        Rendition(received.arrays[rank * gaps : (rank + 1) * gaps], Recipe.from_json(recipe), candidate)
        for rank, (recipe, candidate) in enumerate(zip(recipes, candidates, strict=True))
    )
    ranking = tuple(tuple(numbers) for numbers in fields.pop("ranking"))
    return Finished(renditions, ranking=ranking, **fields)


def _failed(fields: dict[str, Any], _: Frame) -> Event:
    return Failed(Code(fields["code"]), fields["message"], fields["remedy"])


_READERS: Mapping[str, Callable[[dict[str, Any], Frame], Event]] = {
    "progress": _progress,
    "candidate": _candidate,
    "finished": _finished,
    "failed": _failed,
}
