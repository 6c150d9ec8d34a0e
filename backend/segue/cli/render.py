"""The course of every command that renders: check, render, report, draw, print. Imported when a command runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from segue.cli.options import OutputOptions, RenderOptions
from segue.cli.output import check_destinations, print_json
from segue.cli.progress import watching
from segue.cli.style import read_style
from segue.clip.atomic import replacing
from segue.clip.files import read_audio
from segue.joint.plan import JoinPlan
from segue.plain import jsonable
from segue.render.settings import FileResult, RenderSettings

Job = Callable[..., FileResult]
"""A function of the Python API whose own arguments are bound; it takes the shared ones by name."""


def render(options: OutputOptions, job: Job, *, before: Path | None = None) -> None:
    """Run the job and hand out its result.

    ``before`` is the file that the plot shows first; None shows the result with its gaps silent.

    Raises:
        SegueError: what the job refuses, or a plot or report that could not be written.
    """
    check_destinations(options)
    shared: dict[str, Any] = {"overwrite": options.force}
    if isinstance(options, RenderOptions):
        style = read_style(options)
        shared |= {"song": tuple(options.song or ()), "sound_from": options.sound_from}
        shared |= {"settings": settings_of(options), "style": style}
    with watching(quiet=options.quiet, as_json=options.as_json) as callback:
        result = job(callback=callback, **shared)
    if options.report is not None:
        with replacing(options.report) as part:
            part.write_text(json.dumps(jsonable(result.report), indent=2) + "\n", encoding="utf-8")
    if options.plot is not None:
        _plot(result, before, options.plot)
    if options.as_json:
        recipe = result.recipe.model_dump(mode="json")
        print_json({"path": result.path, "paths": result.paths, "report": result.report, "recipe": recipe})
    elif not options.quiet:
        print("\n".join(summary(result)))


def settings_of(options: RenderOptions) -> RenderSettings:
    """The options as the renderer takes them.

    Raises:
        InvalidRequest: a number out of range.
    """
    return RenderSettings(
        seed=options.seed,
        steps=options.steps,
        sampler=options.sampler,
        candidates=options.candidates,
        bundle=options.bundle,
        method=options.method,
    )


def summary(result: FileResult) -> list[str]:
    """The result in lines for people: how well each gap came out, what it took, and where it is."""
    lines = JoinPlan.from_plain(result.report["joint"]).lines() if "joint" in result.report else []
    lines += [_gap_line(gap) for gap in result.report["gaps"]]
    lines += (result.report["style"] or {"notes": []})["notes"]
    lines += [note for gap in result.report["gaps"] for note in gap["notes"]]
    total = sum(result.report["seconds"].values())
    peak = result.report["peak_memory_mb"]
    lines.append(f"rendered in {total:.1f} s" + ("" if peak is None else f", at most {peak:.0f} MB"))
    for file in result.report["files"]:
        if file["samples_over"]:
            lines.append(f"{file['samples_over']} samples over full scale were limited in {file['path']}")
        if file["dropped"]:
            lines.append(f"{file['path']} cannot carry: {', '.join(file['dropped'])}")
    return lines + [str(path) for path in result.paths]


def _gap_line(gap: dict[str, Any]) -> str:
    start, stop = gap["gap_seconds"]
    best, recall = gap["candidates"][0], gap["recall"]
    seam = "" if best["seam_z"] is None else f", seam z {best['seam_z']:.2f}"
    apart = "" if recall["distance_db"] is None else f" ({recall['distance_db']:.1f} dB)"
    failed = f", {len(gap['failed'])} failed" if gap["failed"] else ""
    wish = "" if best["wish"] is None else f", {best['wish']:.2f} from the style"
    return f"{start:.3f}:{stop:.3f}  {best['method']}{seam}{wish}, recall {recall['word']}{apart}{failed}"


def _plot(result: FileResult, before: Path | None, path: Path) -> None:
    from segue.render.plot import plot_fill, silenced  # an extra

    gaps = [(start, stop) for start, stop in (gap["gap_seconds"] for gap in result.report["gaps"])]
    after = read_audio(result.path).clip()
    known = silenced(after, gaps) if before is None else read_audio(before).clip()
    plot_fill(known, after, gaps, path, f"{result.report['task']}: {result.path.name}")
