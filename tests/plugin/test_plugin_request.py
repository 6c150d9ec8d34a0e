"""What the plug-in asks for, in its C++, is what the renderer takes: a SUBMIT of every task is checked here."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from segue.service import wire
from segue.service.jobs import TASK_USES
from segue_protocol import messages as m
from segue_protocol.codec import parse
from segue_protocol.messages import Sender
from segue_protocol.streams import Shape, check_size, stream_digest
from segue_protocol.vectors.valid import LIMITS
from tests.plugin.builds import core

TASKS = ("infill", "continuation", "regenerate", "transition", "restyle")
WORTH_A_DIGEST = 1 << 20


@dataclass(frozen=True)
class Asked:
    """A request as the plug-in wrote it; ``start`` of its track and its ``region``, in samples of the song."""

    submit: m.Submit
    payloads: tuple[bytes, ...]
    start: int
    region: tuple[int, int]

    def job(self) -> wire.Incoming:
        """The job that the renderer makes of it, with its audio."""
        check_size(self.submit, LIMITS.model_copy(update={"max_job_bytes": 1 << 30, "max_seconds": 600.0}))
        incoming = wire.incoming(self.submit, lambda name: name)
        for room, payload in zip(incoming.rooms, self.payloads, strict=True):
            room[:] = np.frombuffer(payload, "<f4").reshape(room.shape)
        return incoming


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the program wrote."""
    path = tmp_path_factory.mktemp("requests")
    program = core("segue_plugin_requests") / "requests" / "segue_plugin_requests"
    done = subprocess.run([str(program), str(path)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return path


def asked(folder: Path, name: str) -> Asked:
    submit = parse([(folder / f"{name}.header").read_bytes()], Sender.CLIENT).message
    assert isinstance(submit, m.Submit)
    payloads = tuple((folder / f"{name}.{number}").read_bytes() for number in range(len(submit.streams)))
    start, *region = (int(word) for word in (folder / f"{name}.place").read_text().split())
    return Asked(submit, payloads, start, (region[0], region[1]))


@pytest.mark.parametrize("name", [*TASKS, "join"])
def test_the_renderer_makes_a_job_of_what_the_plugin_asks(folder: Path, name: str) -> None:
    request = asked(folder, name)
    job = request.job().job
    assert job.task == ("regenerate" if name == "join" else name)
    assert job.task in TASK_USES
    assert job.clip.rate == 8000
    assert all(np.isfinite(clip.samples).all() for clip in job.audio.values())
    assert (job.other is not None) == (name == "transition")


@pytest.mark.parametrize("name", [*TASKS, "join"])
def test_the_first_patch_belongs_where_the_plugin_will_put_it(folder: Path, name: str) -> None:
    request = asked(folder, name)
    job = request.job().job
    (start,) = wire.starts_of(job)
    length = job.added or job.overlap or job.gaps[0].length
    assert (request.start + start, request.start + start + length) == request.region


@pytest.mark.parametrize("name", [*TASKS, "join"])
def test_digests_are_those_of_the_chunks(folder: Path, name: str) -> None:
    request = asked(folder, name)
    for stream, payload in zip(request.submit.streams, request.payloads, strict=True):
        assert len(payload) == stream.bytes
        digest = stream_digest(stream.rate, Shape(stream.channels, stream.samples), payload)
        assert stream.digest == (digest if stream.bytes >= WORTH_A_DIGEST else None)


def test_the_song_the_file_and_the_marks_go_along(folder: Path) -> None:
    submit = asked(folder, "infill").submit
    roles = [stream.role for stream in submit.streams]
    assert roles == ["track", "song", "song"]
    assert [stream.name for stream in submit.streams[1:]] == ["größe.wav", "heard 1:02.500 to 1:05.000"]
    assert [mark.start for mark in submit.streams[0].marks] == [120_000 - 1_000, 130_000 - 1_000]
    assert not submit.curves


def test_automation_becomes_curves_the_renderer_reads(folder: Path) -> None:
    freedom = asked(folder, "regenerate").job().job.curves["freedom"]
    at = freedom.at(np.array([(frame - 1_000) / 8_000 for frame in (119_000, 120_000, 129_000, 131_000)]))
    assert at == pytest.approx([0.0, 0.5, 0.5, 0.0])
    styled = asked(folder, "restyle").submit
    assert {curve.name for curve in styled.curves} == {"freedom", "guidance", "style"}
    assert styled.settings.preset == "warm tape"
