"""Keeps a render process on one device alive, and takes jobs to it one by one."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Literal

from segue.service.board import Board
from segue.service.events import CandidateReady, Failed, Final, Finished, Progressed
from segue.service.header import Identity
from segue.service.settings import DeviceSettings, Limits
from segue.service.store.store import Store
from segue.service.ticket import Ticket
from segue.service.worker.frames import Frame, frame
from segue.service.worker.messages import from_frame
from segue.service.worker.process import RenderProcess
from segue_protocol.errors import Code

DeviceState = Literal["starting", "idle", "busy", "lost"]

_LOOK = 0.25  # seconds between looks at an idle process
_PATIENCE = 3  # starts that may fail in a row before waiting jobs are told
_FIRST_PAUSE = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeviceStatus:
    """A device and its process; "lost" while that cannot be started, or has just died; ``reason`` says why."""

    name: str
    kind: str
    state: DeviceState
    pid: int | None
    restarts: int
    reason: str


class Lost(Exception):
    """The process died or fell silent; the text says how, for people. ``unfit``: another would do the same."""

    def __init__(self, reason: str, *, unfit: bool = False) -> None:
        super().__init__(reason)
        self.unfit = unfit


class Keeper(threading.Thread):
    """The thread of one device."""

    def __init__(self, device: DeviceSettings, limits: Limits, store: Store | None, board: Board) -> None:
        super().__init__(name=f"segue-{device.name}", daemon=True)
        self._device, self._limits, self._store, self._board = device, limits, store, board
        self._process: RenderProcess | None = None
        self._state: DeviceState = "starting"
        self._reason = ""
        self._starts = self._failures = 0
        self._begun = False
        self._closing = threading.Event()

    def status(self) -> DeviceStatus:
        """The device now; may be called on any thread."""
        process = self._process
        pid = None if process is None else process.pid
        restarts = max(0, self._starts - 1)
        return DeviceStatus(self._device.name, self._device.kind, self._state, pid, restarts, self._reason)

    def wake(self) -> None:
        """A ticket was asked to stop; may be called on any thread."""
        process = self._process
        if process is not None:
            process.wake()

    def close(self) -> None:
        """End the process and the thread, after the job it is at, which must have been asked to stop."""
        self._closing.set()
        self.wake()

    def run(self) -> None:
        """The thread."""
        while not self._closing.is_set():
            try:
                if self._process is None:
                    self._start()
                self._next_job()
            except Lost as lost:
                self._bury(str(lost), unfit=lost.unfit)
            except Exception:
                _log.exception("a defect in the keeper of %s", self._device.name)
                self._bury("a defect of the service")
        self._end()

    # ---- the process --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Start the process and wait until it is ready."""
        self._state, self._starts = "starting", self._starts + 1
        try:
            process = self._process = RenderProcess(self._device, self._store)
        except OSError as error:
            raise Lost(f"the render process cannot be started ({error})") from error
        deadline = time.monotonic() + self._limits.start
        while not self._closing.is_set():
            received = self._hear(process, _LOOK, self._limits.start)  # it says nothing while it imports
            if received is not None and received.say == "ready":
                self._state, self._reason = "idle", ""
                self._board.works(self)
                return
            if received is not None and received.say == "unfit":
                raise Lost(received.header["message"], unfit=True)
            if time.monotonic() > deadline:
                raise Lost(f"the render process was not ready within {self._limits.start:g} s")

    def _hear(self, process: RenderProcess, timeout: float, patience: float | None = None) -> Frame | None:
        """The next frame, or None; what concerns the pool alone is noted.

        Raises:
            Lost: the process has died, or was silent for longer than ``patience``.
        """
        try:
            received = process.receive(timeout)
        except EOFError:
            raise Lost(f"the render process {self._end()}") from None
        if received is None and process.silence > (patience or self._limits.silence):
            raise Lost(f"the render process said nothing for {process.silence:.0f} s and was ended")
        if received is not None and received.say == "opened":
            self._board.learn(received.header["bundle"], Identity(**received.header["identity"]))
            return None
        return received

    def _bury(self, reason: str, *, unfit: bool = False) -> None:
        """Note a death; pause before the next start, longer each time in a row that nothing was rendered."""
        self._end()
        self._board.forget()
        self._failures += 1
        self._state, self._reason = "lost", reason
        _log.warning("%s: %s", self._device.name, reason)
        if unfit or self._failures >= _PATIENCE:
            self._board.broken(self, reason)
        pause = (
            0.0 if self._failures == 1 else min(self._limits.longest_pause, _FIRST_PAUSE * 2 ** (self._failures - 2))
        )
        self._closing.wait(pause)

    def _end(self) -> str:
        process, self._process = self._process, None
        return "" if process is None else process.end()

    # ---- a job --------------------------------------------------------------------------------------------------

    def _next_job(self) -> None:
        process = self._process
        assert process is not None
        self._hear(process, 0.0)
        ticket = self._board.queue.take(_LOOK)
        if ticket is not None and not process.alive:
            self._board.queue.give_back(ticket)
            return
        if ticket is None or not ticket.claim():
            return
        self._state = "busy"
        began = time.monotonic()
        try:
            final = self._render(process, ticket)
        except Lost as lost:
            self._end()
            if not self._begun and ticket.release():  # it was dying while it had nothing to do
                self._board.queue.give_back(ticket)
                raise
            self._board.settle(ticket, Failed.of(Code.LOST, f"{lost}; the job is lost, the next will work"))
            raise
        except BaseException as error:
            self._board.settle(ticket, Failed.of(Code.INTERNAL, f"{type(error).__name__}: {error}"))
            raise
        self._failures = 0
        self._state = "idle"
        self._board.queue.rendered(time.monotonic() - began)
        self._board.settle(ticket, final)

    def _render(self, process: RenderProcess, ticket: Ticket) -> Final:
        self._begun = False
        process.send(frame("render", job=ticket.id, header=ticket.header))
        told = float("inf")  # when it was asked to stop
        while not self._closing.is_set():
            if ticket.stop is not None and told == float("inf"):
                told = time.monotonic()
                process.send(frame("stop", job=ticket.id))
            if time.monotonic() - told > self._limits.grace:
                raise Lost(f"the render process did not stop within {self._limits.grace:g} s and was ended")
            received = self._hear(process, _LOOK)
            if received is None:
                continue
            self._begun = True
            if received.say == "begun":
                continue
            if received.say == "needs":
                audio = ticket.job.audio
                process.send(frame("audio", [audio[role].samples for role in received.header["roles"]], job=ticket.id))
                continue
            if received.say == "stopped":
                return ticket.stop or Failed.of(Code.INTERNAL, "the render stopped without being asked")
            event = from_frame(received)
            if isinstance(event, Progressed | CandidateReady):
                ticket.tell(event)
            else:
                assert isinstance(event, Finished | Failed)
                return event
        raise Lost("the service was closed")
