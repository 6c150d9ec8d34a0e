"""Keeps a render process on one device alive, and takes jobs to it one by one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from segue.render.settings import Progress
from segue.service.board import Board
from segue.service.events import CandidateReady, Failed, Final, Finished, Progressed
from segue.service.header import Identity
from segue.service.settings import Device, Limits
from segue.service.store.store import Store
from segue.service.ticket import Ticket
from segue.service.worker.frames import Frame, frame
from segue.service.worker.messages import from_frame
from segue.service.worker.process import RenderProcess
from segue.service.worker.shelf import AskingDesk
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

    def __init__(
        self,
        device: Device,
        limits: Limits,
        store: Store | None,
        board: Board,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock``: seconds, by which a process is given its time to start."""
        super().__init__(name=f"segue-{device.name}", daemon=True)
        self._device, self._limits, self._board, self._clock = device, limits, board, clock
        self._place = None if store is None else (store.folder, store.limit)
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
                self._turn()
            except Exception:  # the device goes on, whatever fails: jobs wait for it
                _log.exception("a defect in the keeper of %s", self._device.name)
                self._closing.wait(_FIRST_PAUSE)
        self._end()

    def _turn(self) -> None:
        """A start, where there is no process, and a job, where one waits."""
        try:
            if self._process is None:
                self._start()
            self._next_job()
        except Lost as lost:
            self._bury(str(lost), unfit=lost.unfit)
        except Exception:
            _log.exception("a defect in the keeper of %s", self._device.name)
            self._bury("a defect of the service")

    # ---- the process --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Start the process and wait until it is ready."""
        self._state, self._starts = "starting", self._starts + 1
        try:
            process = self._process = RenderProcess(self._device, self._place)
        except OSError as error:
            raise Lost(f"the render process cannot be started ({error})") from error
        deadline = self._clock() + self._limits.start
        while not self._closing.is_set():
            received = self._hear(process, _LOOK, self._limits.start)  # it says nothing while it imports
            if received is not None and received.say == "ready":
                self._state, self._reason = "idle", ""
                self._board.works(self)
                return
            if received is not None and received.say == "unfit":
                raise Lost(received.header["message"], unfit=True)
            if received is not None and received.say == "waits":  # for a machine; it will say so when it has one
                self._state, self._reason = "lost", received.header["message"]
                self._board.broken(self, self._reason, received.header["remedy"])
                deadline = self._clock() + self._limits.start
            if self._clock() > deadline:
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
            self._learn(received.header["bundle"], Identity(**received.header["identity"]))
            return None
        return received

    def _learn(self, bundle: str | None, identity: Identity) -> None:
        known = self._board.learn(self, bundle, identity, alike=self._device.tries > 1)
        if known is not None:
            named = "the default bundle" if bundle is None else f"the bundle {bundle}"
            raise Lost(
                f"expected {named} to be rendered as on the other devices ({known}), got {identity}: install the same "
                "versions and bundles on every machine",
                unfit=True,
            )

    def _bury(self, reason: str, *, unfit: bool = False) -> None:
        """Note a death; pause before the next start, longer each time in a row that nothing was rendered."""
        self._end()
        self._board.forget(self)
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
            self._give_up(ticket, str(lost))
            raise
        except BaseException as error:
            self._board.settle(ticket, Failed.of(Code.INTERNAL, f"{type(error).__name__}: {error}"))
            raise
        self._failures = 0
        self._state = "idle"
        self._board.queue.rendered(time.monotonic() - began)
        self._board.settle(ticket, final)

    def _give_up(self, ticket: Ticket, why: str) -> None:
        """The process was lost under a job: another has it, where it may be begun once more, else it fails."""
        again = self._device.tries - 1
        if self._begun and ticket.releases < again:
            ticket.tell(Progressed(Progress("lost", 0, 1, ticket.fraction, None, f"{why}; it is begun on another")))
        elif not self._begun:
            again = max(again, 1)  # it was dying while it had nothing to do
        if ticket.release(again):
            self._board.queue.give_back(ticket)
        else:
            tried = f" ({self._device.tries} processes were lost under it)" if again else ""
            self._board.settle(ticket, Failed.of(Code.LOST, f"{why}; the job is lost{tried}, the next will work"))

    def _render(self, process: RenderProcess, ticket: Ticket) -> Final:
        self._begun, desk = False, AskingDesk(self._place)
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
            if (final := self._answer(process, ticket, received, desk)) is not None:
                return final
        raise Lost("the service was closed")

    def _answer(self, process: RenderProcess, ticket: Ticket, received: Frame, desk: AskingDesk) -> Final | None:
        """Do what a frame about a job asks; its final event, where that has come."""
        match received.say:
            case "begun":
                return None
            case "needs":
                audio = [ticket.job.audio[role].samples for role in received.header["roles"]]
                process.send(frame("audio", audio, job=ticket.id))
                return None
            case "seeks":
                found = desk.finds(received.header["key"], received.header["request"])
                process.send(frame("kept", job=ticket.id, found=found))
                return None
            case "stopped":
                return ticket.stop or desk.found or Failed.of(Code.INTERNAL, "the render stopped without being asked")
        event = from_frame(received)
        if isinstance(event, Progressed | CandidateReady):
            ticket.tell(event)
            return None
        assert isinstance(event, Finished | Failed)
        return desk.keep(event)
