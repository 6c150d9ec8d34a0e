"""``segue rerun``: render again from the recipe a filled file carries."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.options import OutputOptions, Track, with_options


@with_options(OutputOptions)
def rerun(
    options: OutputOptions,
    track: Track,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The audio file to write.", show_default="TRACK-rerun"),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file the recipe names, where it is not beside TRACK; may be repeated."),
    ] = None,
    bundle: Annotated[
        str | None,
        typer.Option(metavar="NAME|PATH", help="Where the recipe's bundle is.", show_default="the embedded one"),
    ] = None,
) -> None:
    """Render again from a rendered file's recipe.

    Same recipe, same samples.
    """
    from segue.api import rerun_file
    from segue.cli.render import render

    target = out or track.with_name(f"{track.stem}-rerun{track.suffix}")
    render(options, partial(rerun_file, track, target, sources=tuple(source or ()), bundle=bundle))
