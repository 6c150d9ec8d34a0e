"""Jobs, tickets and the queue, without a worker."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.clip import Clip
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.render.settings import RenderSettings
from segue.service.events import Cancelled, Event, Failed
from segue.service.header import Identity, describe, digests_of, material_key, request_key, settings_of
from segue.service.jobs import Job
from segue.service.queue import Busy, Door, JobQueue
from segue.service.ticket import Ticket
from segue_protocol.errors import Code

CLIP = Clip(np.zeros((2, 1000), np.float32), 8000)
GAP = (Span(100, 200),)
OTHER = Clip(np.ones((2, 800), np.float32), 8000)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"task": "dream"}, "unknown task 'dream'"),
        ({"task": "infill", "gaps": ()}, "needs gaps"),
        ({"overlap": 5}, "no use for overlap"),
        ({"curves": {"freedom": Curve.constant(0.5)}}, "no curve freedom"),
        ({"task": "regenerate", "curves": {"wetness": Curve.constant(0.5)}}, "no curve wetness"),
        ({"task": "regenerate", "curves": {"freedom": Curve.constant(1.5)}}, "freedom must lie"),
        ({"gaps": (Span(900, 1100),)}, "not inside the clip"),
        ({"gaps": (Span(5, 5),)}, "empty"),
        ({"gaps": (Span(1, 9), Span(8, 12))}, "overlap"),
        ({"task": "continuation", "gaps": (), "added": -1}, "0 or more"),
        ({"task": "transition", "gaps": (), "overlap": 10}, "needs other"),
        ({"clip": Clip(np.zeros((2, 1000)), 8000)}, "float64"),
        ({"clip": Clip(np.zeros((3, 1000), np.float32), 8000)}, "mono or stereo"),
        ({"clip": Clip(np.zeros((2, 1000), np.float32), 10)}, "sample rate"),
        ({"clip": Clip(np.zeros((2, 0), np.float32), 8000)}, "no samples"),
        ({"names": ("a", "b")}, "a name for each of 1"),
        ({"generation": -1}, "generation"),
        ({"deadline": 0.0}, "deadline"),
        ({"deadline": float("nan")}, "deadline"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused_when_it_is_made(given_: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        Job(**{"task": "infill", "clip": CLIP, "gaps": GAP, **given_})


def key(**given_: Any) -> str:
    job = Job(**{"task": "infill", "clip": CLIP, "gaps": GAP, **given_})
    return request_key(describe(job, digests_of(job)), IDENTITY)


IDENTITY = Identity("tiny", "ab" * 32, "cpu", {"segue": "0"})


def test_requests_have_the_same_name_exactly_if_their_results_are_the_same() -> None:
    changed = CLIP.samples.copy()
    changed[0, 0] = -0.0
    different = [
        key(),
        key(gaps=(Span(100, 201),)),
        key(settings=RenderSettings(seed=1)),
        key(settings=RenderSettings(bundle="other")),
        key(clip=Clip(changed, 8000)),
        key(clip=Clip(CLIP.samples, 8001)),
        key(songs=(OTHER,)),
        key(names=("other",)),
        key(task="regenerate"),
        key(task="regenerate", curves={"freedom": Curve.constant(0.5)}),
    ]
    assert len(set(different)) == len(different)
    assert key(generation=7, deadline=3.0) == key()
    assert key(clip=Clip(CLIP.samples.copy(), 8000)) == key()
    job = Job("infill", CLIP, gaps=GAP)
    assert request_key(describe(job, digests_of(job)), Identity("tiny", "cd" * 32, "cpu", {})) != key()


def test_a_header_keeps_the_settings_and_names_the_material_without_them() -> None:
    settings_ = RenderSettings(3, 5, "ddim", 2, "a-bundle", "splice")
    one = Job("infill", CLIP, settings_, gaps=GAP)
    header = describe(one, digests_of(one))
    assert settings_of(header) == settings_
    other = Job("infill", CLIP, gaps=GAP)
    assert material_key(header) == material_key(describe(other, digests_of(other)))


def ticket(client: str = "", events: list[Event] | None = None, length: int = 1000) -> Ticket:
    clip = Clip(np.zeros((1, length), np.float32), 8000)
    heard: list[Event] = [] if events is None else events
    return Ticket(Job("infill", clip, gaps=(Span(1, 5),)), heard.append, client, lambda: None)


def test_many_threads_that_end_a_ticket_get_one_final_event() -> None:
    for _ in range(200):
        events: list[Event] = []
        shared, gate, claims = ticket(events=events), threading.Barrier(4), []

        def owner(shared: Ticket = shared, gate: threading.Barrier = gate, claims: list[bool] = claims) -> None:
            gate.wait()
            if shared.claim():
                claims.append(True)
                shared.seal(Failed.of(Code.INTERNAL, "done"))
                shared.announce()

        def canceller(shared: Ticket = shared, gate: threading.Barrier = gate) -> None:
            gate.wait()
            shared.cancel()

        threads = [threading.Thread(target=work) for work in (owner, owner, canceller, canceller)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert claims == [True]
        assert events == [shared.final]
        assert shared.cancel() == isinstance(shared.final, Cancelled)


def test_clients_are_served_in_turn() -> None:
    waiting = JobQueue(10, 1 << 30, 1)
    for client in "aaaabbc":
        one = ticket(client)
        waiting.admit(one)
        waiting.offer(one)
    taken = [waiting.take(0.0) for _ in range(7)]
    assert "".join(one.client for one in taken if one is not None) == "abcabaa"
    assert waiting.take(0.0) is None


def test_the_queue_is_bounded_in_bytes_but_takes_one_of_any_size() -> None:
    waiting = JobQueue(10, 10_000, 1)
    waiting.admit(ticket(length=100_000))
    with pytest.raises(Busy, match="MiB") as refused:
        waiting.admit(ticket(length=10))
    assert refused.value.retry_after > 0.0


def test_those_refused_in_a_row_are_told_to_come_back_one_after_the_other() -> None:
    door = Door(1, 1 << 30, 1)
    for _ in range(30):
        door.rendered(10.0)
    waits = []
    for _ in range(8):
        with pytest.raises(Busy) as refused:
            door.check(1, [1])
        waits.append(refused.value.retry_after)
    assert waits == sorted(waits)
    assert len(set(waits[:5])) == 5
    assert waits[-1] == 60.0
    door.check(1, [])  # there is a place: who is refused next is the first again
    with pytest.raises(Busy) as refused:
        door.check(1, [1])
    assert refused.value.retry_after == pytest.approx(waits[0], rel=0.05)


def test_the_wait_that_is_named_follows_the_pace_of_the_workers() -> None:
    def wait(seconds: float, workers: int) -> float:
        waiting = JobQueue(1, 1 << 30, workers)
        waiting.admit(ticket())
        for _ in range(30):
            waiting.rendered(seconds)
        with pytest.raises(Busy) as refused:
            waiting.admit(ticket())
        return refused.value.retry_after

    assert wait(20.0, 1) == pytest.approx(20.0, rel=0.05)
    assert wait(20.0, 2) == pytest.approx(10.0, rel=0.05)
    assert wait(0.01, 1) == 0.5
    assert wait(1e6, 1) == 60.0


def test_those_refused_in_a_row_come_back_one_after_the_other_however_long_the_render_takes() -> None:
    now = 0.0
    door = Door(1, 1 << 30, 1, lambda: now)

    def waits() -> list[float]:
        """Of four refused in a row, after one was let in."""
        door.check(1, ())
        told = []
        for _ in range(4):
            with pytest.raises(Busy) as refused:
                door.check(1, [1])
            told.append(refused.value.retry_after)
        return told

    assert waits() == [5.0, 10.0, 15.0, 20.0]
    now = 2.0
    assert waits() == [3.0, 8.0, 13.0, 18.0]
    now = 600.0  # ten minutes into a render
    assert waits() == [0.5, 5.0, 10.0, 15.0]
    door.rendered(5.0)
    assert waits() == [5.0, 10.0, 15.0, 20.0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["enter", "offer", "take", "remove", "give back"]), st.integers(0, 5))))
def test_whatever_happens_no_ticket_is_lost_or_taken_twice(moves: list[tuple[str, int]]) -> None:
    waiting, places = JobQueue(4, 1 << 30, 1), 4
    admitted: list[Ticket] = []
    offered: set[Ticket] = set()
    taken: Counter[Ticket] = Counter()
    for move, number in moves:
        if move == "enter":
            one = ticket(str(number % 3))
            try:
                waiting.admit(one)
                admitted.append(one)
            except Busy:
                assert len(waiting) >= places
        elif move == "take":
            got = waiting.take(0.0)
            assert (got is None) == (not offered)
            if got is not None:
                taken[got] += 1
                assert taken[got] == 1
                offered.remove(got)
                admitted.remove(got)
        elif move == "give back" and taken:
            one = taken.popitem()[0]
            waiting.give_back(one)
            admitted.append(one)
            offered.add(one)
        elif admitted:
            one = admitted[number % len(admitted)]
            if move == "remove":
                waiting.remove(one)
                admitted.remove(one)
                offered.discard(one)
            elif move == "offer" and one not in offered:
                waiting.offer(one)
                offered.add(one)
        assert len(waiting) == len(admitted)
