"""``segue bounce``: fill the gaps of a whole project, offline."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.options import Json, RenderOptions, with_options
from segue.errors import InvalidRequest

if TYPE_CHECKING:
    from segue.arrangement.bounce import Bounced
    from segue.clip.clip import Clip
    from segue.service.pool import Pool

FAILED = 5

Source = Annotated[
    Path, typer.Argument(metavar="PROJECT", help="A .dawproject, a .rpp, or a folder of audio.", show_default=False)
]
NewProject = Annotated[
    Path, typer.Option("--out", "-o", metavar="PROJECT", help="The project or folder to write.", show_default=False)
]


@dataclass(frozen=True)
class BounceOptions:
    """What to render of a project, how, and where."""

    track: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="May be given several times.", show_default="all with audio"),
    ] = None
    pattern: Annotated[str, typer.Option(metavar="GLOB", help="Which files of a folder.")] = "*.wav"
    max_gap: Annotated[float, typer.Option(metavar="SECONDS", help="A longer silence is a rest.")] = 8.0
    transitions: Annotated[bool, typer.Option("--transitions", help="Also where clips adjoin or cross.")] = False
    overlap: Annotated[float, typer.Option(metavar="SECONDS", help="Of a transition.")] = 2.5
    marked: Annotated[bool, typer.Option("--marked", help='Also what markers name, as in "segue: 1.2-3.4".')] = False
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="A style, see segue presets list.")] = None
    tags: Annotated[str | None, typer.Option(metavar="TAGS", help='As in "rock, guitar:0.8".')] = None
    reference: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Music it should sound like; may be given several times.")
    ] = None
    sound_from: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A song whose sounds play what is made.", show_default="the track's"),
    ] = None
    prompt: Annotated[str | None, typer.Option(metavar="TEXT", help="For bundles that read one; else its tags.")] = None
    amount: Annotated[float, typer.Option(metavar="NUMBER", help="How much of the style, 0 to 1.")] = 1.0
    seed: Annotated[int, typer.Option(help="Same seed, same samples.")] = 0
    steps: Annotated[int | None, typer.Option(help="Sampling steps.", show_default="the bundle's")] = None
    sampler: Annotated[str | None, typer.Option(metavar="NAME", show_default="the bundle's")] = None
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="Candidates of one kind only.", show_default="the best of all")
    ] = None
    bundle: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="The model bundle.", show_default="the embedded one")
    ] = None
    jobs: Annotated[int, typer.Option(metavar="N", help="Places rendered at once on this machine.")] = 1
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Render on a Ray cluster: auto, HOST:PORT or ray://HOST:PORT.")
    ] = None
    store: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Results by recipe.", show_default="the user's own")
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Overwrite what an earlier bounce wrote.")] = False
    as_json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no text; errors only.")] = False


@with_options(BounceOptions)
def bounce(options: BounceOptions, project: Source, out: NewProject) -> None:
    """Fill the gaps of a whole project.

    Renders the gaps between the clips of its tracks and writes a new project with them on tracks of their own; the old
    one is not touched. What was rendered before is not rendered again. Exit code 5 where a place failed.
    """
    from segue.arrangement.bounce import Bounce
    from segue.arrangement.bounce import bounce as bounce_project
    from segue.arrangement.gaps import Wanted
    from segue.cli.output import print_json
    from segue.cli.progress import watching
    from segue.cli.render import settings_of
    from segue.cli.style import read_style
    from segue.service.style import parts_of

    shared = _render_options(options)
    asked = Bounce(
        tuple(options.track or ()),
        options.pattern,
        Wanted(options.max_gap, options.transitions, options.overlap, options.marked),
        settings_of(shared),
        parts_of(read_style(shared)),
        _sound(options.sound_from),
        options.force,
    )
    pool = _pool(options)
    with watching(quiet=options.quiet, as_json=options.as_json) as callback:
        done = bounce_project(project, out, pool, asked, callback)
    if options.as_json:
        print_json({"path": done.path, "folder": done.folder, "report": done.report})
    elif not options.quiet:
        print("\n".join(_summary(done)))
    if done.failed:
        raise typer.Exit(FAILED)


def _sound(path: Path | None) -> tuple[Clip, str] | None:
    from segue.clip.files import read_audio

    return None if path is None else (read_audio(path).clip(), path.name)


def _render_options(options: BounceOptions) -> RenderOptions:
    return RenderOptions(
        seed=options.seed,
        steps=options.steps,
        sampler=options.sampler,
        method=options.method,
        bundle=options.bundle,
        preset=options.preset,
        tags=options.tags,
        reference=options.reference,
        prompt=options.prompt,
        amount=str(options.amount),
    )


def _pool(options: BounceOptions) -> Callable[[], Pool]:
    """A pool to be started later; what is wrong with it is said now."""
    from segue.service.farm.farm import FarmSettings, find_farm
    from segue.service.pool import Pool
    from segue.service.settings import Device, DeviceSettings
    from segue.service.store.store import Store

    if options.jobs < 1:
        raise InvalidRequest(f"expected at least one job at once, got --jobs {options.jobs}")
    if options.ray is not None and options.jobs != 1:
        raise InvalidRequest("expected --jobs of this machine or --ray, got both: a farm renders one on each device")
    devices: list[Device]
    if options.ray is None:
        threads = max(1, (os.cpu_count() or 1) // options.jobs)
        devices = [DeviceSettings(index=n, threads=threads, bundle=options.bundle) for n in range(options.jobs)]
    else:
        devices = list(find_farm(options.ray, FarmSettings(bundle=options.bundle)))
    store = Store(options.store)
    return lambda: Pool(devices, store)


def _summary(done: Bounced) -> list[str]:
    lines = []
    for track in done.report["tracks"]:
        for place in track["places"]:
            start, stop = place["seconds"]
            how = place.get("failed") or ("from the store" if place["from_store"] else "rendered")
            lines.append(f"{track['name']}  {start:.3f}:{stop:.3f}  {place['kind']}, {how}")
        lines += [f"{track['name']}  {line}" for line in (*track["left"], *track["notes"])]
    return [*(lines or ["nothing to render"]), str(done.path), str(done.folder / "report.html")]
