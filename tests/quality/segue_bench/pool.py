"""Worker processes that may die without taking the run with them.

Each worker is spawned, makes its own tools once, and is handed one unit of work after another. Before each job it says
what would be written if it died now; the parent writes that if it does, and starts another worker on the same unit.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from types import FrameType
from typing import Any, Protocol, runtime_checkable

from segue.errors import ResourceError

TRIES = 2
"""How often a unit may kill its worker outside any job before the run gives up."""


@runtime_checkable
class Crew(Protocol):
    """What a worker does. Pickled to it, so it holds settings only; tools are made by :meth:`start`."""

    def start(self) -> Callable[[str], Iterable[Job]]:
        """Make the tools, in the worker; returns what lists the jobs of a unit that are still to do."""

    def died(self, epitaph: Any, how: str) -> Done:
        """Called in the parent: the worker died in a job, ``how`` in words; write that and report it."""


@dataclass(frozen=True)
class Job:
    """One piece of work: ``epitaph`` goes to :meth:`Crew.died` if the worker dies in ``run``."""

    epitaph: Any
    run: Callable[[], Done]


@dataclass(frozen=True)
class Done:
    """A finished job: what it was, and what kept it from success, if anything."""

    name: str
    failure: str | None = None


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    unit: str | None = None
    epitaph: Any = None


@dataclass(eq=False)
class Pool:
    """``size`` workers on ``units``; iterate :meth:`run` for what is done."""

    crew: Crew
    size: int
    deaths: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._stop: Event = self._context.Event()

    def stop(self) -> None:
        """Let each worker finish its job and take no other."""
        self._stop.set()

    def run(self, units: Sequence[str]) -> Iterator[Done]:
        """Do all units; ends early after :meth:`stop`.

        Raises:
            ResourceError: a unit killed its worker twice outside any job.
        """
        waiting = list(reversed(units))
        workers = [self._hire() for _ in range(min(self.size, len(units)))]
        try:
            for worker in workers:
                self._assign(worker, waiting)
            while any(worker.unit is not None for worker in workers):
                for pipe in wait([worker.pipe for worker in workers if worker.unit is not None]):
                    worker = next(one for one in workers if one.pipe is pipe)
                    try:
                        message = worker.pipe.recv()
                    except (EOFError, OSError):
                        workers[workers.index(worker)] = self._replace(worker)
                        if worker.epitaph is not None:
                            yield self.crew.died(worker.epitaph, _how(worker.process.exitcode))
                        continue
                    yield from self._hear(worker, message, waiting)
        finally:
            for worker in workers:
                worker.pipe.close()
                worker.process.terminate()
                worker.process.join()

    def _hear(self, worker: _Worker, message: tuple[str, Any], waiting: list[str]) -> Iterator[Done]:
        kind, content = message
        if kind == "begins":
            worker.epitaph = content
        elif kind == "done":
            worker.epitaph = None
            yield content
        elif kind == "broke":
            raise content
        else:
            self._assign(worker, waiting)

    def _hire(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(self.crew, theirs, self._stop), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _assign(self, worker: _Worker, waiting: list[str]) -> None:
        worker.unit = waiting.pop() if waiting and not self._stop.is_set() else None
        if worker.unit is not None:
            worker.pipe.send(worker.unit)

    def _replace(self, dead: _Worker) -> _Worker:
        """Another worker on the dead one's unit: what the dead one finished is done and not done again."""
        dead.pipe.close()
        dead.process.join()
        assert dead.unit is not None
        if dead.epitaph is None:
            self.deaths[dead.unit] = self.deaths.get(dead.unit, 0) + 1
            if self.deaths[dead.unit] >= TRIES:
                raise ResourceError(
                    f"the worker {_how(dead.process.exitcode)} {TRIES} times while preparing {dead.unit}: "
                    "free memory, or use fewer --jobs; what is done is kept"
                )
        worker = self._hire()
        self._assign(worker, [dead.unit])
        return worker


@contextmanager
def interruptible(pool: Pool, say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C stops the pool gently, the second is a KeyboardInterrupt; yields whether there was one."""
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        pool.stop()
        say("stopping: the renders at work are finished first; Ctrl-C again stops them too")

    try:
        before: Any = signal.signal(signal.SIGINT, press)
    except ValueError:  # not the main thread: Ctrl-C is somebody else's
        yield lambda: False
        return
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"was killed by {name}" + (", as when memory runs out" if name == "SIGKILL" else "")
    return f"ended with exit code {code}"


def _work(crew: Crew, pipe: Connection, stop: Event) -> None:
    """A worker's life: tools, then units until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    try:
        jobs_of = crew.start()
        while True:
            unit = pipe.recv()
            for job in jobs_of(unit):
                if stop.is_set():
                    break
                pipe.send(("begins", job.epitaph))
                pipe.send(("done", job.run()))
            pipe.send(("finished", unit))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent is gone or done
    except Exception as error:
        pipe.send(("broke", _portable(error)))


def _portable(error: Exception) -> Exception:
    """The error, or one in its words if it does not survive pickling."""
    try:
        return pickle.loads(pickle.dumps(error))  # type: ignore[no-any-return]
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))
