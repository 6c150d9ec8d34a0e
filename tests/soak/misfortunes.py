"""What befalls a renderer from outside: its processes killed and stopped, its disk full, its store pruned."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress

import psutil

from segue.errors import SegueError
from segue.service.store.store import Store
from tests.renderers import RunningRenderer
from tests.soak.disk import SmallDisk

SILENCE = 10.0
"""Seconds after which the pool takes a silent render process for lost."""


class Misfortunes(threading.Thread):
    """Something every few seconds, until :meth:`end`, which puts everything right again."""

    def __init__(self, renderer: RunningRenderer, disk: SmallDisk | None, rng: random.Random) -> None:
        super().__init__(name="misfortunes", daemon=True)
        self._renderer, self._disk, self._rng = renderer, disk, rng
        self._ending = threading.Event()
        self.happened: Counter[str] = Counter()
        self.errors: list[str] = []

    def run(self) -> None:
        kinds = ["stop the render", "stop the render", "stop the front", "prune the store"]
        kinds += ["fill the disk"] * 3 if self._disk is not None else []
        turns = 0
        while not self._ending.wait(self._rng.uniform(0.5, 2.0)):
            turns += 1
            kind = "kill the render" if turns % 8 == 3 else self._rng.choice(kinds)
            self.happened[kind] += 1
            try:
                self._do(kind)
            except Exception as error:  # told by the soak, with its seed
                self.errors.append(f"{kind}: {type(error).__name__}: {error}")

    def end(self) -> None:
        """No more of it."""
        self._ending.set()
        self.join()

    def _do(self, kind: str) -> None:
        front = self._renderer.process.pid
        if kind == "kill the render":
            self._signal_render(signal.SIGKILL)
        elif kind == "stop the render":
            long = self._rng.random() < 0.15
            self._pause([p.pid for p in self._renders()], SILENCE + 4.0 if long else self._rng.uniform(0.2, 2.0))
        elif kind == "stop the front":
            self._pause([front], self._rng.choice((0.3, 1.0, 1.0, 4.0)))
        elif kind == "prune the store":
            self._prune()
        else:
            assert self._disk is not None
            self._disk.fill(front)
            self._ending.wait(self._rng.uniform(0.5, 3.0))
            self._disk.free(front)

    def _renders(self) -> list[psutil.Process]:
        return psutil.Process(self._renderer.process.pid).children()

    def _signal_render(self, number: int) -> None:
        for process in self._renders():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _pause(self, pids: list[int], seconds: float) -> None:
        stopped = []
        try:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    stopped.append(pid)
            self._ending.wait(seconds)
        finally:
            for pid in stopped:
                with suppress(ProcessLookupError):  # it was given up and ended meanwhile
                    os.kill(pid, signal.SIGCONT)

    def _prune(self) -> None:
        """As another process would: the store has several writers."""
        if self._disk is None:
            folder = self._renderer.folder / "store"
        else:
            folder = self._disk.seen_from_here(self._renderer.process.pid)
        with suppress(SegueError):  # the disk is full
            Store(folder).prune(self._rng.choice((0, 1 << 20, 8 << 20)))
