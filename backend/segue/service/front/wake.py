"""How other threads, and signals, wake the loop: a byte through a pair of sockets, and a queue of calls to make."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable
from contextlib import suppress

Call = Callable[[], None]


class Wake:
    """``socket`` is readable where something waits; :meth:`run` does it, on the loop's thread."""

    def __init__(self) -> None:
        self.socket, self._write = socket.socketpair()
        self.socket.setblocking(False)
        self._write.setblocking(False)
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()

    @property
    def signal_fd(self) -> int:
        """For :func:`signal.set_wakeup_fd`."""
        return self._write.fileno()

    def call(self, work: Call) -> None:
        """Have ``work`` done by the loop, in order; from any thread."""
        self._calls.put(work)
        with suppress(BlockingIOError, OSError):  # full: it is awake; closed: nobody listens any more
            self._write.send(b"\0")

    def run(self) -> None:
        """Do what waits."""
        with suppress(BlockingIOError):
            while self.socket.recv(4096):
                pass
        for _ in range(self._calls.qsize()):  # what comes meanwhile waits for the next turn
            with suppress(queue.Empty):
                self._calls.get_nowait()()

    @property
    def waits(self) -> bool:
        """Whether there is more to do."""
        return not self._calls.empty()

    def close(self) -> None:
        """Close both ends."""
        self.socket.close()
        self._write.close()
