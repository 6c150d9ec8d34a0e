"""Renders in progress: each in a thread of its own, one at a time, with what it tells and a way to stop it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from segue.errors import Cancelled, InvalidRequest
from segue.render.settings import FileResult, Progress, ProgressCallback

Work = Callable[[ProgressCallback], FileResult]
Event = Progress | FileResult | Exception
"""What a render tells: progress, then its result or why there is none."""

_PATIENCE = 0.1  # seconds between two looks at the cancel button while another render is under way


class RenderJob:
    """One render. Its thread waits for ``turn``, which is whoever's renders now."""

    def __init__(self, work: Work, turn: threading.Lock) -> None:
        self._work, self._turn = work, turn
        self._told: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="segue studio render", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop within one step; :class:`Cancelled` is the last event then. At its end, or twice, it changes nothing."""
        self._stopped.set()

    @property
    def running(self) -> bool:
        """Whether it waits or computes."""
        return self._thread.is_alive()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; whether it ended."""
        self._thread.join(seconds)
        return not self.running

    def events(self) -> Iterator[Event]:
        """What it tells, as it comes; of progress that came at once, the last. Ends with the result or the error."""
        while True:
            event = self._told.get()
            while isinstance(event, Progress) and not self._told.empty():
                event = self._told.get()
            yield event
            if not isinstance(event, Progress):
                return

    def _tell(self, progress: Progress) -> bool:
        self._told.put(progress)
        return not self._stopped.is_set()

    def _run(self) -> None:
        try:
            self._wait()
            try:
                result = self._work(self._tell)
            finally:
                self._turn.release()
        except Exception as error:  # whatever it is, the page shows it
            self._told.put(error)
        else:
            self._told.put(result)

    def _wait(self) -> None:
        if self._turn.acquire(blocking=False):
            return
        self._told.put(Progress("waiting", 0, 1, 0.0, message="another page's render is under way"))
        while not self._turn.acquire(timeout=_PATIENCE):
            if self._stopped.is_set():
                raise Cancelled("stopped while waiting; nothing was written")


class Desk:
    """The renders of all open pages, by page."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._jobs: dict[str, RenderJob] = {}

    def start(self, page: str, work: Work) -> RenderJob:
        """Begin a page's render.

        Raises:
            InvalidRequest: the page has one under way.
        """
        if (job := self._jobs.get(page)) is not None and job.running:
            raise InvalidRequest("a render is under way on this page: cancel it first, or wait for it")
        self._jobs[page] = RenderJob(work, self._turn)
        return self._jobs[page]

    def cancel(self, page: str) -> None:
        """Stop a page's render, if it has one."""
        if (job := self._jobs.get(page)) is not None:
            job.cancel()

    def leave(self, page: str) -> None:
        """The page was closed: its render is stopped and forgotten."""
        self.cancel(page)
        self._jobs.pop(page, None)

    def close(self, seconds: float) -> bool:
        """Stop all renders and wait for them; whether all ended."""
        jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()
        ended = [job.join(seconds) for job in jobs]
        return all(ended)
