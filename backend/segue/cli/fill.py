"""``segue fill``: invent what belongs in the gaps."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from segue.cli.options import Out, RenderOptions, Track, with_options

Gaps = Annotated[
    list[str] | None,
    typer.Option(
        metavar="START:STOP",
        help="A gap in seconds; may be given several times. Without it, the longest silence.",
    ),
]


@with_options(RenderOptions)
def fill(options: RenderOptions, track: Track, out: Out, gap: Gaps = None) -> None:
    """Fill gaps with music that fits what stands around them."""
    from segue.api import fill_file
    from segue.cli.render import render

    render(options, partial(fill_file, track, out, gaps=gap), before=track)
