"""One job, rendered: what the child process does between a request and its final message."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from segue.plain import jsonable
from segue.recall.song import Recallable
from segue.render.jobs import Hole, Job, pieces_of
from segue.render.region import RenderedRegion, Take
from segue.render.renderer import Rendered, Renderer
from segue.render.run import Done, recipes_of, resolved, run_job
from segue.render.settings import Progress, RenderSettings
from segue.service.events import Audio, CandidateReady, Event, Finished, Progressed, Rendition
from segue.service.store.entry import Entry
from segue.service.worker.material import Material
from segue.service.worker.shelf import Shelf
from segue.style.style import Style

_PROGRESS_SECONDS = 0.1

Ranking = tuple[tuple[int, ...], ...]
"""For each gap, numbers of its candidates, best first."""

Tell = Callable[[Event], None]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Request:
    """A job in the child: its material, settings and style; ``key`` of the request in the store."""

    material: Material
    settings: RenderSettings
    key: str
    style: Style | None = None


def answer(request: Request, renderer: Renderer, shelf: Shelf, audition: Audition, stopped: Stopped) -> Finished:
    """The result: from the store where it is there, else rendered and kept. Candidates and progress go to ``audition``.

    Raises:
        Cancelled: ``stopped`` returned True. SegueError, MemoryError: see :func:`segue.render.run.run_job`.
    """
    material, settings = request.material, request.settings
    style = resolved(request.style, settings, renderer)
    key = recipes_of(material.job, material.songs, settings, renderer, style)[0].digest
    if (kept := shelf.get(key, request.key)) is not None:
        return Finished(kept.renditions, kept.report, (), key, from_store=True, note=shelf.note)
    done = run_job(
        material.job,
        material.songs,
        settings,
        Pulse(audition.tell, stopped),
        renderer,
        style=style,
        listener=partial(audition.hear, material.job),
        song=material.song,
    )
    ranking = audition.ranking(done)
    renditions = tuple(audition.named(_rendition(done, rank), rank, ranking) for rank in range(len(done.recipes)))
    report: dict[str, Any] = jsonable(done.report)  # type: ignore[assignment]
    shelf.put(Entry(renditions, report), request.key)
    return Finished(renditions, report, ranking, key, note=shelf.note)


def _rendition(done: Done, rank: int) -> Rendition:
    audio = tuple(piece for piece in done.pieces(rank) if isinstance(piece, np.ndarray))
    return Rendition(audio, done.recipes[rank])


class Pulse:
    """A render's progress callback: passes on a tenth of a second's latest, stops when asked."""

    def __init__(self, tell: Tell, stopped: Stopped) -> None:
        self._tell, self._stopped = tell, stopped
        self._said, self._stage = -1.0, ""

    def __call__(self, progress: Progress) -> bool:
        """False to stop the render."""
        if self._stopped():
            return False
        now = time.monotonic()
        if progress.message or progress.stage != self._stage or now - self._said >= _PROGRESS_SECONDS:
            self._said, self._stage = now, progress.stage
            self._tell(Progressed(progress))
        return True


class Audition:
    """Takes of a job as candidates that can be heard, numbered; each is told once, also where a render is begun anew.

    A gap's take is known by its method and seed: a method makes one of each.
    """

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self._told: dict[tuple[int, str, int | None], CandidateReady] = {}

    def hear(self, job: Job, gap: int, take: Take) -> None:
        """A listener of the renderer, its job bound."""
        name = (gap, take.method, take.seed)
        if name in self._told:
            return
        audio = _at_own_rate(job, gap, take)
        scores = {measure: _finite(value) for measure, value in asdict(take.scores).items()}
        ready = CandidateReady(len(self._told), gap, audio, take.method, take.how, take.seed, scores)
        self._told[name] = ready
        self.tell(ready)

    def ranking(self, done: Done) -> Ranking:
        """Numbers of each gap's candidates, best first."""
        return tuple(
            tuple(self._told[gap, take.method, take.seed].number for take in region.takes)
            for gap, region in enumerate(done.rendered.regions)
        )

    def named(self, rendition: Rendition, rank: int, ranking: Ranking) -> Rendition:
        """The rendition with the number of the candidate it is, where that was heard as it is."""
        if len(rendition.audio) != 1:
            return rendition
        number = ranking[0][min(rank, len(ranking[0]) - 1)]
        heard = next(candidate for candidate in self._told.values() if candidate.number == number)
        same = np.array_equal(heard.audio, rendition.audio[0])
        return replace(rendition, candidate=number if same else None)


def _at_own_rate(job: Job, gap: int, take: Take) -> Audio:
    """The take as if its gap were the only one of the job."""
    hole = [piece for piece in job.pieces if isinstance(piece, Hole)][gap]
    region = RenderedRegion(job.plan.regions[gap].gap, Recallable.of(None), (take,), ())
    (audio,) = pieces_of(replace(job, pieces=(hole,)), Rendered(job.plan, (region,), {}), 0)
    assert isinstance(audio, np.ndarray)
    return audio


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
