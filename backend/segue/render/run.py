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
from segue.prior.folders import find_bundle
from segue.recall.song import Song
from segue.render.jobs import Job, Piece, pieces_of
from segue.render.renderer import Listener, Rendered, Renderer
from segue.render.report import render_report
from segue.render.settings import ProgressCallback, RenderSettings
from segue.style.resolve import Resolved, freedom_for, resolve
from segue.style.style import Style
from segue.tasks.regenerate import PAPER_K

FreedomLike = float | Sequence[tuple[float, float]] | Curve
PathLike = str | Path


def warm_renderer(bundle: PathLike | None = None) -> Renderer:
    """The renderer of a bundle, its sessions kept warm between calls."""
    return _renderer_at(None if bundle is None else find_bundle(bundle))


@lru_cache(maxsize=2)
def _renderer_at(bundle: Path | None) -> Renderer:
    return Renderer(bundle)


def freedom_of(freedom: FreedomLike | None, style: Style | None = None) -> Freedom:
    """A freedom curve from a number, breakpoints (seconds, value), or a curve; None for the style's or the paper's."""
    given = None if freedom is None else Curve.of(freedom)
    return Freedom(freedom_for(style or Style(), given, PAPER_K))


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
    style: Style | Resolved | None = None,
    listener: Listener | None = None,
    song: Song | None = None,
) -> Done:
    """Render a job with a renderer of one's own or the warm one, and write the recipe of each candidate.

    ``style``: a wish, as a musician writes it or resolved from a recipe; ``listener`` and ``song`` as
    :meth:`Renderer.render`.

    Raises:
        Cancelled, InvalidRequest, NonFinite, ResourceError, BundleRejected: see :mod:`segue.errors`.
    """
    own = renderer or warm_renderer(settings.bundle)
    wish = resolved(style, settings, own)
    rendered = own.render(job.plan, settings, style=wish, callback=callback, listener=listener, song=song)
    report = render_report(job.plan.task, rendered.regions, rendered.seconds, wish)
    if "joint" in job.parameters:
        report["joint"] = job.parameters["joint"]
    return Done(job, rendered, report, recipes_of(job, songs, settings, own, wish))


def resolved(style: Style | Resolved | None, settings: RenderSettings, renderer: Renderer) -> Resolved | None:
    """A style as this renderer's bundle can take it; None where nothing is asked for.

    Raises:
        InvalidRequest: see :func:`segue.style.resolve.resolve`.
    """
    if style is None or isinstance(style, Resolved):
        return style
    if style.is_empty:
        return None
    prompts = renderer.prompts
    found = resolve(style, settings, reads_text=prompts.reads, knows=prompts.knows, sampler=renderer.sampler)
    if found.prompt is not None:
        prompts.check(found.prompt)
    return found


def recipes_of(
    job: Job,
    songs: Sequence[AudioFile],
    settings: RenderSettings,
    renderer: Renderer,
    style: Resolved | None = None,
) -> tuple[Recipe, ...]:
    """The recipe of each candidate asked for, best first; known before anything is rendered.

    Raises:
        InvalidRequest: unknown sampler.
    """
    settings = settings if style is None else style.settings
    references: tuple[AudioFile, ...] = () if style is None else style.steering.references
    sampling = renderer.sampling(settings)
    parameters: dict[str, Any] = {
        **job.parameters,
        "sampler": sampling.sampler,
        "steps": sampling.steps,
        "candidates": settings.candidates,
        "method": settings.method,
        "songs": [song.digest for song in songs],
    }
    if style is not None:
        parameters |= {"style": style.steering.plain(), "prompt": style.prompt}
    return tuple(
        Recipe(
            task=job.plan.task,
            parameters={**parameters, "rank": rank},
            seed=settings.seed,
            bundle=renderer.bundle.manifest.name,
            bundle_digest=renderer.bundle.digest,
            clip_digest=job.digest,
            sources=(*job.names, *(file.name for file in references)),
            versions=running_versions(),
            device=renderer.device,
        )
        for rank in range(1, settings.candidates + 1)
    )
