"""``segue restyle``: the same music in another style."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from segue.cli.options import Freedom, Out, RenderOptions, Track, with_options

Gaps = Annotated[
    list[str] | None,
    typer.Option(
        metavar="START:STOP",
        help="A stretch in seconds; may be given several times. Without it, the whole file.",
        show_default="the whole file",
    ),
]


@with_options(RenderOptions)
def restyle(options: RenderOptions, track: Track, out: Out, gap: Gaps = None, freedom: Freedom = None) -> None:
    """Give a track, or stretches of it, another style.

    Name a preset, tags, a reference, or features to follow.
    """
    from segue.api import restyle_file
    from segue.cli.curves import read_freedom
    from segue.cli.render import render

    course = read_freedom(freedom) if freedom else None
    render(options, partial(restyle_file, track, out, gaps=gap, freedom=course), before=track)
