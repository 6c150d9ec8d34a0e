"""Fault 36: a full disk or a kill in mid-write leaves the old file as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from segue.clip.atomic import STALE_SECONDS, SUFFIX
from segue.clip.files import read_audio, write_assembled
from segue.clip.span import Span
from segue.errors import ResourceError

resource = pytest.importorskip("resource")

KILLED = """
import sys
from pathlib import Path
from segue.clip.atomic import replacing
with replacing(Path(sys.argv[1])) as part:
    part.write_bytes(b"half of a file")
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["song.wav", "song.flac", "song.aiff", "song.caf", "song.w64"])
def test_fault_36_a_full_disk_leaves_the_old_file_and_no_part(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (100_000, 2))
    soundfile.write(target, noise[:1000], 48_000, subtype="PCM_16")
    before = target.read_bytes()
    soundfile.write(tmp_path / "long.wav", noise, 48_000, subtype="PCM_16")
    source = read_audio(tmp_path / "long.wav")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # no file may grow past it, as on a full disk
    try:
        with pytest.raises(ResourceError, match="old file"):
            write_assembled(target, source, [Span(0, 100_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert target.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {name, "long.wav"}
    write_assembled(target, source, [Span(0, 100_000)])
    assert np.array_equal(read_audio(target).samples, source.samples), "the next write works"


def test_fault_36_a_writer_killed_in_mid_write_leaves_the_old_file_and_a_part_that_a_later_write_removes(
    tmp_path: Path,
) -> None:
    target = tmp_path / "song.wav"
    soundfile.write(target, np.full((1000, 2), 0.25), 48_000)
    before = target.read_bytes()
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "writing\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert target.read_bytes() == before
    (part,) = (p for p in tmp_path.iterdir() if p.name.endswith(SUFFIX))
    assert part.name.startswith(".song.wav.")
    past = time.time() - STALE_SECONDS - 1
    os.utime(part, (past, past))
    source = read_audio(target)
    write_assembled(target, source, [Span(0, 500)])
    assert list(tmp_path.iterdir()) == [target]
    assert read_audio(target).length == 500
