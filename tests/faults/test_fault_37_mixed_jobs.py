"""Fault 37: mixed faults from a seed; SEGUE_SOAK_MOVES makes hours of it, SEGUE_SOAK_SEED replays a failure."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.service.events import Failed, Finished
from segue.service.queue import Busy
from segue.service.ticket import Ticket
from tests.pools import PATIENCE, Ear, close_shared_pool, ended, fill, finished, shared_pool, song
from tests.renderers import until
from tests.soak import moves

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
    what = rng.choice(["ask", "ask", "cancel", "wait"])
    what = "kill" if number in (MOVES // 3, 2 * MOVES // 3) else what
    if what == "ask":
        asked, ear = moves.draw(rng, number), Ear()
        try:
            ticket = shared_pool().submit(asked.job, ear, client=asked.kind)
        except Busy:
            time.sleep(0.2)
            return
        jobs.append((ticket, ear))
        if asked.cancel_after is not None:
            threading.Timer(asked.cancel_after, ticket.cancel).start()
    elif what == "cancel" and jobs:
        rng.choice(jobs)[0].cancel()
    elif what == "kill" and (pid := shared_pool().status().devices[0].pid) is not None:
        os.kill(pid, signal.SIGKILL)
    else:
        time.sleep(rng.uniform(0.0, 0.5))


def test_fault_37_mixed_faults_from_a_seed_give_one_final_reply_a_job_and_leave_nothing_behind() -> None:
    rng, jobs = random.Random(SEED), list[tuple[Ticket, Ear]]()
    first = finished(shared_pool(), fill(moves.AGAIN))
    files, threads = open_files(), threading.active_count()
    for number in range(MOVES):
        move(rng, number, jobs)
    for ticket, ear in jobs:
        final = ended(ticket)
        assert ear.finals == [ear.events[-1]] == [final], f"seed {SEED}"
        assert not isinstance(final, Failed) or moves.expected(final.message), final
    again = finished(shared_pool(), fill(moves.AGAIN))
    assert again.from_store
    assert again.renditions[0].audio[0].tobytes() == first.renditions[0].audio[0].tobytes()
    assert isinstance(finished(shared_pool(), fill(101, song(9.0))), Finished)
    assert until(lambda: threading.active_count() <= threads, PATIENCE), "timers of cancels end"
    assert open_files() <= files
    counts = shared_pool().status().counts
    assert counts.submitted == counts.finished + counts.failed + counts.cancelled + counts.timed_out
