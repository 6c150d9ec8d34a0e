"""The pool: every job is done or reported, whatever happens to workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from segue.errors import ResourceError
from segue_bench.pool import Pool
from tests.quality.pool_crews import Touching

ROOT = Path(__file__).parents[2]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_all_units_are_done_by_several_workers(tmp_path: Path) -> None:
    done = list(Pool(Touching(tmp_path), 2).run(["a:1,2", "b:1", "c:1,2,3"]))
    assert {one.name for one in done} == names(tmp_path) == {"a-1", "a-2", "b-1", "c-1", "c-2", "c-3"}
    assert all(one.failure is None for one in done)
    assert list(Pool(Touching(tmp_path), 2).run(["a:1,2"])) == []


def test_a_job_that_kills_its_worker_is_reported_and_the_unit_goes_on(tmp_path: Path) -> None:
    done = {one.name: one.failure for one in Pool(Touching(tmp_path), 1).run(["a:1,die,2,exit,3"])}
    assert done == {
        "a-1": None,
        "a-die": "the worker was killed by SIGKILL, as when memory runs out",
        "a-2": None,
        "a-exit": "the worker ended with exit code 7",
        "a-3": None,
    }


def test_a_unit_that_keeps_killing_its_worker_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="exit code 3 2 times while preparing deadly"):
        list(Pool(Touching(tmp_path), 1).run(["deadly:1"]))


def test_an_error_outside_of_jobs_ends_the_run_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no such music"):
        list(Pool(Touching(tmp_path), 1).run(["broken:1"]))


def started(folder: Path) -> subprocess.Popen[str]:
    """A slow run in a process group of its own, once it has done something."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.quality.pool_crews", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout is not None and child.stdout.readline()
    return child


def test_one_ctrl_c_finishes_the_jobs_at_work(tmp_path: Path) -> None:
    child = started(tmp_path)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    lines = out.splitlines()
    assert lines[-1] == "stopped" and any("renders at work are finished first" in line for line in lines)
    assert len(names(tmp_path)) < 80
    assert names(tmp_path) - {line for line in lines if line.startswith("u")} <= {"u0-slow0", "u1-slow0"}


def test_two_ctrl_c_stop_at_once(tmp_path: Path) -> None:
    child = started(tmp_path)
    assert child.stdout is not None
    os.killpg(child.pid, signal.SIGINT)
    while "finished first" not in child.stdout.readline():
        pass
    os.killpg(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode != 0 and "KeyboardInterrupt" in err


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    child = started(tmp_path)
    child.kill()
    child.communicate(timeout=60)  # returns once the last holder of stdout, a worker, is gone
    assert len(names(tmp_path)) < 80
