"""``segue transition``: one track flows into another."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.options import Freedom, Out, RenderOptions, with_options


@with_options(RenderOptions)
def transition(
    options: RenderOptions,
    left: Annotated[Path, typer.Argument(metavar="LEFT", help="The track that ends.", show_default=False)],
    right: Annotated[Path, typer.Argument(metavar="RIGHT", help="The track that begins.", show_default=False)],
    out: Out,
    overlap: Annotated[float, typer.Option(help="Seconds both tracks share.")] = 2.5,
    freedom: Freedom = None,
) -> None:
    """Join two tracks by music that leads from one into the other."""
    from segue.api import transition_file
    from segue.cli.curves import read_freedom
    from segue.cli.render import render

    course = read_freedom(freedom) if freedom else None
    render(options, partial(transition_file, left, right, out, overlap=overlap, freedom=course))
