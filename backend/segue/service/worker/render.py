"""One job, rendered: what the child process does between a request and its final message."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segue.errors import SegueError
from segue.plain import jsonable
from segue.recall.song import Recallable
from segue.render.jobs import Hole, Job, pieces_of
from segue.render.region import RenderedRegion, Take
from segue.render.renderer import Rendered, Renderer
from segue.render.run import Done, recipes_of, run_job
from segue.render.settings import Progress, RenderSettings
from segue.service.events import Audio, CandidateReady, Event, Finished, Progressed, Rendition
from segue.service.store.entry import Entry
from segue.service.store.store import Store
from segue.service.worker.material import Material

_PROGRESS_SECONDS = 0.1
_log = logging.getLogger(__name__)

StorePlace = tuple[Path, int]
"""Folder and limit in bytes of a store."""

Ranking = tuple[tuple[int, ...], ...]
"""For each gap, numbers of its candidates, best first."""

Tell = Callable[[Event], None]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Request:
    """A job in the child: its material and settings; ``key`` of the request in the store."""

    material: Material
    settings: RenderSettings
    key: str


def answer(request: Request, renderer: Renderer, shelf: Shelf, audition: Audition, stopped: Stopped) -> Finished:
    """The result: from the store where it is there, else rendered and kept. Candidates and progress go to ``audition``.

    Raises:
        Cancelled: ``stopped`` returned True. SegueError, MemoryError: see :func:`segue.render.run.run_job`.
    """
    material, settings = request.material, request.settings
    key = recipes_of(material.job, material.songs, settings, renderer)[0].digest
    if (kept := shelf.get(key, request.key)) is not None:
        return Finished(kept.renditions, kept.report, (), key, from_store=True, note=shelf.note)
    done = run_job(
        material.job,
        material.songs,
        settings,
        Pulse(audition.tell, stopped),
        renderer,
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


class Shelf:
    """The store, for one job. It may fail, a render never does because of it: ``note`` says what went wrong."""

    def __init__(self, place: StorePlace | None) -> None:
        self.note = ""
        self._store: Store | None = None
        with self._noting("the store cannot be used"):
            self._store = None if place is None else Store(*place)

    def get(self, key: str, request: str) -> Entry | None:
        """What is kept under a recipe; the request is then known to lead to it."""
        if self._store is None:
            return None
        with self._noting("the store cannot be asked"):
            entry = self._store.get(key)
            if entry is not None:
                self._store.remember(request, key)
            return entry
        return None

    def put(self, entry: Entry, request: str) -> None:
        """Keep a result."""
        if self._store is not None:
            with self._noting("the result was not kept"):
                self._store.put(entry, request)

    @contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        try:
            yield
        except SegueError as error:
            self.note = f"{what}: {error}"
            _log.warning(self.note)


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
