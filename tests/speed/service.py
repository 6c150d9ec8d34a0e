"""How fast the service is, as rows of ``make bench-speed``; by itself: ``python -m tests.speed.service``.

A render is instant where the store has it. Each round trip follows an echo of the same bytes by ZeroMQ without CURVE,
seals or jobs, to another process and back, in chunks of the same size, so that a busy machine slows both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import zmq

import segue
from segue.service.wire import chunk_of, submit_of
from segue_protocol import limits, messages
from tests.pools import RATE, endless, fill, song
from tests.renderers import Peer, RunningRenderer
from tests.songs import loop_song
from tests.speed.bench import Row, ratio, seconds_of

CLIENTS, ASKED = 100, 100
JOBS, WARM = 10_000, 1_000
LONG_SECONDS, LONG_RATE = 600, 96_000

ECHO = """
import sys, zmq
socket = zmq.Context().socket(zmq.ROUTER)
socket.bind(sys.argv[1])
print("ready", flush=True)
while True:
    socket.send_multipart(socket.recv_multipart(copy=False), copy=False)
"""


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
    """30 s of stereo at 44.1 kHz, answered from the store, over an echo of its audio."""
    audio = loop_song(RATE, 30.0)
    endpoint = f"ipc://{scratch}/echo.sock"
    other = subprocess.Popen([sys.executable, "-c", ECHO, endpoint], stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.connect(endpoint)
        raw = partial(echo, socket, audio)
        for what, remember in (("all audio sent", False), ("audio known by digest", True)):
            with segue.Client(renderer.file, remember=remember, patience=600.0) as client:
                again = partial(client.fill, audio, RATE, (14.0, 16.0), settings=segue.RenderSettings(steps=1))
                again()
                yield Row(f"30 s of stereo, instant render, {what}", 1000 * seconds_of(again), "ms")
                yield Row(f"over an echo without CURVE, {what}", ratio(again, raw), "x", 3.0)
        yield Row("the echo", 1000 * statistics.median(seconds_of(raw) for _ in range(9)), "ms")
    other.kill()
    other.wait()
    other.stdout.close()


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
    """The front's memory over many jobs, and while a long track passes."""
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
        asking = Peer(renderer.content)
        asking.send(submit_of(endless(), "running", 8, digests=False))
        asking.send_audio("running", song().samples, asking.await_(messages.Accepted))
        yield from long_rows(renderer)
        asking.close()


def long_rows(renderer: RunningRenderer) -> Iterator[Row]:
    """Ten minutes of stereo at 96 kHz: what either side holds beyond the audio, at the most."""
    audio = np.zeros((2, LONG_SECONDS * LONG_RATE), np.float32)
    audio += 0.1
    size, own = audio.nbytes / 2**20, psutil.Process()
    front_before, own_before = renderer.rss_mb, own.memory_info().rss / 2**20
    bytes_before = renderer.counts()["received_bytes_total"]
    front_most = own_most = received = 0.0
    with segue.Client(renderer.file, remember=False) as client, ThreadPoolExecutor(1) as thread:
        began = time.perf_counter()
        job = thread.submit(client.fill, audio, LONG_RATE, (300.0, 301.0))
        while received < size and not job.done():
            front_most = max(front_most, renderer.rss_mb - front_before - size)
            own_most = max(own_most, own.memory_info().rss / 2**20 - own_before)
            received = (renderer.counts()["received_bytes_total"] - bytes_before) / 2**20
        seconds = time.perf_counter() - began
        client.cancel()
        assert isinstance(job.exception(), segue.errors.Cancelled)
    yield Row("10 minutes of stereo at 96 kHz, sent", seconds, "s")
    yield Row("held by the front beyond them, at most", front_most, "MB", 64.0)
    yield Row("held by the client beyond them, at most", own_most, "MB", 64.0)


def rows() -> Iterator[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as folder:
        renderer = RunningRenderer(Path(folder), "--drain", "0")
        try:
            yield from round_trip_rows(renderer, Path(folder))
            yield from status_rows(renderer)
            yield from memory_rows(renderer)
        finally:
            renderer.kill()


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
