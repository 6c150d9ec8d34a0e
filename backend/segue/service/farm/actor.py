"""What runs on a node of a farm: a render process like any other, whose pipes are reached through Ray.

Bytes alone pass, which Ray hands over as they are; nothing of a job is pickled. This module knows nothing of Ray, and
is found on the node by its name: Segue must be installed there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections import deque

from segue.clip.recipe import running_versions
from segue.service.farm.pump import Pump
from segue.service.settings import module_command
from segue.service.worker.process import WORDS, ending


class Host:
    """One render process; :meth:`begin` it first. Of :meth:`write` and of :meth:`read`, one call at a time."""

    def here(self) -> None:
        """Do nothing: who hears of it knows that the actor runs."""

    def begin(self, version: str, given: str) -> str:
        """Start the process; why not, where the renderer's ``version`` is another one. ``given``: see its main."""
        own = running_versions()["segue"]
        if own != version:
            return f"expected Segue {version} as on the renderer, there is {own}: install the same on every node"
        self._process = subprocess.Popen(
            module_command("segue.service.worker.child", json.loads(given)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tempfile.gettempdir(),
        )
        assert self._process.stdout is not None
        self._pump = Pump(self._process.stdout)
        self._words: deque[str] = deque(maxlen=WORDS)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._pump.start()
        self._listener.start()
        return ""

    def write(self, block: bytes) -> None:
        """To its stdin; what is written to a process that has ended is lost, as the reader will see."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(block)
            self._process.stdin.flush()
        except OSError:
            return

    def read(self) -> bytes:
        """What has come from its stdout, waited for; empty at its end."""
        return self._pump.take()

    def ending(self) -> str:
        """How it ended, once :meth:`read` has come to the end."""
        code = self._process.wait()
        self._listener.join()
        return ending(code, self._words)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            self._words.append(text)
            print(text, file=sys.stderr, flush=True)  # Ray keeps it with the actor's log
