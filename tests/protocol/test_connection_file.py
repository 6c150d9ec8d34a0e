"""The connection file: private, whole, and its owner alive."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue_protocol import (
    Code,
    ConnectionFile,
    Owner,
    ProtocolError,
    default_path,
    own_connection_file,
    read_connection_file,
    remove_connection_file,
    write_connection_file,
)

KEYS = {
    "server_public_key": "a" * 40,
    "client_public_key": "b" * 40,
    "client_secret_key": "c:%$#&<>()[]{}@^!/*?=+.-".ljust(40, "d"),
}


def _content(**changes: Any) -> ConnectionFile:
    own = own_connection_file(renderer="0.1.0", endpoint="tcp://127.0.0.1:5555", **KEYS)
    return own.model_copy(update=changes)


def _refused(path: Path) -> ProtocolError:
    with pytest.raises(ProtocolError) as refused:
        read_connection_file(path)
    return refused.value


def test_what_is_written_is_read(tmp_path: Path) -> None:
    content = _content()
    write_connection_file(tmp_path / "connection.json", content)
    read = read_connection_file(tmp_path / "connection.json")
    assert read == content
    assert read.owner is Owner.ALIVE
    assert len(read.secret_bytes) == 32


def test_the_file_and_a_folder_made_for_it_are_private(tmp_path: Path) -> None:
    path = tmp_path / "segue" / "connection.json"
    old = os.umask(0)
    try:
        write_connection_file(path, _content())
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_was_open_to_others_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    path.write_text("old")
    path.chmod(0o644)
    write_connection_file(path, _content())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["connection.json"]


def test_where_it_cannot_be_written_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProtocolError) as refused:
        write_connection_file(tmp_path / "file" / "connection.json", _content())
    assert refused.value.code is Code.CONNECTION
    (tmp_path / "folder").mkdir()
    with pytest.raises(ProtocolError):
        write_connection_file(tmp_path / "folder", _content())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]


def test_each_renderer_has_a_secret_of_its_own_which_is_not_shown() -> None:
    one, other = _content(), _content()
    assert one.secret != other.secret
    assert one.secret not in repr(one)
    assert one.client_secret_key not in repr(one)


def test_the_file_of_another_machine_is_taken_as_it_is(tmp_path: Path) -> None:
    content = _content(host="studio", pid=1)
    write_connection_file(tmp_path / "c.json", content)
    assert read_connection_file(tmp_path / "c.json").owner is Owner.ELSEWHERE


def test_a_renderer_removes_its_own_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    mine, theirs = _content(), _content(renderer="0.2.0")
    write_connection_file(path, theirs)
    remove_connection_file(path, mine)
    assert path.exists()
    remove_connection_file(path, theirs)
    assert not path.exists()
    remove_connection_file(path, theirs)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "http://127.0.0.1"),
        ("server_public_key", "short"),
        ("secret", "F" * 64),
        ("secret", None),
        ("pid", 0),
        ("pid", "12"),
        ("host", 5),
    ],
)
def test_a_damaged_field_is_named_and_no_key_is_told(tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "c.json"
    content = _content()
    path.touch(mode=0o600)
    path.write_text(json.dumps({**content.model_dump(), field: value}))
    error = _refused(path)
    assert error.code is Code.CONNECTION
    assert field in str(error)
    assert content.secret not in str(error)
    assert content.client_secret_key not in str(error)


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("c") / "c.json"
    path.touch(mode=0o600)
    path.write_bytes(raw)
    assert _refused(path).code is Code.CONNECTION


def test_a_file_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.touch(mode=0o600)
    path.write_text(" " * (16 * 1024 + 1))
    assert "at most" in str(_refused(path))


def test_unknown_fields_are_ignored_and_another_major_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.touch(mode=0o600)
    content = _content()
    path.write_text(json.dumps({**content.model_dump(), "mood": "good"}))
    assert read_connection_file(path) == content
    path.write_text(json.dumps({"protocol": "2.1", "all": "new"}))
    error = _refused(path)
    assert error.code is Code.VERSION
    assert "2.1" in str(error)
    assert "1.0" in str(error)


def test_the_place_is_where_the_spec_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("SEGUE_CONNECTION", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path() == tmp_path / ".local" / "state" / "segue" / "connection.json"
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_path() == Path("/state/segue/connection.json")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert default_path() == Path("/run/user/7/segue/connection.json")
    monkeypatch.setattr("sys.platform", "darwin")
    assert default_path() == tmp_path / "Library" / "Application Support" / "segue" / "connection.json"
    monkeypatch.setenv("SEGUE_CONNECTION", "/elsewhere/c.json")
    assert default_path() == Path("/elsewhere/c.json")


def test_the_owner_is_this_host_and_process() -> None:
    content = _content()
    assert (content.pid, content.host) == (os.getpid(), socket.gethostname())
