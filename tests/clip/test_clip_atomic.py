"""Replacing a file at once or not at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from segue.clip.atomic import STALE_SECONDS, SUFFIX, remove_stale, replacing
from segue.errors import AudioFileError


def test_the_new_file_takes_the_old_ones_place_with_its_permissions_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "song.wav"
    target.write_bytes(b"old")
    target.chmod(0o640)
    with replacing(target) as part:
        part.write_bytes(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [target]


def test_any_error_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    target = tmp_path / "song.wav"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(target) as part:
        part.write_bytes(b"half")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "song.wav"
    link = tmp_path / "link.wav"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with replacing(link) as part:
        part.write_bytes(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("name", ["missing/song.wav", "folder"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(AudioFileError), replacing(tmp_path / name):
        pytest.fail("the block must not run")


def test_a_name_of_full_length_can_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 251 + ".wav")
    with replacing(target) as part:
        part.write_bytes(b"new")
    assert target.read_bytes() == b"new"


def test_only_parts_of_this_file_that_have_long_stood_still_are_removed(tmp_path: Path) -> None:
    target = tmp_path / "song.wav"
    stale, fresh, others, lookalike = (
        tmp_path / name
        for name in (f".song.wav.0a{SUFFIX}", f".song.wav.0b{SUFFIX}", f".other.wav.0c{SUFFIX}", ".song.wav.backup")
    )
    past = time.time() - STALE_SECONDS - 1
    for path in (stale, fresh, others, lookalike):
        path.write_bytes(b"part")
        if path != fresh:
            os.utime(path, (past, past))
    assert remove_stale(target) == [stale]
    assert {p.name for p in tmp_path.iterdir()} == {fresh.name, others.name, lookalike.name}
