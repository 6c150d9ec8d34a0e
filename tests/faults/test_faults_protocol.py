"""Faults 14 to 16 and 18 to 21 at the level of the protocol: what a message or connection file may do at the most."""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import msgpack
import pytest

from segue_protocol import (
    ClientSession,
    Code,
    ConnectionFile,
    Nonces,
    Owner,
    ProtocolError,
    RendererSession,
    Sender,
    limits,
    own_connection_file,
    pack,
    parse,
    read_connection_file,
    write_connection_file,
)
from segue_protocol import messages as m
from segue_protocol.codec import Frame
from segue_protocol.connection_file import started_of
from segue_protocol.vectors import invalid
from segue_protocol.vectors.valid import AUDIO, JOB, LIMITS, SUBMIT

SECRET = bytes(range(32))
CHUNK = m.Chunk(**JOB, stream=0, offset=0, samples=3, channels=2)
LISTS: dict[str, tuple[()]] = {"tasks": (), "samplers": (), "bundles": (), "presets": ()}


def _greeted() -> tuple[ClientSession, RendererSession, list[Frame]]:
    """Both sides of a session, and the frames of its HELLO."""
    client, renderer = ClientSession(SECRET, "test 1"), RendererSession(SECRET, Nonces())
    frames = client.hello()
    hello = renderer.open(frames).message
    assert isinstance(hello, m.Hello)
    answer = m.Welcome(nonce=os.urandom(32), client_nonce=hello.nonce, renderer="0", limits=LIMITS, **LISTS)
    client.open(renderer.welcome(answer))
    assert renderer.open(client.seal(m.Ping(token=0))).message == m.Ping(token=0)
    return client, renderer, frames


def _code(call: Callable[[], object]) -> Code:
    with pytest.raises(ProtocolError) as refused:
        call()
    assert refused.value.remedy
    return refused.value.code


def test_fault_14_any_byte_of_any_frame_altered_is_refused_and_the_original_still_accepted() -> None:
    client, renderer, hello = _greeted()
    chunk = [bytes(frame) for frame in client.seal(CHUNK, AUDIO)]
    for frames, session in ((chunk, renderer), ([bytes(f) for f in hello], RendererSession(SECRET, Nonces()))):
        for index, frame in enumerate(frames):
            for place in range(len(frame)):
                altered = list(frames)
                altered[index] = frame[:place] + bytes([frame[place] ^ (1 << place % 8)]) + frame[place + 1 :]
                assert _code(lambda: session.open(altered)) is Code.UNVERIFIED, (index, place)  # noqa: B023
            cut = [*frames[:index], frame[:-1], *frames[index + 1 :]]
            assert _code(lambda: session.open(cut)) in (Code.UNVERIFIED, Code.MALFORMED)  # noqa: B023
        session.open(frames)


def test_fault_15_replayed_reordered_and_redirected_messages_are_refused_and_move_no_counter() -> None:
    client, renderer, hello = _greeted()
    first, second, third = (client.seal(m.Ping(token=token)) for token in (1, 2, 3))
    assert _code(lambda: renderer.open(second)) is Code.OUT_OF_ORDER
    assert renderer.open(first).message == m.Ping(token=1)
    assert _code(lambda: renderer.open(first)) is Code.OUT_OF_ORDER
    assert _code(lambda: renderer.open(third)) is Code.OUT_OF_ORDER
    assert _code(lambda: client.open(second)) is Code.UNVERIFIED  # sent back to its sender
    assert _code(lambda: _greeted()[1].open(second)) is Code.UNVERIFIED  # played to another session
    assert _code(lambda: renderer.open(hello)) is Code.UNVERIFIED  # a HELLO that came before
    for _ in range(1000):
        assert _code(lambda: renderer.open([os.urandom(40), b"\x80"])) is Code.UNVERIFIED
    assert renderer.open(second).message == m.Ping(token=2)
    assert renderer.open(third).message == m.Ping(token=3)
    assert client.open(renderer.seal(m.Pong(token=3))).message == m.Pong(token=3)


def test_fault_16_zero_one_or_too_many_frames_are_malformed_and_the_peer_stays_usable() -> None:
    client, renderer, _ = _greeted()
    chunk = client.seal(CHUNK, AUDIO)
    for frames in ([], chunk[:1], [*chunk, b""], [*chunk, *chunk], [b""], [b"", b""], [b""] * 9):
        assert _code(lambda: renderer.open(frames)) is Code.MALFORMED  # noqa: B023
        assert _code(lambda: client.open(frames)) is Code.MALFORMED  # noqa: B023
    assert renderer.open(chunk).message == CHUNK
    assert _code(lambda: parse([], Sender.CLIENT)) is Code.MALFORMED


