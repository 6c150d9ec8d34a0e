"""Many jobs through one pool, a few at a time, with one progress for all."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from functools import partial

from segue.errors import Cancelled
from segue.render.settings import Progress, ProgressCallback
from segue.service.events import Cancelled as Stopped
from segue.service.events import Event, Failed, Final, Finished, Progressed, TimedOut
from segue.service.jobs import Job
from segue.service.pool import Pool

AHEAD = 2
"""Jobs that wait while each device renders one: none idles, and few hold their audio."""

Rendered = Finished | str
"""A result, or why there is none."""


def render_all(pool: Callable[[], Pool], jobs: Sequence[Job], callback: ProgressCallback | None) -> list[Rendered]:
    """The results in the order of the jobs; one that fails does not stop the others.

    Raises:
        Cancelled: ``callback`` returned False.
    """
    heard: queue.SimpleQueue[tuple[int, Event]] = queue.SimpleQueue()
    finals: dict[int, Final] = {}
    fractions = [0.0] * len(jobs)
    with pool() as service:
        most, submitted = len(service.status().devices) + AHEAD, 0
        while len(finals) < len(jobs):
            while submitted < len(jobs) and submitted - len(finals) < most:
                service.submit(jobs[submitted], partial(_hear, heard, submitted))
                submitted += 1
            index, event = heard.get()
            if isinstance(event, Progressed):
                fractions[index] = event.progress.fraction
            elif isinstance(event, Final):
                finals[index], fractions[index] = event, 1.0
            else:
                continue
            whole = Progress("bounce", len(finals), len(jobs), min(1.0, sum(fractions) / len(jobs)))
            if callback is not None and callback(whole) is False:
                raise Cancelled("stopped: what was rendered so far is in the store, the next run goes on from there")
    return [_outcome(finals[index]) for index in range(len(jobs))]


def _hear(heard: queue.SimpleQueue[tuple[int, Event]], index: int, event: Event) -> None:
    heard.put((index, event))


def _outcome(final: Final) -> Rendered:
    if isinstance(final, Finished):
        return final
    if isinstance(final, Failed):
        return f"{final.message}: {final.remedy}"
    assert isinstance(final, TimedOut | Stopped)
    return final.message if isinstance(final, TimedOut) else "it was cancelled"
