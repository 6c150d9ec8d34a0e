"""The bounded queue between clients and workers: fair over clients, busy when full."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection

from segue.errors import ResourceError
from segue.service.ticket import Ticket

_LEAST_WAIT, _MOST_WAIT = 0.5, 60.0


class Busy(ResourceError):
    """The queue is full and nothing was kept of the job; try again after ``retry_after`` seconds."""

    def __init__(self, what: str, retry_after: float) -> None:
        super().__init__(f"{what}: try again in {retry_after:.1f} s")
        self.retry_after = retry_after


class JobQueue:
    """Tickets waiting, at most ``places`` with at most ``max_bytes`` of audio; one client after the other is served.

    A place is taken by :meth:`admit`, before the ticket may be taken (the store is asked first), and kept until it is
    taken out. All methods may be called on any thread.
    """

    def __init__(self, places: int, max_bytes: int, workers: int) -> None:
        self._door = Door(places, max_bytes, workers)
        self._changed = threading.Condition()
        self._admitted: dict[str, Ticket] = {}
        self._ready: OrderedDict[str, deque[Ticket]] = OrderedDict()

    def __len__(self) -> int:
        with self._changed:
            return len(self._admitted)

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        """All that wait, the oldest first."""
        with self._changed:
            return tuple(self._admitted.values())

    def admit(self, ticket: Ticket) -> None:
        """Keep a place.

        Raises:
            Busy: there is none.
        """
        with self._changed:
            self._door.check(ticket.job.nbytes, [t.job.nbytes for t in self._admitted.values()])
            self._admitted[ticket.id] = ticket

    def offer(self, ticket: Ticket) -> None:
        """Let a worker take an admitted ticket."""
        with self._changed:
            if ticket.id in self._admitted:
                self._ready.setdefault(ticket.client, deque()).append(ticket)
                self._changed.notify()

    def take(self, timeout: float) -> Ticket | None:
        """The next ticket, of the client that was served longest ago; None where none came within ``timeout`` s."""
        with self._changed:
            if not self._ready:
                self._changed.wait(timeout)
            if not self._ready:
                return None
            client, waiting = self._ready.popitem(last=False)
            ticket = waiting.popleft()
            if waiting:
                self._ready[client] = waiting
            del self._admitted[ticket.id]
            return ticket

    def give_back(self, ticket: Ticket) -> None:
        """Put a ticket that was taken, and not claimed, in front again."""
        with self._changed:
            self._admitted[ticket.id] = ticket
            self._ready.setdefault(ticket.client, deque()).appendleft(ticket)
            self._ready.move_to_end(ticket.client, last=False)
            self._changed.notify()

    def remove(self, ticket: Ticket) -> None:
        """Free the place of a ticket that needs no worker any more."""
        with self._changed:
            self._admitted.pop(ticket.id, None)
            waiting = self._ready.get(ticket.client)
            if waiting is not None and ticket in waiting:
                waiting.remove(ticket)
                if not waiting:
                    del self._ready[ticket.client]

    def rendered(self, seconds: float) -> None:
        """A worker is free again after ``seconds``: what the estimate of a wait is made from."""
        with self._changed:
            self._door.rendered(seconds)


class Door:
    """Whether one more job may wait, and when to come back if not. Not for several threads at once."""

    def __init__(self, places: int, max_bytes: int, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places, self._max_bytes, self._workers = places, max_bytes, workers
        self._pace = Pace(clock)
        self._refused_in_a_row = 0

    def check(self, nbytes: int, waiting: Collection[int]) -> None:
        """Let one in that holds ``nbytes`` of audio, beside those ``waiting``, by the bytes they hold.

        Raises:
            Busy: there is no room for it.
        """
        if len(waiting) >= self._places:
            raise self._busy(f"expected a free place in the queue, all {self._places} are taken")
        held = sum(waiting)
        if waiting and held + nbytes > self._max_bytes:
            raise self._busy(f"the waiting jobs hold {held >> 20} MiB of audio, of {self._max_bytes >> 20} MiB")
        self._refused_in_a_row = 0

    def rendered(self, seconds: float) -> None:
        """A worker is free again after ``seconds``."""
        self._pace.add(seconds)

    def _busy(self, what: str) -> Busy:
        """Those refused in a row are told to come back one after the other, as places come free."""
        self._refused_in_a_row += 1
        wait = self._pace.until_free(self._workers, self._refused_in_a_row)
        return Busy(what, min(_MOST_WAIT, max(_LEAST_WAIT, wait)))


class Pace:
    """How long renders take here: an exponential mean over about the last five."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mean = 5.0  # before anything was rendered: the order of a gap of seconds on a CPU
        self._last = clock()

    def add(self, seconds: float) -> None:
        """One more render."""
        self._mean += 0.2 * (seconds - self._mean)
        self._last = self._clock()

    def until_free(self, workers: int, order: int) -> float:
        """Seconds until the ``order``-th worker from now comes free; after a render that takes longer, any moment."""
        between = self._mean / max(1, workers)
        since = self._clock() - self._last
        return max(0.0, between - since) + (order - 1) * between
