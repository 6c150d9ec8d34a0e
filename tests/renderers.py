"""Live renderers, started as ``segue serve``, and a client that speaks the protocol and nothing more."""

from __future__ import annotations

import atexit
import functools
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil
import zmq

from segue.service.jobs import Job
from segue.service.wire import chunk_of, submit_of
from segue_protocol import limits
from segue_protocol.codec import Frame, Received, pack, parse
from segue_protocol.connection_file import ConnectionFile, read_connection_file
from segue_protocol.errors import ProtocolError
from segue_protocol.messages import (
    FINAL,
    Accepted,
    Busy,
    Chunk,
    Credit,
    Error,
    Hello,
    JobMessage,
    Message,
    Ping,
    Pong,
    Sender,
    Submit,
    Welcome,
)
from segue_protocol.session import handshake_key, seal, session_key, unseal
from tests.pools import PATIENCE, fill

M = TypeVar("M", bound=Message)
KEPT_ALIVE = Pong(token=limits.MAX_COUNT)
"""What answers the pings that a :class:`Peer` sends by itself."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _absolute_path() -> dict[str, str]:
    """PYTHONPATH, where it is set, for a process in another folder."""
    path = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, path.split(os.pathsep)))} if path else {}


class RunningRenderer:
    """A ``segue serve`` process; its connection file is there once this is made. ``within``: a command that runs it.

    It runs in an empty folder of its own.
    """

    def __init__(self, folder: Path, *options: str, within: Sequence[str] = ()) -> None:
        self.folder, self.file = folder, folder / "c.json"
        self.log = folder / f"log-{secrets.token_hex(4)}"
        self._metrics = free_port()
        given = ["--connection-file", str(self.file), "--keys", str(folder / "keys"), "--store", str(folder / "store")]
        given += ["--threads", "1", "--metrics", str(self._metrics), *options]
        works_in = folder / "works-in"
        works_in.mkdir(exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*within, sys.executable, "-m", "segue.cli.main", "serve", *given],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": "1", **_absolute_path()},
                cwd=works_in,
            )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline().decode()
        assert "ready" in self.line, self.log.read_text()
        atexit.register(self.kill)

    @property
    def content(self) -> ConnectionFile:
        return read_connection_file(self.file)

    @property
    def rss_mb(self) -> float:
        """Resident memory of the front alone."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20

    def counts(self) -> dict[str, float]:
        """All metrics by name, as ``segue_jobs_ended_total{final="RESULT"}``, the front's ``segue_`` left out."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {re.sub("^segue_", "", name): float(value) for name, value in pairs}

    def stop(self, number: int = signal.SIGTERM, timeout: float = 60.0) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout)
        self._close()
        return code

    def kill(self) -> None:
        """Whatever it does; a stopped one too."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()


_scratch = tempfile.TemporaryDirectory(prefix="segue-")


@functools.cache
def shared_renderer() -> RunningRenderer:
    """One for all tests that leave it as it was; its queue has four places, and it waits a minute for what hangs."""
    return RunningRenderer(_folder("shared"), "--queue", "4", "--stall", "60", "--drain", "0")


@functools.cache
def impatient_renderer() -> RunningRenderer:
    """As :func:`shared_renderer`, for tests of what hangs: it gives that up after 3 s.

    Nothing is rendered on it: its memory is that of connections alone.
    """
    made = RunningRenderer(_folder("impatient"), "--queue", "4", "--stall", "3", "--drain", "0")
    assert until(lambda: made.counts()['device_up{device="cpu"}'] == 1.0, PATIENCE)
    return made


def _folder(name: str) -> Path:
    made = Path(_scratch.name) / name
    made.mkdir()
    return made


def submit(name: str, job: Job | None = None, credits_: int = 8, **changed: object) -> Submit:
    """SUBMIT of a quick job, or of another; ``changed``: its fields. Without digests: all audio is to be sent."""
    made = submit_of(job or fill(), name, credits_, digests=False)
    return Submit.model_validate({**made.model_dump(), **changed})


