"""How fast the service is, as rows of ``make bench-speed``; by itself: ``python -m tests.speed.service``.

A render is instant where the store has it. Each round trip follows an echo of the same bytes by ZeroMQ without CURVE,
seals or jobs, to another process and back, in chunks of the same size, so that a busy machine slows both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import zmq

import segue
from segue.service.wire import chunk_of, submit_of
from segue_protocol import limits, messages
from tests.pools import RATE, endless, fill, song
from tests.renderers import Peer, RunningRenderer
from tests.songs import loop_song
from tests.speed.rows import Row, ratio, seconds_of

CLIENTS, ASKED = 100, 100
JOBS, WARM = 10_000, 1_000
LONG_SECONDS, LONG_RATE = 600, 96_000

ECHO = """
import sys, zmq
socket = zmq.Context().socket(zmq.ROUTER)
if len(sys.argv) > 2:
    socket.curve_server, socket.curve_secretkey = True, sys.argv[2].encode()
socket.bind(sys.argv[1])
print("ready", flush=True)
while True:
    socket.send_multipart(socket.recv_multipart(copy=False), copy=False)
"""


@contextmanager
def echoing(endpoint: str, *, curve: bool) -> Iterator[zmq.Socket[bytes]]:
    """A socket to another process that sends back what it gets."""
    public, secret = zmq.curve_keypair()
    command = [sys.executable, "-c", ECHO, endpoint, *([secret.decode()] if curve else [])]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as other,
        zmq.Context() as context,
        context.socket(zmq.DEALER) as socket,
    ):
        assert other.stdout is not None
        other.stdout.readline()
        if curve:
            socket.curve_serverkey = public
            socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
        socket.connect(endpoint)
        yield socket
        other.kill()


def echo(socket: zmq.Socket[bytes], audio: np.ndarray) -> None:
    """The audio there and back, in chunks, as far ahead as a client's credit goes."""
    size = limits.MAX_PAYLOAD_BYTES // (4 * len(audio))
    offsets = list(range(0, audio.shape[1], size))
    for number, offset in enumerate(offsets):
        socket.send(chunk_of(audio, offset, size), copy=False)
        if number >= 8:
            socket.recv(copy=False)
    for _ in offsets[-8:]:
        socket.recv(copy=False)


def round_trip_rows(renderer: RunningRenderer, scratch: Path) -> Iterator[Row]:
    """30 s of stereo at 44.1 kHz, answered from the store, over an echo of its audio.

    The limit is for a job that was rendered before, which is what makes a render instant: its audio is known. Sending
    it anew costs two seals and CURVE, which alone is more than the limit; its own row says how much.
    """
    audio = loop_song(RATE, 30.0)
    with (
        echoing(f"ipc://{scratch}/plain.sock", curve=False) as plain,
        echoing(f"ipc://{scratch}/curve.sock", curve=True) as curve,
    ):
        raw = partial(echo, plain, audio)
        for what, remember, limit in (("audio known by digest", True, 3.0), ("all audio sent anew", False, None)):
            with segue.Client(renderer.file, remember=remember, patience=600.0) as client:
                again = partial(client.fill, audio, RATE, (14.0, 16.0), settings=segue.RenderSettings(steps=1))
                again()
                yield Row(f"30 s of stereo, instant render, {what}", 1000 * seconds_of(again), "ms")
                yield Row(f"over an echo without CURVE, {what}", ratio(again, raw), "x", limit)
        yield Row("an echo with CURVE over one without", ratio(partial(echo, curve, audio), raw), "x")
        yield Row("the echo without CURVE", 1000 * statistics.median(seconds_of(raw) for _ in range(9)), "ms")


def status_rows(renderer: RunningRenderer) -> Iterator[Row]:
    """Requests while a render runs and clients wait."""
    with Peer(renderer.content) as asking, ThreadPoolExecutor(20) as threads:
        asking.send(submit_of(endless(), "running", 8, digests=False))
        asking.send_audio("running", song().samples, asking.await_(messages.Accepted))
        while asking.await_(messages.Progress).stage != "sample":
            pass
        waiting = list(threads.map(lambda _: Peer(renderer.content), range(CLIENTS)))
        for peer in waiting:
            peer.submit("waiting")
        times = []
        for _ in range(ASKED):
            began = time.perf_counter()
            asking.send(messages.Status())
            asking.await_(messages.StatusReply)
            times.append(1000 * (time.perf_counter() - began))
            time.sleep(0.01)
        asking.send(messages.Cancel(job="running", generation=0))
        asking.final("running")
        list(threads.map(Peer.close, waiting))
    yield Row(f"status while a render runs and {CLIENTS} clients wait, median", statistics.median(times), "ms", 100.0)
    yield Row("the slowest of 100", max(times), "ms", 100.0)


def memory_rows(renderer: RunningRenderer) -> Iterator[Row]:
    """The front's memory over many jobs."""
    with Peer(renderer.content) as peer:
        for number in range(JOBS):
            peer.send(submit_of(fill(), f"job-{number}", 1000))
            accepted = peer.await_(messages.Accepted)
            if accepted.needs:
                peer.send_audio(accepted.job, song().samples, accepted)
            assert isinstance(peer.final(accepted.job), messages.Result)
            if number == WARM:
                warm = renderer.rss_mb
        yield Row(f"the front's growth over jobs {WARM} to {JOBS}", renderer.rss_mb - warm, "MB", 8.0)


class Peak:
    """The most memory that processes have held since this was made, by Linux's own count."""

    def __init__(self, *pids: int) -> None:
        for pid in pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._before = {pid: self._most(pid) for pid in pids}

    def growth(self, pid: int) -> float:
        """MiB over what it held at first."""
        return self._most(pid) - self._before[pid]

    @staticmethod
    def _most(pid: int) -> float:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def long_rows(renderer: RunningRenderer) -> Iterator[Row]:
    """Ten minutes of stereo at 96 kHz there, and a gap of it back: what either side holds beyond the audio.

    The renderer's is the audio once; the client's, which holds it from the start, the filled copy that it gives back.
    """
    audio = np.tile(loop_song(LONG_RATE, 60.0), LONG_SECONDS // 60)
    size, front, own = audio.nbytes / 2**20, renderer.process.pid, os.getpid()
    with segue.Client(renderer.file, remember=False) as client:
        client.status()
        peak = Peak(front, own)
        began = time.perf_counter()
        client.fill(audio, LONG_RATE, (300.0, 301.0), settings=segue.RenderSettings(steps=1, method="splice"))
        seconds = time.perf_counter() - began
    yield Row("10 minutes of stereo at 96 kHz, there, rendered and back", seconds, "s")
    yield Row("held by the front beyond them, at most", peak.growth(front) - size, "MB", 64.0)
    yield Row("held by the client beyond them, at most", peak.growth(own) - size, "MB", 64.0)


def rows() -> Iterator[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as folder:
        renderer = RunningRenderer(Path(folder), "--drain", "0")
        try:
            yield from round_trip_rows(renderer, Path(folder))
            yield from status_rows(renderer)
            yield from memory_rows(renderer)
            yield from long_rows(renderer)
        finally:
            renderer.kill()


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