def test_fault_18_hostile_msgpack_is_malformed_cheap_and_leaves_nothing_in_100_000_tries() -> None:
    hostile = [frames for _, _, frames, _ in invalid.broken_msgpack() if len(frames[0]) < 16_000]
    assert len(hostile) > 25
    for frames in hostile:
        assert _code(lambda: parse(frames, Sender.CLIENT)) is Code.MALFORMED  # noqa: B023
    tracemalloc.start()
    for frames in hostile:
        tracemalloc.reset_peak()
        with pytest.raises(ProtocolError):
            parse(frames, Sender.CLIENT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20

    def tries(count: int) -> None:
        for index in range(count):
            try:
                parse(hostile[index % len(hostile)], Sender.CLIENT)
            except ProtocolError:
                continue
            raise AssertionError("hostile msgpack was parsed")

    tries(1000)
    gc.collect()
    blocks, resident = sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tries(100_000)
    gc.collect()
    assert sys.getallocatedblocks() - blocks < 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident < 8 * 1024


def test_fault_19_shapes_that_differ_from_the_bytes_are_refused_before_anything_is_allocated() -> None:
    header = msgpack.unpackb(bytes(pack(CHUNK, AUDIO)[0]))
    wrong = [
        {"samples": 4},
        {"channels": 1},
        {"samples": -3},
        {"samples": 0},
        {"samples": 2**62},
        {"samples": 2**64 - 1},
        {"samples": 2**31, "channels": 2},
        {"channels": -2, "samples": -3},  # whose product would fit
        {"offset": -1},
        {"offset": 2**63},
        {"samples": 3.0},
        {"samples": "3"},
    ]
    cases = [([msgpack.packb({**header, **changes}), AUDIO], changes) for changes in wrong]
    tracemalloc.start()
    for frames, changes in cases:
        assert _code(lambda: parse(frames, Sender.CLIENT)) in (Code.MALFORMED, Code.INVALID), changes  # noqa: B023
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    submit = msgpack.unpackb(bytes(pack(SUBMIT)[0]))
    for samples in (-1, 0, limits.MAX_SAMPLES + 1, 2**63):
        stream = {**submit["streams"][0], "samples": samples}
        frames = [msgpack.packb({**submit, "streams": [stream]})]
        assert _code(lambda: parse(frames, Sender.CLIENT)) is Code.INVALID  # noqa: B023


def test_fault_20_unknown_fields_are_ignored_unknown_types_and_other_versions_refused_by_name() -> None:
    ping = msgpack.packb({"type": "PING", "token": 4, "mood": {"key": ["blue"]}})
    assert parse([ping], Sender.CLIENT).message == m.Ping(token=4)
    assert _code(lambda: parse([msgpack.packb({"type": "REMIX"})], Sender.CLIENT)) is Code.UNSUPPORTED
    nonce = bytes(32)
    for version in ("2.0", "0.9", "17.3"):
        hello = [msgpack.packb({"type": "HELLO", "protocol": version, "nonce": nonce, "knock": 3})]
        with pytest.raises(ProtocolError) as refused:
            parse(hello, Sender.CLIENT)
        assert refused.value.code is Code.VERSION
        assert f"speaks {version}" in str(refused.value)
        assert limits.PROTOCOL_VERSION in str(refused.value)
        assert refused.value.nonce == nonce  # so that the answer finds its HELLO
    minor = m.Hello(protocol="1.9999", nonce=nonce, client="newer")
    assert parse(pack(minor), Sender.CLIENT).message == minor


def _content(**changes: object) -> ConnectionFile:
    keys = {"server_public_key": "a" * 40, "client_public_key": "b" * 40, "client_secret_key": "c" * 40}
    own = own_connection_file(renderer="0.1.0", endpoint="tcp://127.0.0.1:5555", **keys)
    return own.model_copy(update=changes)


def _refusal(path: Path) -> str:
    with pytest.raises(ProtocolError) as refused:
        read_connection_file(path)
    assert refused.value.code is Code.CONNECTION
    return f"{refused.value} {refused.value.remedy}"


@pytest.mark.skipif(os.name != "posix", reason="permissions of other systems are those of the user's folder")
def test_fault_21_a_connection_file_open_to_others_or_left_by_a_dead_renderer_is_refused_with_the_fix(
    tmp_path: Path,
) -> None:
    path = tmp_path / "connection.json"
    write_connection_file(path, _content())
    for mode in (0o640, 0o604, 0o620, 0o602, 0o666, 0o611):
        path.chmod(mode)
        assert f"{mode:04o}" in (text := _refusal(path))
        assert "chmod 600" in text
    path.chmod(0o600)
    assert read_connection_file(path).owner is Owner.ALIVE

    link = tmp_path / "folder"
    link.mkdir(mode=0o700)
    assert "regular file" in _refusal(link) or "Is a directory" in _refusal(link)
    assert "segue serve" in _refusal(tmp_path / "nothing.json")

    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    write_connection_file(path, _content(pid=child.pid, started=started_of(child.pid)))
    assert read_connection_file(path).owner is Owner.ALIVE
    child.kill()
    until = time.monotonic() + 10
    while started_of(child.pid) and time.monotonic() < until:  # dead, though nobody has asked for its exit code yet
        time.sleep(0.01)
    if Path("/proc/self/stat").exists():
        assert "is gone" in _refusal(path)
    child.communicate()
    assert "is gone" in (text := _refusal(path))
    assert "segue serve" in text
    assert read_connection_file(path, stale_ok=True).owner is Owner.GONE


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells when a process began")
def test_fault_21_a_process_number_used_again_is_not_taken_for_the_renderer(tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    boot, ticks = started_of(os.getpid()).split()
    write_connection_file(path, _content(started=f"{boot} {int(ticks) - 1}"))
    assert "is gone" in _refusal(path)
    write_connection_file(path, _content(started=f"{boot} {ticks}"))
    assert read_connection_file(path).owner is Owner.ALIVE


def test_fault_21_a_reader_finds_the_old_file_or_the_new_one_never_a_part(tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    contents = [_content(renderer=name, created=1) for name in ("one", "two")]
    write_connection_file(path, contents[0])
    script = (
        "import sys; from pathlib import Path; from segue_protocol import *\n"
        "for _ in range(60):\n"
        "    for text in sys.argv[2:]:\n"
        "        write_connection_file(Path(sys.argv[1]), ConnectionFile.model_validate_json(text))\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(path), *(json.dumps(c.model_dump()) for c in contents)]
    )
    seen, until = set(), time.monotonic() + 60
    while writer.poll() is None and time.monotonic() < until:
        seen.add(read_connection_file(path).renderer)
    assert writer.wait(10) == 0
    assert seen == {"one", "two"}
