"""Devices whose process is lost under a job, as those of a farm may be: scripted processes, a real pool."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from segue.service.board import Board
from segue.service.events import Failed, Finished
from segue.service.pool import Pool
from segue.service.settings import Device, Limits, StorePlace
from segue.service.worker.keeper import Keeper
from segue_protocol.errors import Code
from tests.pools import PATIENCE, Ear, ended, fill
from tests.renderers import until

_PROGRAM = """
import os, sys, threading, time
from pathlib import Path
import numpy as np
from segue.service.worker.frames import frame, own_streams, read_frame, write_frame

incoming, outgoing = own_streams()
begun = Path(sys.argv[1])

def say(word, arrays=(), **fields):
    write_frame(outgoing, frame(word, arrays, **fields))

def opened(digest):
    say("opened", bundle=None, identity=dict(bundle="b", bundle_digest=digest, device="cpu", versions={}))

def begin():
    job = read_frame(incoming).header["job"]
    with begun.open("a") as file:
        file.write("x")
    say("begun", job=job)
    return job

def candidate(job, method="splice"):
    about = dict(number=0, gap=0, method=method, how="", seed=None, scores={})
    say("candidate", [np.zeros((1, 9), np.float32)], job=job, **about)

def fail(job):
    say("failed", job=job, code="INVALID", message="come to its end", remedy="none")

def stay():
    while read_frame(incoming) is not None:
        pass
"""


@dataclass(frozen=True)
class Scripted:
    """A device whose process runs ``script``; ``begun``: a file that grows by a byte with each job that is begun."""

    script: str
    begun: Path
    tries: int = 3
    name: str = "scripted"
    kind: str = "cpu"

    def command(self, store: StorePlace | None) -> list[str]:
        return [sys.executable, "-c", _PROGRAM + textwrap.dedent(self.script), str(self.begun)]

    @property
    def times(self) -> int:
        return self.begun.stat().st_size if self.begun.exists() else 0


Make = Callable[..., Scripted]


@pytest.fixture
def scripted(tmp_path: Path) -> Make:
    return lambda script, tries=3: Scripted(script, tmp_path / "begun", tries)


def submit(*devices: Device) -> tuple[Ear, Failed | Finished]:
    ear = Ear()
    with Pool(devices, None, Limits(longest_pause=0.5)) as pool:
        final = ended(pool.submit(fill(), ear))
    assert isinstance(final, Failed | Finished), final
    return ear, final


DIES = """
    say("ready")
    job = begin()
    candidate(job)
    os._exit(3)
"""


def test_a_job_that_ends_every_process_is_begun_as_often_as_told_and_its_candidates_are_heard_once(
    scripted: Make,
) -> None:
    device = scripted(DIES)
    ear, final = submit(device, device)
    assert isinstance(final, Failed)
    assert final.code is Code.LOST
    assert "3 processes were lost under it" in final.message
    assert "exit status 3" in final.message
    assert device.times == 3
    assert [c.number for c in ear.candidates] == [0]
    assert [p.stage for p in ear.progress] == ["lost"] * 2


def test_a_device_of_this_machine_begins_a_job_once(scripted: Make) -> None:
    device = scripted(DIES, tries=1)
    ear, final = submit(device)
    assert isinstance(final, Failed)
    assert (final.code, device.times, ear.progress) == (Code.LOST, 1, [])


def test_a_job_begun_anew_that_makes_other_candidates_is_a_defect_and_says_so(scripted: Make) -> None:
    device = scripted("""
        say("ready")
        anew = begun.exists()
        job = begin()
        candidate(job, "other" if anew else "splice")
        if not anew:
            os._exit(3)
        stay()
    """)
    ear, final = submit(device)
    assert isinstance(final, Failed)
    assert final.code is Code.INTERNAL
    assert "expected candidate 0" in final.message
    assert len(ear.candidates) == 1


def test_a_device_that_would_render_otherwise_is_kept_out_and_the_reason_is_shown(scripted: Make) -> None:
    one, other = (scripted(f'opened("{digest}"); say("ready"); fail(begin()); stay()') for digest in "ab")
    with Pool([one, other], None, Limits(longest_pause=0.2)) as pool:
        assert until(lambda: any("install the same versions" in d.reason for d in pool.status().devices))
        assert isinstance(ended(pool.submit(fill(), lambda event: None)), Failed)
        assert one.times == 1


def test_while_no_machine_is_free_jobs_are_told_and_one_that_comes_is_used(scripted: Make, tmp_path: Path) -> None:
    free = tmp_path / "free"
    device = scripted(f"""
        while not os.path.exists({str(free)!r}):
            say("waits", message="no node is free", remedy="start one")
            time.sleep(0.1)
        say("ready")
        fail(begin())
        stay()
    """)
    with Pool([device], None, Limits(start=60.0)) as pool:
        told = ended(pool.submit(fill(), lambda event: None))
        assert isinstance(told, Failed)
        assert (told.code, told.remedy) == (Code.LOST, "start one")
        assert "no node is free" in told.message
        assert pool.status().devices[0].state == "lost"
        free.touch()
        assert until(lambda: pool.status().devices[0].state == "idle")
        final = ended(pool.submit(fill(), lambda event: None))
        assert isinstance(final, Failed)
        assert final.message == "come to its end"
        assert pool.status().devices[0].restarts == 0


def test_a_process_that_waits_for_a_machine_has_its_time_to_start_from_when_it_last_said_so(
    scripted: Make, tmp_path: Path
) -> None:
    device = scripted(f"""
        for number in range(4):
            while not os.path.exists(os.path.join({str(tmp_path)!r}, f"say-{{number}}")):
                time.sleep(0.01)
            say("waits", message=f"no node is free, {{number}}", remedy="start one")
        stay()
    """)
    now = 0.0
    board = Board(limits := Limits(start=60.0), 1)
    keeper = Keeper(device, limits, None, board, lambda: now)
    keeper.start()
    try:
        for number in range(4):
            (tmp_path / f"say-{number}").touch()
            assert until(lambda number=number: keeper.status().reason == f"no node is free, {number}", PATIENCE)
            now += 50.0
        assert keeper.status().restarts == 0
        now += 61.0
        assert until(lambda: keeper.status().restarts == 1, PATIENCE), "another is tried in its place"
    finally:
        keeper.close()
        keeper.join()
