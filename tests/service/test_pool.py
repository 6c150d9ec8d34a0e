"""Jobs through a pool with a real render process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

import segue
from segue.clip.clip import Clip
from segue.clip.span import Span
from segue.errors import ResourceError
from segue.render.settings import RenderSettings
from segue.service.events import Cancelled, Failed, Finished, Progressed, TimedOut
from segue.service.jobs import Job
from segue.service.pool import Pool
from segue.service.settings import DeviceSettings
from segue_protocol.errors import Code
from tests.pools import RATE, Ear, close_shared_pool, ended, endless, fill, finished, same_audio, shared_pool, song


@pytest.fixture(scope="module", autouse=True)
def _the_pool_ends_with_these_tests() -> Iterator[None]:
    yield
    close_shared_pool()


def child() -> int:
    (device,) = shared_pool().status().devices
    assert device.pid is not None
    return device.pid


def test_a_job_is_what_the_verb_gives_and_its_candidates_come_as_they_are_made() -> None:
    ear = Ear()
    asked = segue.RenderSettings(seed=3, steps=1, candidates=2)
    job = fill(settings=asked)
    final = ended(shared_pool().submit(job, ear))
    assert isinstance(final, Finished), final
    alone = segue.fill(job.clip.samples, RATE, (5.0, 6.0), settings=asked)
    for rendition, candidate in zip(final.renditions, alone.candidates, strict=True):
        assert np.array_equal(rendition.audio[0], candidate[:, 5 * RATE : 6 * RATE])
    assert final.renditions[0].recipe == alone.recipe
    assert ear.finals == [ear.events[-1]] == [final]
    assert [c.number for c in ear.candidates] == list(range(len(ear.candidates)))
    assert [(c.method, c.scores["surprise"]) for c in ear.candidates][:1] == [("splice", None)]
    ranked = [ear.candidates[number] for number in final.ranking[0]]
    reported = final.report["gaps"][0]["candidates"]
    assert [(c.method, c.seed) for c in ranked] == [(c["method"], c["seed"]) for c in reported]
    for rendition, heard in zip(final.renditions, ranked, strict=False):
        assert rendition.candidate == heard.number
        assert np.array_equal(rendition.audio[0], heard.audio)


def test_the_splice_is_heard_before_the_prior_is_asked() -> None:
    ear = Ear()
    ended(shared_pool().submit(fill(seed=4), ear))
    stages = [event.progress.stage if isinstance(event, Progressed) else event for event in ear.events]
    assert "sample" not in stages[: stages.index(ear.candidates[0])]
    assert "sample" in stages


def test_the_same_job_again_is_answered_from_the_store_at_once_bit_for_bit() -> None:
    first = finished(shared_pool(), fill(seed=5))
    busy = shared_pool().submit(endless(), lambda event: None)
    again = finished(shared_pool(), fill(seed=5))
    assert busy.final is None, "the answer must not wait for a worker"
    assert busy.cancel()
    ended(busy)
    assert (first.from_store, again.from_store) == (False, True)
    assert same_audio(first, again)
    assert again.report == first.report


def test_what_stands_in_the_gap_does_not_matter_to_the_store() -> None:
    first = finished(shared_pool(), fill(seed=6))
    other = song().samples.copy()
    other[:, 5 * RATE : 6 * RATE] = 0.5
    again = finished(shared_pool(), fill(seed=6, clip=Clip(other, RATE)))
    assert again.from_store
    assert same_audio(first, again)


def test_several_gaps_at_another_rate_come_back_in_the_clip_s_own_form() -> None:
    clip = song(12.0, 48000)
    mono = Clip(np.ascontiguousarray(clip.samples[:1]), 48000)
    gaps = (Span(4 * 48000, 5 * 48000), Span(8 * 48000, 8 * 48000 + 2400))
    ear = Ear()
    final = ended(shared_pool().submit(Job("infill", mono, RenderSettings(steps=1), gaps=gaps), ear))
    assert isinstance(final, Finished), final
    assert [a.shape for a in final.renditions[0].audio] == [(1, 48000), (1, 2400)]
    assert {c.gap for c in ear.candidates} == {0, 1}
    for gap, audio in enumerate(final.renditions[0].audio):
        assert np.array_equal(ear.candidates[final.ranking[gap][0]].audio, audio)
    assert final.renditions[0].candidate is None, "no candidate fills every gap"


def test_every_task_renders() -> None:
    clip, freedom = song(8.0), {"freedom": segue.Curve.constant(0.5)}
    settings = RenderSettings(steps=1)
    quick = RenderSettings(steps=1, method="splice")
    tasks = {
        "regenerate": Job("regenerate", clip, settings, gaps=(Span(4 * RATE, 5 * RATE),), curves=freedom),
        "continuation": Job("continuation", clip, quick, added=RATE, backward=True),
        "transition": Job("transition", clip, settings, other=song(7.0), overlap=RATE, names=("a", "b")),
    }
    results = {name: finished(shared_pool(), job) for name, job in tasks.items()}
    assert {name: r.renditions[0].audio[0].shape for name, r in results.items()} == dict.fromkeys(tasks, (2, RATE))
    assert results["transition"].renditions[0].recipe.sources == ("a", "b")


def test_cancel_stops_the_compute_within_a_step() -> None:
    ear = Ear()
    ticket = shared_pool().submit(endless(), ear)
    ear.wait_for_step(3)
    assert ticket.cancel()
    step = ear.progress[-1].step
    assert isinstance(ended(ticket), Cancelled)
    assert ear.progress[-1].step <= step + 1, "one may have been on its way to the listener"
    began = time.monotonic()
    finished(shared_pool(), fill(seed=7))
    assert time.monotonic() - began < 60.0, "999 more steps would take minutes"


def test_a_deadline_stops_a_running_job() -> None:
    ear = Ear()
    finished(shared_pool(), fill(seed=8))
    ticket = shared_pool().submit(endless(deadline=3.0), ear)
    final = ended(ticket)
    assert isinstance(final, TimedOut), final
    assert final.began
    assert "3 s" in final.message


def test_a_killed_render_process_fails_its_job_with_the_reason_and_the_next_works() -> None:
    ear = Ear()
    ticket = shared_pool().submit(endless(), ear)
    ear.wait_for_step(1)
    before = child()
    os.kill(before, signal.SIGKILL)
    final = ended(ticket)
    assert isinstance(final, Failed)
    assert final.code is Code.LOST
    assert "SIGKILL" in final.message
    assert ear.finals == [final]
    assert not finished(shared_pool(), fill(seed=9)).from_store
    assert child() != before


def test_a_process_that_dies_while_idle_costs_no_job() -> None:
    finished(shared_pool(), fill(seed=10))
    os.kill(child(), signal.SIGKILL)
    assert not finished(shared_pool(), fill(seed=11)).from_store


def test_a_stopped_render_process_is_found_by_its_silence_and_replaced() -> None:
    ear = Ear()
    ticket = shared_pool().submit(endless(), ear)
    ear.wait_for_step(1)
    before = child()
    os.kill(before, signal.SIGSTOP)
    final = ended(ticket)
    assert isinstance(final, Failed)
    assert "said nothing for" in final.message
    finished(shared_pool(), fill(seed=12))
    assert not os.path.exists(f"/proc/{before}")  # noqa: PTH110


def test_unusable_audio_is_refused_by_name() -> None:
    broken = song().samples.copy()
    broken[1, 100] = np.nan
    final = ended(shared_pool().submit(fill(clip=Clip(broken, RATE)), lambda event: None))
    assert isinstance(final, Failed)
    assert final.code is Code.INVALID
    assert "sample 100" in final.message
    finished(shared_pool(), fill(seed=13))


def test_a_preset_that_this_machine_has_not_is_the_clients_fault_and_says_which_there_are() -> None:
    final = ended(shared_pool().submit(fill(preset="never written"), lambda event: None))
    assert isinstance(final, Failed)
    assert final.code is Code.INVALID
    assert final.message.startswith("unknown preset 'never written'")


def test_a_listener_that_raises_does_not_disturb_the_job() -> None:
    def bad(event: object) -> None:
        raise RuntimeError("no")

    assert isinstance(ended(shared_pool().submit(fill(seed=14), bad)), Finished)


def test_counts_reconcile_and_nothing_is_left_behind() -> None:
    finished(shared_pool(), fill(seed=15))
    counts = shared_pool().status().counts
    ended_ = counts.finished + counts.failed + counts.cancelled + counts.timed_out
    assert counts.submitted == ended_
    assert (counts.waiting, counts.running) == (0, 0)
    assert shared_pool().status().jobs == ()
    names = [t.name for t in threading.enumerate() if t.name.startswith("segue-")]
    assert sorted(names) == sorted(set(names)), "a process's threads end with it"


def test_where_no_process_can_start_waiting_jobs_are_told_why() -> None:
    with Pool([DeviceSettings(bundle="no-such-bundle")]) as pool:
        final = ended(pool.submit(fill(seed=16), lambda event: None))
        assert isinstance(final, Failed)
        assert "no-such-bundle" in final.message
        (device,) = pool.status().devices
        assert device.state in ("lost", "starting")
    with pytest.raises(ResourceError, match="shutting down"):
        pool.submit(fill(seed=16), lambda event: None)


def test_closing_ends_every_job_and_process() -> None:
    pool, ears = Pool([DeviceSettings(threads=1)]), [Ear(), Ear()]
    tickets = [pool.submit(endless(seed), ear) for seed, ear in enumerate(ears)]
    ears[0].wait_for_step(1)
    pid = pool.status().devices[0].pid
    began = time.monotonic()
    pool.close("enough for today")
    assert time.monotonic() - began < 10.0
    finals = [ticket.final for ticket in tickets]
    assert all(isinstance(final, Failed) and final.message == "enough for today" for final in finals)
    assert [ear.finals for ear in ears] == [[final] for final in finals]
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110
