"""What the threads of a pool share: the tickets that live, the queue, the counts, and who answers for which bundle."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from segue.service.events import Cancelled, Failed, Final, Finished, TimedOut
from segue.service.header import Identity
from segue.service.queue import Busy, JobQueue
from segue.service.settings import Limits
from segue.service.ticket import Ticket
from segue_protocol.errors import Code

_COUNTED = {Finished: "finished", Failed: "failed", Cancelled: "cancelled", TimedOut: "timed_out"}

_REPAIR = "repair what the message names, then submit the job again: the service keeps trying to start one"


@dataclass(frozen=True)
class Counts:
    """Jobs since the start. submitted = waiting + running + finished + failed + cancelled + timed_out.

    ``refused`` were never submitted: busy. ``from_store`` of those finished.
    """

    submitted: int = 0
    refused: int = 0
    waiting: int = 0
    running: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    timed_out: int = 0
    from_store: int = 0


class Board:
    """All methods may be called on any thread."""

    def __init__(self, limits: Limits, workers: int) -> None:
        self.queue = JobQueue(limits.waiting, limits.waiting_mb << 20, workers)
        self._lock = threading.Lock()
        self._live: dict[str, Ticket] = {}
        self._counts: Counter[str] = Counter()
        self._identities: dict[object, dict[str | None, Identity]] = {}
        self._workers, self._broken = workers, set[object]()

    @property
    def live(self) -> tuple[Ticket, ...]:
        """Tickets that have not ended, the oldest first."""
        with self._lock:
            return tuple(self._live.values())

    @property
    def counts(self) -> Counts:
        """How many jobs there were, and what became of them."""
        with self._lock:
            running = sum(ticket.state == "running" for ticket in self._live.values())
            return Counts(**self._counts, waiting=len(self._live) - running, running=running)

    def enter(self, ticket: Ticket) -> None:
        """A new ticket.

        Raises:
            Busy: the queue is full.
        """
        with self._lock:
            try:
                self.queue.admit(ticket)
            except Busy:
                self._counts["refused"] += 1
                raise
            self._counts["submitted"] += 1
            self._live[ticket.id] = ticket

    def settle(self, ticket: Ticket, final: Final) -> None:
        """End a ticket, by its owner; counted before the client hears of it, so that its counts agree with ours."""
        self.queue.remove(ticket)
        final = ticket.seal(final)
        with self._lock:
            self._counts[_COUNTED[type(final)]] += 1
            self._counts["from_store"] += isinstance(final, Finished) and final.from_store
            del self._live[ticket.id]
        ticket.announce()

    def identity(self, bundle: str | None) -> Identity | None:
        """Who renders with a bundle (as jobs name it), where a process that lives has said so; the last one to."""
        with self._lock:
            told = [identities[bundle] for identities in self._identities.values() if bundle in identities]
            return told[-1] if told else None

    def learn(self, worker: object, bundle: str | None, identity: Identity, *, alike: bool = False) -> Identity | None:
        """A device's process has opened a bundle. ``alike``: where another has it otherwise, only that is returned."""
        with self._lock:
            others = [known[bundle] for of, known in self._identities.items() if of is not worker and bundle in known]
            if alike and others and others[-1] != identity:
                return others[-1]
            self._identities[worker] = {**self._identities.pop(worker, {}), bundle: identity}
            return None

    def forget(self, worker: object) -> None:
        """A device's process ended: bundles may have changed by the time they are opened again."""
        with self._lock:
            self._identities.pop(worker, None)

    def broken(self, worker: object, reason: str, remedy: str = _REPAIR) -> None:
        """A device's process cannot be kept alive; where none can, what waits is told."""
        with self._lock:
            self._broken.add(worker)
            if len(self._broken) < self._workers:
                return
        for ticket in self.queue.tickets:
            if ticket.claim():
                self.settle(ticket, Failed.of(Code.LOST, f"no render process can be kept alive: {reason}", remedy))

    def works(self, worker: object) -> None:
        """A device's process is ready."""
        with self._lock:
            self._broken.discard(worker)
