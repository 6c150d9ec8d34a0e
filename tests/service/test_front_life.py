"""A renderer's life as its clients see it: start, stop, death, another address."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import segue
from segue.cli.serve import check_free
from segue.client import ServiceError
from segue.errors import InvalidRequest
from segue_protocol import connection_file, messages
from segue_protocol.connection_file import read_connection_file
from segue_protocol.errors import ProtocolError
from tests.lag import Lag
from tests.pools import RATE, endless, song
from tests.renderers import Peer, RunningRenderer, free_port, impatient_renderer, shared_renderer, submit, until

ENDLESS = segue.RenderSettings(steps=1000)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "segue.cli.main", *words], capture_output=True, text=True, check=False)


def test_ready_is_one_line_and_the_files_are_for_the_user_alone() -> None:
    renderer = shared_renderer()
    assert renderer.line.count("\n") == 1
    assert renderer.content.endpoint in renderer.line
    for path in (renderer.file, *(renderer.folder / "keys").rglob("*.json"), Path(renderer.content.endpoint[6:])):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_second_renderer_in_the_same_place_is_refused_and_the_first_one_stays() -> None:
    renderer = shared_renderer()
    refused = command("serve", "--connection-file", str(renderer.file), "--keys", str(renderer.folder / "keys"))
    assert refused.returncode == 2
    assert str(renderer.process.pid) in refused.stderr
    with segue.Client(renderer.file) as client:
        assert client.status().devices


def test_where_the_system_does_not_tell_when_a_process_began_the_place_is_taken_if_a_renderer_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = shared_renderer().content.model_copy(update={"started": ""})
    monkeypatch.setattr(connection_file, "started_of", lambda pid: "")  # as outside Linux
    connection_file.write_connection_file(tmp_path / "lives.json", lives)
    with pytest.raises(InvalidRequest, match=f"process {lives.pid}.*already serves"):
        check_free(tmp_path / "lives.json")
    number_used_again = {"pid": os.getpid(), "endpoint": f"ipc://{tmp_path}/none.sock"}
    connection_file.write_connection_file(tmp_path / "crashed.json", lives.model_copy(update=number_used_again))
    check_free(tmp_path / "crashed.json")


def test_where_metrics_cannot_be_served_it_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "run" / "c.json"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = ["--connection-file", str(file), "--keys", str(tmp_path / "keys"), "--no-store", "--metrics", port]
        refused = command("serve", *given)
    assert refused.returncode != 0
    assert f"cannot serve metrics on port {port}" in refused.stderr
    assert "ready" not in refused.stdout
    assert not file.parent.exists() or list(file.parent.iterdir()) == []


@pytest.mark.parametrize(
    "given", [["--metrics", "70000"], ["--bind", "tcp://127.0.0.1:99999"], ["--advertise", "tcp://studio:99999"]]
)
def test_a_port_that_cannot_be_is_refused_not_taken_for_another(tmp_path: Path, given: list[str]) -> None:
    """ZeroMQ alone would take 99999 for 34463."""
    own = ["--connection-file", str(tmp_path / "c.json"), "--keys", str(tmp_path / "keys"), "--no-store"]
    refused = command("serve", *own, *given)
    assert refused.returncode == 2
    assert "expected a port of" in refused.stderr
    assert not (tmp_path / "c.json").exists()


def test_status_tells_devices_queue_and_bundles_in_text_and_json() -> None:
    told = command("status", "--connection-file", str(shared_renderer().file), "--json")
    reply = json.loads(told.stdout)
    assert reply["devices"][0]["name"] == "cpu"
    assert reply["max_jobs"] == 4
    assert reply["bundles"][0]["name"] == "embedded"


def test_a_client_on_another_address_renders_with_a_key_of_its_own_until_that_is_removed(tmp_path: Path) -> None:
    """Two loopback addresses: the renderer on 127.0.0.2, which a client that calls from 127.0.0.1 must be told of."""
    renderer = RunningRenderer(tmp_path, "--bind", f"tcp://127.0.0.2:{free_port()}", "--drain", "0")
    try:
        folder, copied = ["--keys", str(tmp_path / "keys")], tmp_path / "studio-b.json"
        added = command(
            "keys", "add", "studio-b", "--out", str(copied), "--connection-file", str(renderer.file), *folder
        )
        assert added.returncode == 0, added.stderr
        assert read_connection_file(copied).client_public_key != renderer.content.client_public_key
        with segue.Client(copied) as client:
            assert client.status().clients == 1
            assert "127.0.0.2" in renderer.content.endpoint
            quickest = segue.RenderSettings(steps=1, method="splice")
            filled = client.fill(song().samples, RATE, (5.0, 6.0), settings=quickest)
            assert np.array_equal(filled.audio[:, : 5 * RATE], song().samples[:, : 5 * RATE])
            assert np.abs(filled.audio[:, 5 * RATE : 6 * RATE]).max() > 0.01
        assert command("keys", "remove", "studio-b", *folder).returncode == 0
        with pytest.raises(ServiceError, match="segue keys add") as caught:
            segue.Client(copied).status()
        assert caught.value.code == "CONNECTION"
    finally:
        renderer.kill()


def test_a_damaged_key_file_ends_neither_the_renderer_nor_the_other_clients(tmp_path: Path) -> None:
    renderer = RunningRenderer(tmp_path, "--drain", "0")
    try:
        with Peer(renderer.content) as connected:
            damaged = tmp_path / "keys" / "clients" / "studio-b.json"
            damaged.write_text("{}")
            damaged.chmod(0o600)
            with segue.Client(renderer.file) as other:
                assert other.status().devices
            connected.send(messages.Goodbye())
            connected.greet()  # its keys are looked up anew
            connected.send(messages.Ping(token=1))
            assert connected.await_(messages.Pong).token == 1
        assert renderer.process.poll() is None
        assert renderer.log.read_text().count("studio-b is locked out") == 1
    finally:
        renderer.kill()


def test_killed_in_mid_job_is_known_within_3_s_and_the_next_renderer_is_found(tmp_path: Path) -> None:
    renderer = RunningRenderer(tmp_path)
    copied = tmp_path / "copied.json"
    copied.write_bytes(renderer.file.read_bytes())
    copied.chmod(0o600)
    killed = 0.0

    def kill(progress: segue.Progress) -> None:
        nonlocal killed
        killed = time.monotonic()
        renderer.kill()

    with segue.Client(renderer.file) as client:
        with Lag() as lag, pytest.raises(ServiceError) as caught:
            client.fill(song().samples, RATE, (5.0, 6.0), settings=ENDLESS, callback=kill)
        assert caught.value.code == "LOST"
        assert time.monotonic() - killed - lag.seconds < 3.0
        with pytest.raises(ServiceError, match="is gone") as stale:
            client.status()
        assert stale.value.code == "CONNECTION"
        again = RunningRenderer(tmp_path, "--drain", "0")
        try:
            assert client.status().devices
            with pytest.raises(ProtocolError):  # on this machine a copy of the old file is known to be stale
                read_connection_file(copied)
        finally:
            again.kill()


def test_shutdown_fails_what_does_not_finish_in_time_says_goodbye_and_cleans_up(tmp_path: Path) -> None:
    renderer = RunningRenderer(tmp_path, "--drain", "1")
    with Peer(renderer.content) as peer:
        peer.send(submit("a", endless()))
        peer.send_audio("a", song().samples, peer.await_(messages.Accepted))
        peer.send(submit("b", endless(), streams=submit("b").streams[:1]))
        peer.await_(messages.Accepted)
        codes: list[int] = []
        stopping = threading.Thread(target=lambda: codes.append(renderer.stop()))
        stopping.start()
        assert until(lambda: "stopped by SIGTERM" in _refusal(peer))
        finals = [peer.final(name) for name in "ab"]
        assert [isinstance(final, messages.Failed) and final.code for final in finals] == ["LOST", "LOST"]
        assert "SIGTERM" in peer.await_(messages.Goodbye).reason
        stopping.join()
    assert codes == [0]
    assert not renderer.file.exists()
    assert not Path(str(renderer.file).replace("c.json", "c.sock")).exists()
    ended = [json.loads(line) for line in renderer.log.read_text().splitlines() if "ended with" in line]
    assert {line["job"]: line["message"] for line in ended} == dict.fromkeys("ab", "ended with FAILED")


def _refusal(peer: Peer) -> str:
    """What a job is answered while the renderer ends."""
    peer.send(submit("late"))
    answer = peer.await_((messages.Error, messages.Accepted, messages.Busy))
    if isinstance(answer, messages.Accepted):
        peer.send(messages.Cancel(job="late", generation=0))
        peer.final("late")
    return answer.message if isinstance(answer, messages.Error) else ""


def test_sessions_that_come_and_go_leave_nothing_behind() -> None:
    renderer = impatient_renderer()

    def growth(sessions: int) -> float:
        before = renderer.rss_mb
        for _ in range(sessions):
            Peer(renderer.content).close()
        assert until(lambda: renderer.counts()["clients"] == 0)
        return renderer.rss_mb - before

    growth(20)
    front = psutil.Process(renderer.process.pid)
    files = front.num_fds()
    assert any(growth(100) < 4 for _ in range(3)), "what a session leaves behind, all of them do"
    assert front.num_fds() <= files + 2
