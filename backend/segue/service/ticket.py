"""A submitted job on its way to its one final event."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Literal

from segue.service.events import Cancelled, CandidateReady, Event, Final, OnEvent, Progressed, TimedOut
from segue.service.header import Header
from segue.service.jobs import Job

State = Literal["queued", "running", "done"]

_log = logging.getLogger(__name__)


class Ticket:
    """What :meth:`segue.service.pool.Pool.submit` hands back.

    Any thread may call :meth:`cancel`, :meth:`wait` and read the properties. All else is the pool's: whoever gets True
    from :meth:`claim` owns the ticket, and the owner alone tells events and ends it. That makes the final event one.
    """

    def __init__(self, job: Job, on_event: OnEvent, client: str, wake: Callable[[], None]) -> None:
        """``wake``: called, on any thread, when the ticket is asked to stop.

        ``header``: set once audio was hashed; ``job`` has its preset's references from then on.
        """
        self.id = secrets.token_hex(8)
        self.job, self.client = job, client
        self.submitted = time.monotonic()
        self._on_event, self._wake = on_event, wake
        self._lock = threading.Lock()
        self._done = threading.Event()
        self.header: Header | None = None
        self._claimed, self._releases = False, 0
        self._heard: dict[int, object] = {}
        self._fraction = 0.0
        self._stop: Final | None = None
        self._final: Final | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        return "done" if self._final is not None else "running" if self._claimed else "queued"

    @property
    def fraction(self) -> float:
        """Part of the render that is done, 0 to 1."""
        return self._fraction

    @property
    def final(self) -> Final | None:
        """The final event, once there is one."""
        return self._final

    @property
    def due(self) -> float:
        """When its deadline passes, on the monotonic clock; infinite without one."""
        return float("inf") if self.job.deadline is None else self.submitted + self.job.deadline

    def cancel(self) -> bool:
        """Ask to stop. True: the final event will be, or was, :class:`Cancelled`; False: another came first."""
        return isinstance(self.stop_with(Cancelled()), Cancelled)

    def wait(self, timeout: float | None = None) -> Final | None:
        """The final event, after at most ``timeout`` seconds; None where it has not come by then."""
        self._done.wait(timeout)
        return self._final

    # ---- the pool's part ----------------------------------------------------------------------------------------

    def stop_with(self, final: Final) -> Final:
        """Have the owner end it with ``final``; returns what it ends with: the first reason given is kept."""
        with self._lock:
            if self._final is not None:
                return self._final
            if self._stop is not None:
                return self._stop
            self._stop = final
        self._wake()
        return final

    def expire(self) -> None:
        """Stop it because its deadline has passed."""
        where = "rendering" if self._claimed else "waiting for a free worker"
        message = f"expected the result within {self.job.deadline:g} s, the time passed while {where}"
        self.stop_with(TimedOut(message, self._claimed))

    @property
    def stop(self) -> Final | None:
        """What it is asked to end with, or None while it may go on."""
        return self._stop

    def claim(self) -> bool:
        """Become its owner; False where another already is."""
        with self._lock:
            claimed, self._claimed = self._claimed, True
            return not claimed

    @property
    def releases(self) -> int:
        """How often it was given up."""
        return self._releases

    def release(self, most: int = 1) -> bool:
        """Give it up, so that another can do what this owner could not. False where it was given up ``most`` times."""
        with self._lock:
            if self._releases >= most or self._stop is not None:
                return False
            self._releases, self._claimed = self._releases + 1, False
            return True

    def tell(self, event: Event) -> None:
        """Pass an event on, unless the ticket was asked to stop; a candidate once, also where the job is begun anew."""
        if isinstance(event, CandidateReady) and self._repeats(event):
            return
        if isinstance(event, Progressed):
            self._fraction = event.progress.fraction
        if self._stop is None and self._final is None:
            self._call(event)

    def seal(self, final: Final) -> Final:
        """Decide the end: ``final``, or what it was asked to end with before that came. Nothing is told any more."""
        with self._lock:
            assert self._final is None, "a ticket ends once"
            self._final = self._stop or final
            return self._final

    def announce(self) -> None:
        """Tell the final event."""
        assert self._final is not None, "a ticket is sealed before its end is told"
        self._call(self._final)
        self._done.set()

    def _repeats(self, candidate: CandidateReady) -> bool:
        what = (candidate.gap, candidate.method, candidate.seed)
        known = self._heard.setdefault(candidate.number, what)
        if known is what:
            return False
        if known != what:
            raise ValueError(f"expected candidate {candidate.number} to be {known} again, got {what}")
        return True

    def _call(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception:
            _log.exception("the listener of job %s failed on %s", self.id, type(event).__name__)
