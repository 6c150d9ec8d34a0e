"""The C++ twin: built with warnings as errors, it passes the shared vectors and speaks with the Python side."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

from segue_protocol import (
    PROTOCOL_VERSION,
    REMEDIES,
    ConnectionFile,
    Nonces,
    ProtocolError,
    RendererSession,
    own_connection_file,
    read_connection_file,
    write_connection_file,
)
from segue_protocol import messages as m
from segue_protocol.codec import Frame
from segue_protocol.vectors.valid import BUNDLE, LIMITS
from tests.protocol import fuzz
from tests.protocol.twin import VECTORS, build, check

SECRET = bytes(range(32))


def test_it_passes_every_vector() -> None:
    done = check("vectors", VECTORS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" 0 wrong\n")


def test_it_fails_on_a_vector_that_is_listed_wrongly(tmp_path: Path) -> None:
    for path in VECTORS.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    listing = (tmp_path / "listing.tsv").read_text()
    (tmp_path / "listing.tsv").write_text(listing.replace("ping\tclient\tPING", "ping\tclient\tSTATUS", 1))
    done = check("vectors", tmp_path)
    assert done.returncode == 1
    assert "ping: expected STATUS, got PING" in done.stderr


def test_it_has_the_same_version_codes_and_remedies() -> None:
    version, *codes = check("constants").stdout.splitlines()
    assert version == PROTOCOL_VERSION
    assert [tuple(line.split("\t")) for line in codes] == [(str(code), text) for code, text in REMEDIES.items()]


def test_it_makes_the_same_of_5000_damaged_messages_as_we_do(tmp_path: Path) -> None:
    ours, _ = fuzz.run(5000, seed=7)
    assert fuzz.differences(ours, fuzz.run_twin(5000, 7, tmp_path), 7) == []


class _Client:
    """The twin's client side, over pipes."""

    def __init__(self) -> None:
        command = [str(build()), "client", SECRET.hex(), "C++ twin ♪"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def frames(self) -> list[bytes]:
        return [bytes.fromhex(word) for word in self.read().split()]

    def tell(self, frames: list[Frame]) -> str:
        """What the client makes of the frames."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(bytes(frame).hex() for frame in frames) + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()


def test_its_client_and_our_renderer_shake_hands_and_exchange_messages() -> None:
    client, renderer = _Client(), RendererSession(SECRET, Nonces())
    hello = renderer.open(client.frames()).message
    assert isinstance(hello, m.Hello)
    assert hello.client == "C++ twin ♪"
    welcome = m.Welcome(
        nonce=os.urandom(32),
        client_nonce=hello.nonce,
        renderer="0.1.0",
        tasks=("infill",),
        samplers=("ding",),
        bundles=(BUNDLE,),
        presets=("warm tape",),
        limits=LIMITS,
    )
    frames = renderer.welcome(welcome)
    altered = [frames[0], bytes(frames[1])[:-1] + b"\x11"]
    assert client.tell(altered) == "UNVERIFIED"
    assert client.read() == client.read() == "refused LOST"
    assert client.tell(frames) == "WELCOME"
    for round_trip in range(3):
        assert renderer.open(client.frames()).message == m.Ping(token=7)
        received = renderer.open(client.frames())
        assert received.message == m.Chunk(job="job-1", generation=0, stream=0, offset=0, samples=1, channels=2)
        assert struct.unpack("<2f", received.payload) == (0.5, -0.5)
        pong = renderer.seal(m.Pong(token=round_trip))
        assert client.tell(pong) == "PONG"
    assert renderer.open(client.frames()).message == m.Ping(token=7)
    client.read()
    assert client.tell(pong) == "OUT_OF_ORDER"
    client.read(), client.read()
    client.close()


def _content(**changes: object) -> ConnectionFile:
    keys = {"server_public_key": "a" * 40, "client_public_key": "b" * 40, "client_secret_key": "c" * 40}
    own = own_connection_file(renderer="0.1.0", endpoint="ipc:///run/größe/segue", **keys)
    return own.model_copy(update=changes)


def test_it_reads_the_connection_file_as_we_do(tmp_path: Path) -> None:
    content, path = _content(), tmp_path / "c.json"
    write_connection_file(path, content)
    done = check("connection", path)
    assert done.stdout.rstrip("\n").split("\t") == [content.endpoint, content.host, content.secret]


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({"pid": 2**22 + 1}, 0o600),
        ({"started": "another boot 17"}, 0o600),
        ({}, 0o640),
        ({}, 0o604),
        ({"secret": "F" * 64}, 0o600),
        ({"endpoint": "http://x"}, 0o600),
        ({"server_public_key": "a" * 39}, 0o600),
        ({"protocol": "2.0"}, 0o600),
    ],
)
def test_it_refuses_the_connection_files_we_refuse(tmp_path: Path, changes: dict[str, object], mode: int) -> None:
    path = tmp_path / "c.json"
    write_connection_file(path, _content(**changes))
    path.chmod(mode)
    with pytest.raises(ProtocolError) as refused:
        read_connection_file(path)
    done = check("connection", path)
    assert done.returncode == 1
    assert done.stdout.split("\t")[0] == refused.value.code
