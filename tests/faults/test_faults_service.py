"""Faults of a live renderer and of its clients."""

from __future__ import annotations

import json
import os
import signal
import statistics
import time
from collections import Counter
from pathlib import Path

import pytest
import zmq

import segue
from segue.client import ServiceError
from segue_protocol import limits, messages
from tests.lag import Lag
from tests.pools import RATE, endless, song
from tests.renderers import Peer, RunningRenderer, impatient_renderer, shared_renderer, submit, until

ENDLESS = segue.RenderSettings(steps=1000)


def answers(peer: Peer) -> bool:
    peer.send(messages.Ping(token=7))
    return peer.await_(messages.Pong, 20.0).token == 7


def test_fault_01_without_a_renderer_a_client_is_told_at_once_what_to_do(tmp_path: Path) -> None:
    client, audio = segue.Client(tmp_path / "c.json"), song().samples
    began = time.monotonic()
    with pytest.raises(ServiceError, match="segue serve") as caught:
        client.fill(audio, RATE, (5.0, 6.0))
    assert caught.value.code == "CONNECTION"
    assert time.monotonic() - began < 1.0


def test_fault_02_a_renderer_killed_in_mid_job_fails_the_job_within_3_s_and_its_successor_sends_nothing_stale(
    tmp_path: Path,
) -> None:
    renderer = RunningRenderer(tmp_path)
    with Peer(renderer.content) as peer, segue.Client(renderer.file) as client:
        peer.send(submit("old", endless()))
        peer.send_audio("old", song().samples, peer.await_(messages.Accepted))
        began: list[float] = []

        def kill(_: segue.Progress) -> None:
            began.append(time.monotonic())
            renderer.kill()

        with Lag() as lag, pytest.raises(ServiceError) as caught:
            client.fill(song().samples, RATE, (5.0, 6.0), settings=ENDLESS, callback=kill)
        assert caught.value.code == "LOST"
        assert time.monotonic() - began[0] - lag.seconds < 3.0
        while peer.receive(0.2) is not None:  # what was on its way
            pass
        again = RunningRenderer(tmp_path)  # at the same place, with the same keys: the socket connects by itself
        try:
            peer.send(messages.Ping(token=1))  # of the old session: the successor does not know it
            assert peer.silent(1.0)
            peer.greet()
            assert answers(peer)
            assert client.status().jobs == ()
        finally:
            again.kill()


def test_fault_03_a_stopped_renderer_is_known_within_3_s_and_found_again_when_it_goes_on() -> None:
    renderer = shared_renderer()
    with segue.Client(renderer.file) as client:
        began: list[float] = []

        def stop(_: segue.Progress) -> None:
            if not began:
                os.kill(renderer.process.pid, signal.SIGSTOP)
                began.append(time.monotonic())

        try:
            with Lag() as lag, pytest.raises(ServiceError) as caught:
                client.fill(song().samples, RATE, (5.0, 6.0), settings=ENDLESS, callback=stop)
            lost = time.monotonic() - began[0]
        finally:
            os.kill(renderer.process.pid, signal.SIGCONT)
        assert caught.value.code == "LOST"
        assert lost - lag.seconds < 3.0
        assert until(lambda: client.status().jobs == ())


def refusals(renderer: RunningRenderer) -> list[str]:
    """Why connections were refused, by each line of the log that says so."""
    lines = [json.loads(line)["message"] for line in renderer.log.read_text().splitlines()]
    told = (line.partition(": ") for line in lines if line.startswith("refused a connection"))
    return [reason.partition(" (")[0] for _, _, reason in told]


