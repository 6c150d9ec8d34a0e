"""The pool: a bounded queue in front of one render process for each device, and the store asked first.

The process that holds a pool never renders and loads no network. Its threads: one that hashes audio and asks the store,
one that watches deadlines and cancels (both :mod:`segue.service.desk`), and one for each device
(:mod:`segue.service.worker.keeper`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from segue.errors import InvalidRequest, ResourceError
from segue.service.board import Board, Counts
from segue.service.desk import Clock, Desk
from segue.service.events import Failed, OnEvent
from segue.service.jobs import Job
from segue.service.settings import Device, Limits
from segue.service.store.store import Store
from segue.service.ticket import State, Ticket
from segue.service.worker.keeper import DeviceStatus, Keeper
from segue_protocol.errors import Code


@dataclass(frozen=True)
class JobStatus:
    """A job that has not ended."""

    id: str
    client: str
    task: str
    state: State
    fraction: float


@dataclass(frozen=True)
class Status:
    """The pool at this moment; ``uptime`` in seconds."""

    devices: tuple[DeviceStatus, ...]
    jobs: tuple[JobStatus, ...]
    counts: Counts
    uptime: float


class Pool:
    """Renders jobs; thread-safe. :meth:`close` it, or use it in a ``with`` block."""

    def __init__(self, devices: Sequence[Device], store: Store | None = None, limits: Limits | None = None) -> None:
        """Start a render process on each of ``devices``; returns at once, jobs wait until the first is ready.

        Args:
            devices: of this machine (:class:`segue.service.settings.DeviceSettings`), or of a Ray cluster
                (:func:`segue.service.farm.farm.find_farm`).
            store: results by recipe.
            limits: of the queue and the processes.
        """
        if not devices:
            raise InvalidRequest("expected at least one device, got none: name cpu or cuda")
        limits = limits or Limits()
        self._began = time.monotonic()
        self._lock, self._closing = threading.Lock(), False
        self._board = Board(limits, len(devices))
        self._desk, self._clock = Desk(self._board, store), Clock(self._board)
        self._keepers = [Keeper(device, limits, store, self._board) for device in devices]
        for thread in (self._desk, self._clock, *self._keepers):
            thread.start()

    def submit(self, job: Job, on_event: OnEvent, *, client: str = "") -> Ticket:
        """Take a job. ``client``: whom it is for; clients are served in turn. Does no work on the caller's thread.

        Events come on the pool's threads, possibly before this returns; see :data:`segue.service.events.OnEvent`.

        Raises:
            Busy: the queue is full; ``retry_after`` says when to try again.
            ResourceError: the pool is closed.
        """
        ticket = Ticket(job, on_event, client, self._wake)
        with self._lock:
            if self._closing:
                raise ResourceError("the service is shutting down: start it again, then ask again")
            self._board.enter(ticket)
            self._desk.receive(ticket)
        self._clock.wake()  # it must know of the deadline
        return ticket

    def status(self) -> Status:
        """Devices, jobs, counts."""
        jobs = tuple(JobStatus(t.id, t.client, t.job.task, t.state, t.fraction) for t in self._board.live)
        devices = tuple(keeper.status() for keeper in self._keepers)
        return Status(devices, jobs, self._board.counts, time.monotonic() - self._began)

    def close(self, reason: str = "the service was shut down") -> None:
        """End all jobs (LOST, with the reason) and processes; returns when they are gone. Once is enough."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        for ticket in self._board.live:
            ticket.stop_with(Failed.of(Code.LOST, reason, "start the service again, then ask again"))
        self._desk.close()
        self._desk.join()
        for keeper in self._keepers:
            keeper.close()
        for keeper in self._keepers:
            keeper.join()
        self._clock.close()
        self._clock.join()

    def _wake(self) -> None:
        self._clock.wake()
        for keeper in self._keepers:
            keeper.wake()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
