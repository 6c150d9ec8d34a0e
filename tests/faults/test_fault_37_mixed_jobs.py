"""Fault 37: mixed faults from a seed; SEGUE_SOAK_MOVES makes hours of it, SEGUE_SOAK_SEED replays a failure."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from segue.clip.clip import Clip
from segue.service.events import Failed, Finished
from segue.service.queue import Busy
from segue.service.ticket import Ticket
from tests.pools import RATE, Ear, close_shared_pool, ended, endless, fill, finished, shared_pool, song

MOVES = int(os.environ.get("SEGUE_SOAK_MOVES", "25"))
SEED = int(os.environ.get("SEGUE_SOAK_SEED", "1"))


@pytest.fixture(scope="module", autouse=True)
def _the_pool_ends_with_these_tests() -> Iterator[None]:
    yield
    close_shared_pool()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def move(rng: random.Random, number: int, jobs: list[tuple[Ticket, Ear]]) -> None:
    """One random thing a client, or bad luck, does."""
    what = rng.choice(["quick", "quick", "again", "broken", "late", "endless", "cancel", "cancel", "wait"])
    what = "kill" if number in (MOVES // 3, 2 * MOVES // 3) else what
    broken = np.full((2, 10 * RATE), np.nan, np.float32)
    ear = Ear()
    try:
        if what in ("quick", "again"):
            jobs.append((shared_pool().submit(fill(100 + (number if what == "quick" else 0)), ear), ear))
        elif what == "broken":
            jobs.append((shared_pool().submit(fill(clip=Clip(broken, RATE)), ear), ear))
        elif what == "late":
            jobs.append((shared_pool().submit(fill(200 + number, deadline=0.01), ear, client="late"), ear))
        elif what == "endless":
            ticket = shared_pool().submit(endless(300 + number), ear)
            jobs.append((ticket, ear))
            timer = threading.Timer(rng.uniform(0.0, 1.5), ticket.cancel)
            timer.start()
        elif what == "cancel" and jobs:
            rng.choice(jobs)[0].cancel()
        elif what == "kill" and (pid := shared_pool().status().devices[0].pid) is not None:
            os.kill(pid, signal.SIGKILL)
        else:
            time.sleep(rng.uniform(0.0, 0.5))
    except Busy:
        time.sleep(0.2)


def test_fault_37_mixed_faults_from_a_seed_give_one_final_reply_a_job_and_leave_nothing_behind() -> None:
    rng, jobs = random.Random(SEED), list[tuple[Ticket, Ear]]()
    first = finished(shared_pool(), fill(100))
    files, threads = open_files(), threading.active_count()
    for number in range(MOVES):
        move(rng, number, jobs)
    for ticket, ear in jobs:
        final = ended(ticket)
        assert ear.finals == [ear.events[-1]] == [final], f"seed {SEED}"
        assert not isinstance(final, Failed) or "signal 9" in final.message or "finite" in final.message, final
    again = finished(shared_pool(), fill(100))
    assert again.from_store
    assert again.renditions[0].audio[0].tobytes() == first.renditions[0].audio[0].tobytes()
    assert isinstance(finished(shared_pool(), fill(101, song(9.0))), Finished)
    while threading.active_count() > threads:  # timers of cancels
        time.sleep(0.05)
    assert open_files() <= files
    counts = shared_pool().status().counts
    assert counts.submitted == counts.finished + counts.failed + counts.cancelled + counts.timed_out
