"""Faults of jobs in the service: deadlines, cancels, bad items, memory, disks."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from segue.clip.clip import Clip
from segue.clip.files import AudioFile
from segue.clip.span import Span
from segue.prior.contract import Denoiser
from segue.render import jobs
from segue.render.region import RenderedRegion
from segue.render.renderer import Renderer
from segue.render.settings import RenderSettings
from segue.sampling.contract import Latents, Prior
from segue.sampling.noise import start_noise
from segue.service.events import Cancelled, Failed, Finished, TimedOut
from segue.service.queue import Busy
from segue_protocol.errors import Code
from tests.pools import (
    RATE,
    Ear,
    close_shared_pool,
    ended,
    endless,
    fill,
    finished,
    same_audio,
    shared_pool,
    shared_store,
    song,
)

assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN


@pytest.fixture(scope="module", autouse=True)
def _the_pool_ends_with_these_tests() -> Iterator[None]:
    yield
    close_shared_pool()


@contextmanager
def limited(what: int, most: int) -> Iterator[None]:
    """A limit on the render process."""
    finished(shared_pool(), fill(seed=99))  # it is up
    pid = shared_pool().status().devices[0].pid
    assert pid is not None
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (most, before[1]))
    try:
        yield
    finally:
        assert shared_pool().status().devices[0].pid == pid, "the process was to survive"
        resource.prlimit(pid, what, before)


def address_space() -> int:
    pid = shared_pool().status().devices[0].pid
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def test_fault_22_a_hundred_requests_on_a_small_queue_are_refused_at_once_with_a_time_and_the_counts_agree() -> None:
    pool = shared_pool()
    before = pool.status().counts
    running = pool.submit(endless(), lambda event: None)
    while running.state == "queued":
        time.sleep(0.01)
    tickets, waits, worst = [], [], 0.0
    for number in range(100):
        began = time.monotonic()
        try:
            tickets.append(pool.submit(endless(number + 1), lambda event: None, client=str(number % 3)))
        except Busy as busy:
            waits.append(busy.retry_after)
        worst = max(worst, time.monotonic() - began)
    assert len(tickets) == 4
    assert len(waits) == 96
    assert waits == sorted(waits), "those refused first are to come back first"
    assert 0.5 <= waits[0] <= waits[-1] <= 60.0
    assert worst < 1.0
    for ticket in (running, *tickets):
        assert ticket.cancel()
        assert isinstance(ended(ticket), Cancelled)
    after = pool.status().counts
    assert (after.submitted - before.submitted, after.refused - before.refused) == (5, 96)
    assert after.cancelled - before.cancelled == 5


def test_fault_24_a_deadline_that_passes_in_the_queue_ends_the_job_there_and_it_never_runs() -> None:
    running, ear = shared_pool().submit(endless(), lambda event: None), Ear()
    late = shared_pool().submit(fill(seed=40, deadline=0.3), ear)
    final = ended(late)
    assert isinstance(final, TimedOut)
    assert not final.began
    assert "waiting" in final.message
    assert running.final is None, "it was told while the worker was still at another job"
    running.cancel()
    ended(running)
    finished(shared_pool(), fill(seed=41))
    assert ear.events == [final]
    assert not finished(shared_pool(), fill(seed=40)).from_store, "it never ran"


def test_fault_25_cancel_while_queued_in_mid_step_at_completion_and_twice_gives_one_final_message_each() -> None:
    pool, ears = shared_pool(), [Ear() for _ in range(4)]
    running = pool.submit(endless(), ears[0])
    queued = pool.submit(fill(seed=42), ears[1])
    assert queued.cancel()
    assert queued.cancel(), "twice is once"
    assert isinstance(ended(queued), Cancelled)
    assert ears[1].events == [queued.final], "it was never begun"
    ears[0].wait_for_step(2)
    assert running.cancel()
    assert running.cancel()
    assert isinstance(ended(running), Cancelled)
    at_completion = None

    def cancel_on_the_last_candidate(event: object) -> None:
        ears[2](event)  # type: ignore[arg-type]
        if at_completion is not None and getattr(event, "method", "") == "regenerated splice":
            at_completion.cancel()

    gate = pool.submit(endless(1), lambda event: None)
    at_completion = pool.submit(fill(settings=RenderSettings(43, steps=1)), cancel_on_the_last_candidate)
    gate.cancel()
    assert isinstance(ended(at_completion), Cancelled), "the render was done, but the client had left"
    done = pool.submit(fill(seed=44), ears[3])
    assert isinstance(ended(done), Finished)
    assert not done.cancel(), "too late"
    finished(pool, fill(seed=45))
    assert [len(ear.finals) for ear in ears] == [1, 1, 1, 1]


class Poisoned:
    """A denoiser that answers one seed's noise, and what comes of it, with NaN."""

    def __init__(self, whole: Denoiser, seed: int) -> None:
        self._whole, self._seed = whole, seed
        self.inputs, self.device = whole.inputs, whole.device

    def bind(self, conditioning: Mapping[str, torch.Tensor]) -> Prior:
        prior = self._whole.bind(conditioning)

        def poisoned(x_t: Latents, t: torch.Tensor) -> Latents:
            noise = start_noise([torch.Generator().manual_seed(self._seed)], x_t.shape[1], x_t.shape[2])
            x0_hat = prior(x_t, t).clone()
            for item, x in enumerate(x_t):
                if t[item] > 0.9 and torch.nn.functional.cosine_similarity(x.flatten(), noise.flatten(), 0) > 0.9:
                    x0_hat[item] = torch.nan
            return x0_hat

        return poisoned


