"""The two small threads of a pool: the desk asks the store before a job waits, the clock ends what may not wait on."""

from __future__ import annotations

import logging
import queue
import threading
import time

from segue.errors import SegueError
from segue.service.board import Board
from segue.service.events import Failed, Finished
from segue.service.header import describe, digests_of, request_key
from segue.service.jobs import complete
from segue.service.store.store import Store
from segue.service.ticket import Ticket
from segue_protocol.errors import Code

_log = logging.getLogger(__name__)


class Desk(threading.Thread):
    """Completes arriving jobs, hashes their audio and answers from the store; what is not there waits for a worker."""

    def __init__(self, board: Board, store: Store | None) -> None:
        super().__init__(name="segue-desk", daemon=True)
        self._board, self._store = board, store
        self._arrivals: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()

    def receive(self, ticket: Ticket) -> None:
        """Take over an admitted ticket."""
        self._arrivals.put(ticket)

    def close(self) -> None:
        """End once all that arrived was handled."""
        self._arrivals.put(None)

    def run(self) -> None:
        """The thread."""
        while (ticket := self._arrivals.get()) is not None:
            try:
                self._handle(ticket)
            except Exception as error:
                failed = Failed.by(error)
                if failed.code is Code.INTERNAL:
                    _log.exception("job %s failed at the desk", ticket.id)
                if ticket.claim():
                    self._board.settle(ticket, failed)

    def _handle(self, ticket: Ticket) -> None:
        if ticket.stop is not None:
            return  # the clock ends it
        ticket.job = complete(ticket.job)
        ticket.header = describe(ticket.job, digests_of(ticket.job))
        kept = self._kept(ticket)
        if kept is None:
            self._board.queue.offer(ticket)
        elif ticket.claim():
            self._board.settle(ticket, kept)

    def _kept(self, ticket: Ticket) -> Finished | None:
        assert ticket.header is not None
        identity = self._board.identity(ticket.header["settings"]["bundle"])
        if self._store is None or identity is None:
            return None  # the worker asks the store, once it knows the bundle
        try:
            entry = self._store.find(request_key(ticket.header, identity))
        except SegueError as error:
            _log.warning("the store cannot be asked: %s", error)
            return None
        return None if entry is None else Finished(entry.renditions, entry.report, (), entry.key, from_store=True)


class Clock(threading.Thread):
    """Stops tickets whose deadline passed, and ends those that were asked to stop before a worker had them."""

    def __init__(self, board: Board) -> None:
        super().__init__(name="segue-clock", daemon=True)
        self._board, self._woken, self._closing = board, threading.Event(), False

    def wake(self) -> None:
        """Look now: a ticket came, or was asked to stop."""
        self._woken.set()

    def close(self) -> None:
        """End once nothing that is asked to stop waits."""
        self._closing = True
        self._woken.set()

    def run(self) -> None:
        """The thread."""
        while True:
            self._woken.clear()
            closing = self._closing
            for ticket in self._board.live:
                if time.monotonic() >= ticket.due:
                    ticket.expire()
                if (stop := ticket.stop) is not None and ticket.claim():
                    self._board.settle(ticket, stop)
            if closing:
                return
            due = min((t.due for t in self._board.live if t.stop is None), default=float("inf"))
            self._woken.wait(None if due == float("inf") else max(0.0, due - time.monotonic()))
