"""``segue extend``: go on after the end, or lead up to the start."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from segue.cli.options import Out, RenderOptions, Track, with_options


@with_options(RenderOptions)
def extend(
    options: RenderOptions,
    track: Track,
    out: Out,
    seconds: Annotated[float, typer.Option(help="How much music to add.", show_default=False)],
    backward: Annotated[bool, typer.Option("--backward", help="Add it before the start, not after the end.")] = False,
) -> None:
    """Continue a track after its end, or lead up to its start."""
    from segue.api import extend_file
    from segue.cli.render import render

    render(options, partial(extend_file, track, out, seconds=seconds, backward=backward))