def test_fault_26_one_bad_item_fails_alone_and_the_others_equal_their_solo_runs() -> None:
    source = AudioFile.of(song(8.0))
    plan = jobs.infill(source, [Span(4 * RATE, 5 * RATE)]).plan
    renderer = Renderer()

    def render(seed: int, candidates: int) -> RenderedRegion:
        settings = RenderSettings(seed=seed, steps=2, candidates=candidates, method="generated")
        return renderer.render(plan, settings).regions[0]

    alone = {take.seed: take.audio for seed in (0, 2) for take in render(seed, 1).takes}
    renderer.__dict__["denoiser"] = Poisoned(renderer.denoiser, 1)
    region = render(0, 3)
    assert [take.seed for take in sorted(region.takes, key=lambda take: take.seed or 0)] == [0, 2]
    (reason,) = region.failed
    assert "sigma" in reason
    for take in region.takes:
        assert np.array_equal(take.audio, alone[take.seed])


def test_fault_27_out_of_memory_is_tried_once_more_then_refused_and_the_next_request_works() -> None:
    finished(shared_pool(), fill(seed=46))
    rng = np.random.default_rng(0)
    long = Clip(rng.normal(0.0, 0.1, (2, 300 * RATE)).astype(np.float32), RATE)
    with limited(resource.RLIMIT_AS, address_space() + (250 << 20)):
        final = ended(shared_pool().submit(fill(clip=long), lambda event: None))
        assert isinstance(final, Failed), final
        assert final.code is Code.RESOURCE
        assert "one item at a time" in final.message
        assert not finished(shared_pool(), fill(seed=47)).from_store
    assert isinstance(ended(shared_pool().submit(fill(clip=long), lambda event: None)), Finished)


def test_fault_36_on_a_full_disk_the_job_is_answered_and_says_that_it_was_not_kept() -> None:
    kept = finished(shared_pool(), fill(seed=48))
    with limited(resource.RLIMIT_FSIZE, 200_000):
        final = finished(shared_pool(), fill(seed=49))
        assert "not kept" in final.note
        assert "free some space" in final.note
    again = finished(shared_pool(), fill(seed=49))
    assert not again.from_store
    assert again.note == ""
    assert same_audio(final, again)
    assert same_audio(kept, finished(shared_pool(), fill(seed=48)))
    assert shared_store().verify().damaged == ()
