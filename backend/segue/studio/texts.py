"""What the page says: progress, results, refusals. Everything that comes from outside is escaped."""

from __future__ import annotations

import sys
import traceback
from html import escape

from segue.cli.output import is_refusal
from segue.cli.progress import time_left
from segue.cli.render import summary
from segue.errors import Cancelled
from segue.render.settings import FileResult, Progress


def note(text: str) -> str:
    """A plain line."""
    return f"<p>{escape(text)}</p>"


def progress(event: Progress) -> str:
    """A bar, the stage, the time left."""
    steps = f" {event.step}/{event.steps}" if event.steps > 1 else ""
    left = f", {time_left(event.seconds_left)}" if event.seconds_left is not None else ""
    said = f": {event.message}" if event.message else ""
    return (
        f'<progress value="{event.fraction:.3f}" max="1" aria-label="Render" style="width: 100%"></progress>'
        + note(f"{event.stage}{steps}, {100 * event.fraction:.0f} %{left}{said}")
    )  # fmt: skip


def refused(error: Exception) -> str:
    """Why there is no result. What Segue did not foresee is also told on stderr, with where it happened."""
    if isinstance(error, Cancelled):
        return note(f"Cancelled: {error}")
    if not is_refusal(error):
        traceback.print_exception(error, file=sys.stderr)
        return alarm(f"Unexpected, please report it: {type(error).__name__}: {error}")
    return alarm(str(error) or type(error).__name__)


def alarm(text: str) -> str:
    """A line that cannot be overlooked, read out at once."""
    return f'<p role="alert" style="color: #d03030; font-weight: 600">{escape(text)}</p>'


def done(result: FileResult) -> str:
    """The summary of the command line, without the paths of the page's own folder."""
    kept = len(result.paths)
    return "".join(note(line) for line in summary(result)[:-kept])


def take(result: FileResult, rank: int) -> str:
    """One candidate, from 0, in each gap: how it was made and what was measured."""
    lines = []
    for gap in result.report["gaps"]:
        count = len(gap["candidates"])
        if rank >= count:
            lines.append(f"There was no further take of this gap: it is that of take {count}.")
        one = gap["candidates"][min(rank, count - 1)]
        measured = {name: one[name] for name in one if isinstance(one[name], float)}
        figures = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in measured.items())
        lines.append(f"{one['method']} ({one['how']}): {figures}")
    return "".join(note(line) for line in lines)
