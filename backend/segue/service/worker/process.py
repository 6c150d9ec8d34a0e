"""A render process as its pool sees it: started, written to without waiting, heard, and ended for certain."""

from __future__ import annotations

import logging
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedIOBase

from segue.service.settings import Device, StorePlace
from segue.service.worker.frames import Frame, frame, read_frame, write_frame

_INBOX = 64  # frames not yet handled: beyond them the process waits
WORDS = 20
"""Last lines of stderr that are kept, to say why a process died."""

WORDS_LENGTH = 300
"""Most that is told of the last one."""

_log = logging.getLogger(__name__)


class RenderProcess:
    """One process and three threads that end with it: they read its frames, write ours, and read its stderr."""

    def __init__(self, device: Device, store: StorePlace | None) -> None:
        """Start it; it says "ready" or "unfit".

        Raises:
            OSError: the system cannot start a process.
        """
        self._process = subprocess.Popen(
            device.command(store),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tempfile.gettempdir(),
            start_new_session=True,  # Ctrl-C is for the pool, which then closes it
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )
        self.heard = time.monotonic()
        self._inbox: queue.Queue[Frame | None] = queue.Queue(_INBOX)
        self._outbox: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=WORDS)
        self._threads = [
            threading.Thread(target=work, name=f"segue-{device.name}-{work.__name__.strip('_')}", daemon=True)
            for work in (self._read, self._write, self._listen)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs; a stopped one does."""
        return self._process.poll() is None

    @property
    def silence(self) -> float:
        """Seconds since it was last heard."""
        return time.monotonic() - self.heard

    def send(self, sent: Frame) -> None:
        """Send as soon as it can be read; never waits."""
        self._outbox.put(sent)

    def receive(self, timeout: float) -> Frame | None:
        """The next frame but "alive"; None where none came within ``timeout`` seconds, or :meth:`wake` was called.

        Raises:
            EOFError: it has ended.
        """
        try:
            received = self._inbox.get(timeout=timeout)
        except queue.Empty:
            return None
        if received is not None and received.say == "ended":
            raise EOFError("the process has ended")
        return received

    def wake(self) -> None:
        """Make :meth:`receive` return soon; may be called on any thread."""
        with suppress(queue.Full):  # there is something to return with
            self._inbox.put_nowait(None)

    def end(self) -> str:
        """Kill it where it still runs; how it ended, and its last words."""
        self._process.kill()
        code = self._process.wait()
        self._outbox.put(None)
        while any(thread.is_alive() for thread in self._threads):
            with suppress(queue.Empty):  # the reader may wait for room
                while True:
                    self._inbox.get_nowait()
            for thread in self._threads:
                thread.join(0.05)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            with suppress(OSError):
                stream.close()
        return ending(code, self._words)

    def _read(self) -> None:
        assert isinstance(self._process.stdout, BufferedIOBase)
        while True:
            try:
                received = read_frame(self._process.stdout)
            except (OSError, EOFError, ValueError) as error:
                _log.debug("pipe of process %d: %s", self.pid, error)
                received = None
            if received is None:
                self._inbox.put(frame("ended"))
                return
            self.heard = time.monotonic()
            if received.say != "alive":
                self._inbox.put(received)

    def _write(self) -> None:
        assert isinstance(self._process.stdin, BufferedIOBase)
        while (sent := self._outbox.get()) is not None:
            try:
                write_frame(self._process.stdin, sent)
            except OSError:  # it has ended, as the reader will see
                return

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            self._words.append(text)
            _log.info("process %d: %s", self.pid, text)


def ending(code: int, words: Sequence[str]) -> str:
    """How a process ended, by the code that :mod:`subprocess` gives, and the last of its words."""
    last = next((line for line in reversed(words) if line.strip()), "")
    return _end(code) + (f"; its last words: {last.strip()[:WORDS_LENGTH]}" if last else "")


def _end(code: int) -> str:
    if code >= 0:
        return f"ended with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    hint = ", as the system does where memory runs out" if name == "SIGKILL" else ""
    return f"was ended by signal {-code} ({name}{hint})"
