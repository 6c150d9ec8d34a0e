"""Whether a job may come in: counted from SUBMIT on, so that nobody sends audio for a place that is not there."""

from __future__ import annotations

import time
from collections.abc import Iterable

from segue.service.front.jobs import FrontJob
from segue.service.queue import Busy, Pace
from segue.service.settings import Limits

_LEAST, _MOST = 0.5, 60.0


class Admission:
    """The pool's own bounds, applied to what is on the way to its queue as well."""

    def __init__(self, limits: Limits, workers: int) -> None:
        self._limits, self._workers = limits, workers
        self._pace = Pace()
        self._refused_in_a_row = 0

    def check(self, nbytes: int, waiting: Iterable[FrontJob]) -> int:
        """The number of ``waiting`` jobs, those that receive audio or wait for a worker.

        Raises:
            Busy: there is no place for one more with ``nbytes`` of audio.
        """
        sizes = [job.nbytes for job in waiting]
        most = self._limits.waiting_mb << 20
        if len(sizes) >= self._limits.waiting:
            raise self._busy(f"expected a free place in the queue, all {self._limits.waiting} are taken")
        if sizes and sum(sizes) + nbytes > most:
            raise self._busy(f"the waiting jobs hold {sum(sizes) >> 20} MiB of audio, of {most >> 20} MiB")
        self._refused_in_a_row = 0
        return len(sizes)

    def ended(self, job: FrontJob) -> None:
        """A job ended: how long renders take."""
        if job.began is not None and job.outcome == "RESULT":
            self._pace.add(time.monotonic() - job.began)

    def _busy(self, what: str) -> Busy:
        """Those refused in a row are told to come back one after the other."""
        self._refused_in_a_row += 1
        wait = self._pace.until_free(self._workers, self._refused_in_a_row)
        return Busy(what, min(_MOST, max(_LEAST, wait)))
