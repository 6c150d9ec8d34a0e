"""Reads ahead, so that what has come can be taken in one piece: a pipe gives 64 KiB at once, a network wants more."""

from __future__ import annotations

import os
import threading
from typing import IO

BLOCK = 4 << 20
"""Bytes read ahead, and so taken at once."""


class Pump(threading.Thread):
    """Reads a pipe until its end, and waits where nobody takes what it has read."""

    def __init__(self, pipe: IO[bytes]) -> None:
        """``pipe``: of which nothing was read yet."""
        super().__init__(name="segue-pump", daemon=True)
        self._pipe = pipe
        self._changed = threading.Condition()
        self._held = bytearray()
        self._ended = False

    def take(self) -> bytes:
        """All that has come, waited for; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._ended)
            taken = bytes(self._held)
            self._held.clear()
            self._changed.notify_all()
            return taken

    def run(self) -> None:
        """The thread."""
        while block := self._read():
            with self._changed:
                self._changed.wait_for(lambda: len(self._held) < BLOCK)
                self._held += block
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read(self) -> bytes:
        try:
            return os.read(self._pipe.fileno(), 1 << 16)
        except OSError:
            return b""