def test_fault_13_clients_with_no_wrong_or_plain_keys_never_get_in_and_are_logged_once_a_minute() -> None:
    renderer = shared_renderer()
    content, before, said = renderer.content, renderer.counts(), len(refusals(renderer))
    began = time.monotonic()
    public, secret = zmq.curve_keypair()
    context = zmq.Context()

    def refused() -> dict[str, float]:
        counts = renderer.counts()
        names = (name for name in counts if name.startswith("connections_refused"))
        return {name: counts[name] - before.get(name, 0.0) for name in names}

    def knock(kind: str) -> None:
        told = sum(refused().values())
        with context.socket(zmq.DEALER) as dealer:
            dealer.linger = 0
            if kind == "plain":
                dealer.plain_username, dealer.plain_password = b"segue", b"segue"
            elif kind != "none":
                dealer.curve_publickey, dealer.curve_secretkey = public, secret
                server = public if kind == "wrong renderer" else content.server_public_key.encode()
                dealer.curve_serverkey = server
            dealer.connect(content.endpoint)
            dealer.send_multipart([b"\0" * 40, b"\x81"], zmq.NOBLOCK)
            assert until(lambda: sum(refused().values()) > told), kind
            assert not dealer.poll(100), "nobody answers a stranger"

    for _ in range(5):
        for kind in ("none", "plain", "unknown", "wrong renderer"):
            knock(kind)
    context.term()
    assert sum(count > 0 for count in refused().values()) >= 3
    assert sum(refused().values()) >= 20
    counts = renderer.counts()
    assert counts["sessions_total"] == before["sessions_total"]
    dropped = [name for name in counts if name.startswith("messages_dropped")]
    assert all(counts[name] == before.get(name, 0.0) for name in dropped), "no byte of theirs was parsed"
    lines = Counter(refusals(renderer)[said:])
    most = 1 + int(time.monotonic() - began) // 60
    assert all(count <= most for count in lines.values()), lines
    with Peer(content) as peer:
        assert answers(peer)


def test_fault_17_a_frame_over_the_cap_ends_that_connection_with_memory_flat() -> None:
    renderer = impatient_renderer()
    with Peer(renderer.content) as other:
        huge = bytes(64 << 20)
        before = 0.0
        for turn in range(8):
            with Peer(renderer.content) as peer:
                peer.raw([*peer.sealed(b"\x80"), huge])
                assert peer.silent(0.2)
            if turn == 1:
                before = renderer.rss_mb
        assert until(lambda: renderer.counts()["clients"] == 1)
        assert until(lambda: renderer.rss_mb < before + 8)
        assert answers(other)
        other.send(messages.Ping(token=1))
    assert len(huge) > limits.SOCKET_MAX_FRAME_BYTES


def test_fault_22_a_hundred_requests_on_a_queue_of_four_are_answered_at_once_and_the_counts_reconcile() -> None:
    renderer = shared_renderer()
    before = renderer.counts()
    with Peer(renderer.content) as peer:
        for number in range(100):
            peer.send(submit(f"job-{number}"))
        began = time.monotonic()
        got = [peer.await_((messages.Accepted, messages.Busy), 20.0) for _ in range(100)]
        assert time.monotonic() - began < 5.0
        accepted = [one.job for one in got if isinstance(one, messages.Accepted)]
        assert len(accepted) == 4
        waits = [one.retry_after for one in got if isinstance(one, messages.Busy)]
        assert all(0.0 < wait <= 60.0 for wait in waits)
        for name in accepted:
            peer.send(messages.Cancel(job=name, generation=0))
            assert isinstance(peer.final(name, 20.0), messages.Cancelled)
    after = renderer.counts()
    assert after["jobs_accepted_total"] - before["jobs_accepted_total"] == 4
    assert after["jobs_busy_total"] - before["jobs_busy_total"] == 96
    cancelled = 'jobs_ended_total{final="CANCELLED"}'
    assert after[cancelled] - before.get(cancelled, 0.0) == 4


def test_fault_23_a_client_that_stops_reading_is_given_up_and_the_others_do_not_notice() -> None:
    renderer = impatient_renderer()
    before = renderer.counts()["clients_evicted_total"]
    memory = renderer.rss_mb
    with Peer(renderer.content) as other, Peer(renderer.content, small_buffers=True) as deaf:
        times = []
        for _ in range(60):
            for _ in range(200):
                deaf.send(messages.Status())
            began = time.perf_counter()
            assert answers(other)
            times.append(time.perf_counter() - began)
        assert until(lambda: renderer.counts()["clients_evicted_total"] == before + 1)
        assert statistics.median(times) < 1.0
        assert until(lambda: renderer.rss_mb < memory + 40)
        assert answers(other)