class Peer:
    """A client by hand: any frames, honest or not, may be sent; what comes back is checked as a client must."""

    def __init__(self, content: ConnectionFile, *, greet: bool = True, small_buffers: bool = False) -> None:
        self.secret = content.secret_bytes
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.sndhwm = 0
        if small_buffers:
            self.socket.rcvhwm, self.socket.rcvbuf = 1, 4096
        self.socket.curve_serverkey = content.server_public_key.encode()
        self.socket.curve_publickey = content.client_public_key.encode()
        self.socket.curve_secretkey = content.client_secret_key.encode()
        self.socket.connect(content.endpoint)
        self.key = b""
        self.sent = self.received = 0
        self._pinged = time.monotonic()
        self.finals: dict[str, JobMessage] = {}
        if greet:
            self.greet()

    def greet(self) -> Welcome:
        nonce = secrets.token_bytes(limits.NONCE_BYTES)
        self.raw(seal(handshake_key(self.secret), Sender.CLIENT, 0, pack(Hello(nonce=nonce, client="test 1"))))
        frames = self._handshake_frames()
        welcome = parse(frames[1:], Sender.RENDERER).message
        assert isinstance(welcome, Welcome), welcome
        assert welcome.client_nonce == nonce
        self.key = session_key(self.secret, nonce, welcome.nonce)
        self.sent = self.received = 0
        return welcome

    def _handshake_frames(self) -> list[bytes]:
        """What answers HELLO; before it, messages of the session that ends may come."""
        while (frames := self.frames(10.0)) is not None:
            try:
                unseal(handshake_key(self.secret), Sender.RENDERER, frames)
            except ProtocolError:
                continue
            return frames
        raise AssertionError("no answer to HELLO")

    # ---- out ----------------------------------------------------------------------------------------------------

    def raw(self, frames: list[Frame]) -> None:
        self.socket.send_multipart(frames)

    def sealed(self, *frames: Frame) -> list[Frame]:
        """Frames of any content as the next message of the session, not yet sent."""
        return seal(self.key, Sender.CLIENT, self.sent, frames)

    def put(self, *frames: Frame) -> None:
        self.raw(self.sealed(*frames))
        self.sent += 1

    def send(self, message: Message, payload: Frame = b"") -> None:
        self.put(*pack(message, payload))

    # ---- in -----------------------------------------------------------------------------------------------------

    def frames(self, timeout: float) -> list[bytes] | None:
        return self.socket.recv_multipart() if self.socket.poll(int(1000 * timeout)) else None

    def receive(self, timeout: float) -> Received | None:
        """The next message; the session is kept alive while none comes, as the protocol asks."""
        end = time.monotonic() + timeout
        while True:
            frames = self.frames(min(1.0, max(0.0, end - time.monotonic())))
            received = None if frames is None else self._open(frames)
            if received is not None and received.message != KEPT_ALIVE:
                return received
            if received is None and time.monotonic() >= end:
                return None
            if time.monotonic() - self._pinged >= 1.0:
                self._pinged = time.monotonic()
                self.send(Ping(token=KEPT_ALIVE.token))

    def _open(self, frames: list[bytes]) -> Received:
        number = unseal(self.key, Sender.RENDERER, frames)
        assert number == self.received, f"message {number} instead of {self.received}"
        self.received += 1
        received = parse(frames[1:], Sender.RENDERER)
        if isinstance(received.message, FINAL):
            assert received.message.job not in self.finals, "a job has one final message"
            self.finals[received.message.job] = received.message
        return received

    def await_(self, kind: type[M] | tuple[type[M], ...], timeout: float = PATIENCE) -> M:
        """The next message of a kind; others are left out."""
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            got = self.receive(left)
            if got is not None and isinstance(got.message, kind):
                return got.message
        raise AssertionError(f"no {kind} within {timeout:g} s")

    def silent(self, seconds: float) -> bool:
        """Whether nothing comes but what answers the pings of :meth:`receive`."""
        end = time.monotonic() + seconds
        while (frames := self.frames(max(0.0, end - time.monotonic()))) is not None:
            try:
                received = self._open(frames)
            except ProtocolError:
                return False
            if received.message != KEPT_ALIVE:
                return False
        return True

    # ---- jobs ---------------------------------------------------------------------------------------------------

    def submit(self, name: str, **changed: object) -> Accepted | Busy | Error:
        """A quick job; ``changed``: fields of its SUBMIT."""
        self.send(submit(name, **changed))
        return self.await_((Accepted, Busy, Error), 20.0)

    def send_audio(self, name: str, audio: np.ndarray, accepted: Accepted) -> None:
        """All of stream 0, as credit allows."""
        left, size = accepted.credits, limits.MAX_PAYLOAD_BYTES // (4 * len(audio))
        for offset in range(0, audio.shape[1], size):
            if left == 0:
                left += self.await_(Credit).chunks
            payload = chunk_of(audio, offset, size)
            samples = len(payload) // (4 * len(audio))
            about = {"job": name, "generation": accepted.generation, "stream": 0, "channels": len(audio)}
            self.send(Chunk(**about, offset=offset, samples=samples), payload)
            left -= 1

    def final(self, name: str, timeout: float = PATIENCE) -> JobMessage:
        """The final message of a job, which may have come before; its name may then be used again."""
        until = time.monotonic() + timeout
        while name not in self.finals:
            left = until - time.monotonic()
            assert left > 0, f"no final message of {name} within {timeout:g} s"
            self.receive(left)
        return self.finals.pop(name)

    def close(self) -> None:
        self.socket.close()
        self.context.term()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
