"""How long this process was kept waiting by others, so that a bound on time speaks of what is tested."""

from __future__ import annotations

import threading
import time

_LOOK, _USUAL = 0.01, 0.05


class Lag:
    """``seconds``: the time in which nothing of this process ran, while this was open, in stretches over 50 ms."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._over.wait(_LOOK):
            now = time.monotonic()
            if now - before > _USUAL:
                self.seconds += now - before
            before = now

    def __enter__(self) -> Lag:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
