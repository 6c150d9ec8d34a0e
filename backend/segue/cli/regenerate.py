"""``segue regenerate``: a variation of what stands in the gaps."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from segue.cli.options import Freedom, Out, RenderOptions, Track, with_options

Gaps = Annotated[
    list[str],
    typer.Option(metavar="START:STOP", help="A stretch in seconds; may be given several times.", show_default=False),
]


@with_options(RenderOptions)
def regenerate(options: RenderOptions, track: Track, out: Out, gap: Gaps, freedom: Freedom = None) -> None:
    """Replace stretches by variations of themselves."""
    from segue.api import regenerate_file
    from segue.cli.curves import read_freedom
    from segue.cli.render import render

    render(
        options,
        partial(regenerate_file, track, out, gaps=gap, freedom=read_freedom(freedom) if freedom else None),
        before=track,
    )
