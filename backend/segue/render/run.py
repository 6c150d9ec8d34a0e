"""From a job to rendered candidates with their recipes: what the verbs on arrays and on files share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from segue.clip.files import AudioFile
from segue.clip.recipe import Recipe, running_versions
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.recall.song import Song
from segue.render.jobs import Job, Piece, pieces_of
from segue.render.renderer import Listener, Rendered, Renderer
from segue.render.report import render_report
from segue.render.settings import ProgressCallback, RenderSettings

FreedomLike = float | Sequence[tuple[float, float]] | Curve
PathLike = str | Path


@lru_cache(maxsize=2)
def warm_renderer(bundle: PathLike | None = None) -> Renderer:
    """The renderer of a bundle, its sessions kept warm between calls."""
    return Renderer(bundle)


def freedom_of(freedom: FreedomLike) -> Freedom:
    """A freedom curve from a number, breakpoints (seconds, value), or a curve."""
    return Freedom(Curve.of(freedom))


@dataclass(frozen=True)
class Done:
    """A rendered job; ``recipes``, one for each candidate asked for, best first."""

    job: Job
    rendered: Rendered
    report: dict[str, Any]
    recipes: tuple[Recipe, ...]

    def pieces(self, rank: int) -> list[Piece]:
        """The output's pieces for the candidate of this rank, from 0."""
        return pieces_of(self.job, self.rendered, rank)


def run_job(
    job: Job,
    songs: Sequence[AudioFile],
    settings: RenderSettings,
    callback: ProgressCallback | None,
    renderer: Renderer | None = None,
    *,
    listener: Listener | None = None,
    song: Song | None = None,
) -> Done:
    """Render a job with a renderer of one's own or the warm one, and write the recipe of each candidate.

    ``listener`` and ``song`` as :meth:`Renderer.render`.

    Raises:
        Cancelled, InvalidRequest, NonFinite, ResourceError, BundleRejected: see :mod:`segue.errors`.
    """
    own = renderer or warm_renderer(settings.bundle)
    rendered = own.render(job.plan, settings, callback=callback, listener=listener, song=song)
    report = render_report(job.plan.task, rendered.regions, rendered.seconds)
    return Done(job, rendered, report, recipes_of(job, songs, settings, own))


def recipes_of(
    job: Job, songs: Sequence[AudioFile], settings: RenderSettings, renderer: Renderer
) -> tuple[Recipe, ...]:
    """The recipe of each candidate asked for, best first; known before anything is rendered.

    Raises:
        InvalidRequest: unknown sampler.
    """
    sampling = renderer.sampling(settings)
    parameters: dict[str, Any] = {
        **job.parameters,
        "sampler": sampling.sampler,
        "steps": sampling.steps,
        "candidates": settings.candidates,
        "method": settings.method,
        "songs": [song.digest for song in songs],
    }
    return tuple(
        Recipe(
            task=job.plan.task,
            parameters={**parameters, "rank": rank},
            seed=settings.seed,
            bundle=renderer.bundle.manifest.name,
            bundle_digest=renderer.bundle.digest,
            clip_digest=job.digest,
            sources=job.names,
            versions=running_versions(),
            device=renderer.device,
        )
        for rank in range(1, settings.candidates + 1)
    )
