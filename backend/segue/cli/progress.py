"""Progress of a render on the terminal: a bar with the stage and the time left, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from segue.render.settings import Progress, ProgressCallback


def time_left(seconds: float | None) -> str:
    """``1:05 left``, or nothing while unknown."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d} left"


@contextmanager
def watching(*, quiet: bool, as_json: bool) -> Iterator[ProgressCallback]:
    """A callback that shows progress: a bar on a terminal, else one line a stage, nothing if ``quiet``.

    With ``as_json`` the lines are left out too, as the caller is a program. Ctrl-C needs no help from here: the
    KeyboardInterrupt is raised between two operations of the step at work and unwinds through the render.
    """
    if sys.stderr.isatty() and not quiet:
        with _bar() as callback:
            yield callback
    else:
        yield _silent if quiet or as_json else _lines()


@contextmanager
def _bar() -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[left]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0, left="")

        def show(event: Progress) -> bool:
            if event.message:
                bar.console.print(event.message, highlight=False, markup=False)
            steps = f" {event.step}/{event.steps}" if event.steps > 1 else ""
            bar.update(
                task,
                description=f"{event.stage}{steps}",
                completed=event.fraction,
                left=time_left(event.seconds_left),
            )
            return True

        yield show


def _lines() -> ProgressCallback:
    last = ""

    def show(event: Progress) -> bool:
        nonlocal last
        if event.message:
            print(event.message, file=sys.stderr, flush=True)
        elif event.stage != last:
            left = time_left(event.seconds_left)
            print(f"{event.stage}{', ' + left if left else ''}", file=sys.stderr, flush=True)
        last = event.stage
        return True

    return show


def _silent(_: Progress) -> bool:
    return True
