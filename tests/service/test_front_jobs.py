"""Jobs through a live front, message by message: admission, credit, cancel, exactly one final message."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgpack
import numpy as np
import pytest

from segue.clip.span import Span
from segue.render.settings import RenderSettings
from segue.service.catalog import Catalog
from segue.service.front.dispatch import Dispatch
from segue.service.front.peers import Peer as Connected
from segue.service.front.settings import FrontSettings
from segue.service.jobs import Job
from segue.service.keys import KeyRing
from segue.service.pool import Pool
from segue.service.settings import DeviceSettings, Limits
from segue.service.wire import chunk_of, submit_of
from segue_protocol import messages
from segue_protocol.errors import ProtocolError
from segue_protocol.session import ClientSession, Nonces
from segue_protocol.streams import Shape, stream_digest
from tests.pools import RATE, endless, fill, song
from tests.renderers import Peer, RunningRenderer, impatient_renderer, shared_renderer, submit, until


def start(peer: Peer, name: str, submit: messages.Submit) -> messages.Accepted:
    """An accepted job with all its audio; a busy renderer is asked again."""
    for _ in range(100):
        peer.send(submit)
        answer = peer.await_((messages.Accepted, messages.Busy, messages.Error))
        if isinstance(answer, messages.Accepted):
            if answer.needs:
                peer.send_audio(name, song().samples, answer)
            return answer
        assert isinstance(answer, messages.Busy), answer
        time.sleep(0.2)
    raise AssertionError("always busy")


def test_a_job_by_hand_gives_candidates_then_recipe_and_result_and_nothing_after_it() -> None:
    with Peer(shared_renderer().content) as peer:
        start(peer, "a", submit("a"))
        heard = []
        while not heard or not isinstance(heard[-1].message, messages.FINAL):
            received = peer.receive(240.0)
            assert received is not None
            heard.append(received)
        kinds = [type(one.message) for one in heard if not isinstance(one.message, messages.Progress | messages.Credit)]
        final = heard[-1].message
        assert isinstance(final, messages.Result), final
        assert kinds[0] is messages.Candidate
        assert kinds[-2:] == [messages.CandidateRecipe, messages.Result]
        chunks = sum(one.message.samples for one in heard if isinstance(one.message, messages.Chunk))
        offered = [one.message for one in heard if isinstance(one.message, messages.Candidate)]
        assert chunks == sum(patch.samples for one in offered for patch in one.patches)
        assert {patch.start for one in offered for patch in one.patches} == {5 * RATE}
        assert json.loads(heard[-1].text)["task"] == "infill"
        fractions = [one.message.fraction for one in heard if isinstance(one.message, messages.Progress)]
        assert fractions == sorted(fractions)
        assert peer.silent(0.3)


def test_the_renderer_sends_no_chunk_without_credit_and_goes_on_when_it_comes() -> None:
    with Peer(shared_renderer().content) as peer:
        start(peer, "a", submit("a", credits_=0))
        peer.await_(messages.Candidate)
        while (received := peer.receive(0.5)) is not None:
            assert isinstance(received.message, messages.Progress), received.message
        peer.send(messages.Credit(job="a", generation=0, chunks=100))
        assert isinstance(peer.await_((messages.Chunk, *messages.FINAL)), messages.Chunk)
        assert isinstance(peer.final("a"), messages.Result)


def test_a_client_that_gives_no_credit_hears_of_the_end_of_its_jobs_all_the_same() -> None:
    with Peer(shared_renderer().content) as peer:
        start(peer, "unwanted", submit("unwanted", endless(), credits_=0))
        peer.await_(messages.Candidate)
        peer.send(messages.Cancel(job="unwanted", generation=0))
        assert isinstance(peer.final("unwanted"), messages.Cancelled)
        for deadline in (15.0, 30.0, 60.0, 120.0):  # one that leaves time for a candidate
            start(peer, "late", submit("late", endless(), credits_=0, deadline=deadline))
            heard = peer.await_((messages.Candidate, *messages.FINAL))
            assert isinstance(peer.final("late"), messages.Timeout)
            if isinstance(heard, messages.Candidate):
                break
        assert isinstance(heard, messages.Candidate)


def test_a_job_that_ends_by_a_bad_message_does_not_go_on_rendering() -> None:
    with Peer(shared_renderer().content) as peer:
        start(peer, "a", submit("a", endless()))
        while peer.await_(messages.Progress).stage != "sample":
            pass
        peer.put(msgpack.packb({"type": "CREDIT", "job": "a", "generation": 0, "chunks": 0}))
        final = peer.final("a")
        assert isinstance(final, messages.Failed)
        assert final.code == "INVALID"
        assert until(lambda: shared_renderer().counts()["jobs_running"] == 0, 60.0)


def test_a_refused_submit_that_repeats_the_id_of_a_running_job_is_answered_by_error_and_the_job_goes_on() -> None:
    plain = submit("a").model_dump(exclude_none=True)
    huge = [{**plain["streams"][0], "samples": 2**38, "rate": 768000}]
    with Peer(shared_renderer().content) as peer:
        start(peer, "a", submit("a", endless()))
        while peer.await_(messages.Progress).stage != "sample":
            pass
        for changed, code in (
            ({}, "INVALID"),  # in use
            ({"streams": huge}, "INVALID"),  # in use, and too large
            ({"task": "dream"}, "INVALID"),
            ({"credits": 2000}, "INVALID"),  # the codec refuses it
            ({"streams": 7}, "MALFORMED"),
        ):
            peer.put(msgpack.packb({"type": "SUBMIT", **plain, **changed}))
            refused = peer.await_((messages.Error, *messages.FINAL))
            assert isinstance(refused, messages.Error), refused
            assert (refused.job, refused.code) == ("a", code)
        peer.put(msgpack.packb({"type": "SUBMIT", **plain}), b"payload")
        assert peer.await_((messages.Error, *messages.FINAL)).TYPE == "ERROR"
        assert isinstance(peer.await_((messages.Progress, *messages.FINAL)), messages.Progress)
        peer.send(messages.Cancel(job="a", generation=0))
        assert isinstance(peer.final("a"), messages.Cancelled)


def test_what_nobody_foresaw_is_answered_by_an_error_with_the_job_or_the_nonce_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    presets = tmp_path / "segue" / "presets"
    presets.mkdir(parents=True)
    (presets / "odd.toml").write_text(f'about = "more digits than Python reads"\n[tags]\nrock = {"9" * 5000}\n')
    renderer = RunningRenderer(tmp_path, "--drain", "0", "--no-store")
    try:
        with Peer(renderer.content) as peer:
            refused = peer.submit("a", settings={**submit("a").settings.model_dump(), "preset": "odd"})
            assert isinstance(refused, messages.Error)
            assert (refused.job, refused.code) == ("a", "INTERNAL")
            assert isinstance(peer.submit("a"), messages.Accepted)
    finally:
        renderer.kill()

    class Damaged(Catalog):
        @property
        def bundles(self) -> tuple[messages.Bundle, ...]:
            raise ZeroDivisionError("nobody foresaw this")

    secret = "ab" * 32
    client = ClientSession(bytes.fromhex(secret), "test 1")
    keys = KeyRing(tmp_path / "keys").client("local").model_copy(update={"session": secret})
    connected = Connected(b"route", 0, keys, Nonces())
    with Pool([DeviceSettings(threads=1)]) as pool:
        settings = FrontSettings(bind=("ipc://unused",))
        dispatch = Dispatch(pool, Damaged(folder=tmp_path), settings, Limits(), 1, lambda job, event: None)
        with pytest.raises(ProtocolError) as caught:
            dispatch.handle(connected, connected.open(client.hello()))
        dispatch.refuse(connected, caught.value)
    frames = connected.outbox.next()
    assert frames is not None
    answer = client.open(frames).message  # which compares the nonce
    assert isinstance(answer, messages.Error)
    assert answer.code == "INTERNAL"


def test_a_client_that_pings_and_gives_no_credit_cannot_pile_up_results() -> None:
    renderer, track = shared_renderer(), song(30.0)
    quick = RenderSettings(0, steps=1, method="splice")
    job = Job("infill", track, quick, gaps=(Span(10 * RATE, 20 * RATE),))  # 3.4 MiB each, of 64 that may wait
    with Peer(renderer.content) as peer:
        peer.send(submit_of(job, "first", 1000))
        peer.send_audio("first", track.samples, peer.await_(messages.Accepted))
        assert isinstance(peer.final("first"), messages.Result)
        before = renderer.counts()

        def grown(name: str) -> float:
            return renderer.counts()[name] - before[name]

        for number in range(60):
            peer.send(submit_of(job, f"more-{number}", 0))
            peer.send(messages.Ping(token=number))
            while peer.receive(0.1) is not None:
                pass
        assert grown("jobs_accepted_total") < 30
        assert until(lambda: grown("clients_evicted_total") == 1 or peer.send(messages.Ping(token=1)) is not None)
    assert until(lambda: renderer.counts()["clients"] == 0)


def test_cancel_in_every_state_and_twice_gives_exactly_one_final_message_each() -> None:
    cancel = {"generation": 0}
    with Peer(shared_renderer().content) as peer:
        peer.send(messages.Cancel(job="never-was", **cancel))  # ignored
        peer.send(submit("receiving"))
        peer.await_(messages.Accepted)
        for _ in range(2):
            peer.send(messages.Cancel(job="receiving", **cancel))
        assert isinstance(peer.final("receiving"), messages.Cancelled)

        start(peer, "running", submit("running", endless()))
        start(peer, "queued", submit("queued", fill(seed=1)))
        peer.send(messages.Cancel(job="queued", **cancel))
        assert isinstance(peer.final("queued", 20.0), messages.Cancelled)
        while peer.await_(messages.Progress).stage != "sample":
            pass
        for _ in range(2):
            peer.send(messages.Cancel(job="running", **cancel))
        assert isinstance(peer.final("running"), messages.Cancelled)

        start(peer, "sending", submit("sending", fill(seed=2), credits_=0))
        peer.await_(messages.Candidate)
        assert until(lambda: shared_renderer().counts()["jobs_running"] == 0, 60.0)
        for _ in range(2):
            peer.send(messages.Cancel(job="sending", **cancel))
        assert isinstance(peer.final("sending"), messages.Cancelled)

        start(peer, "over", submit("over", fill(seed=2)))
        assert isinstance(peer.final("over"), messages.Result)
        peer.send(messages.Cancel(job="over", **cancel))
        peer.send(messages.Ping(token=3))
        assert peer.await_((messages.Pong, *messages.FINAL)) == messages.Pong(token=3)


def test_jobs_of_a_client_that_leaves_or_begins_a_new_session_end_and_free_their_places() -> None:
    def live() -> float:
        with Peer(shared_renderer().content) as other:
            other.send(messages.Status())
            return len(other.await_(messages.StatusReply).jobs)

    for leave in ("goodbye", "vanish", "greet again"):
        peer = Peer(shared_renderer().content)
        start(peer, "a", submit("a", endless()))
        assert live() == 1
        if leave == "goodbye":
            peer.send(messages.Goodbye())
        elif leave == "greet again":
            peer.greet()
            peer.send(messages.Ping(token=1))
        else:
            peer.close()
        assert until(lambda: live() == 0), leave
        if leave != "vanish":
            peer.close()
    assert until(lambda: shared_renderer().counts()["jobs_running"] == 0, 60.0)


def test_a_new_session_of_the_same_connection_may_use_the_ids_of_the_one_before() -> None:
    with Peer(shared_renderer().content) as peer:
        start(peer, "a", submit("a", endless()))
        peer.greet()
        assert isinstance(peer.submit("a"), messages.Accepted)
        peer.send(messages.Cancel(job="a", generation=0))
        assert isinstance(peer.final("a"), messages.Cancelled)
    assert until(lambda: shared_renderer().counts()["jobs_running"] == 0, 60.0)


def test_a_client_that_announces_audio_and_sends_none_loses_its_place_in_time() -> None:
    with Peer(impatient_renderer().content) as peer:
        began = time.monotonic()
        assert isinstance(peer.submit("slow"), messages.Accepted)
        final = peer.final("slow", 20.0)
        assert isinstance(final, messages.Failed)
        assert final.code == "TIMEOUT"
        assert 2.5 < time.monotonic() - began < 10.0
        assert isinstance(peer.submit("late", deadline=0.5), messages.Accepted)
        assert isinstance(peer.final("late", 20.0), messages.Timeout)


def test_audio_is_checked_chunk_by_chunk_and_only_its_own_job_fails() -> None:
    audio = song().samples
    bad = audio.copy()
    bad[0, 9] = np.nan
    about = {"generation": 0, "stream": 0, "channels": 2, "samples": 4096}
    with Peer(shared_renderer().content) as peer:
        for name, code, chunk, payload in (
            ("nan", "NONFINITE", {"offset": 0}, chunk_of(bad, 0, 4096)),
            ("order", "MALFORMED", {"offset": 4096}, chunk_of(audio, 4096, 4096)),
            ("stream", "MALFORMED", {"offset": 0, "stream": 5}, chunk_of(audio, 0, 4096)),
            ("mono", "MALFORMED", {"offset": 0, "channels": 1, "samples": 8192}, chunk_of(audio, 0, 4096)),
        ):
            assert isinstance(peer.submit(name), messages.Accepted)
            peer.send(messages.Chunk(job=name, **{**about, **chunk}), payload)
            final = peer.final(name, 20.0)
            assert isinstance(final, messages.Failed)
            assert final.code == code
        start(peer, "good", submit("good"))
        assert isinstance(peer.final("good"), messages.Result)


def test_a_wrong_digest_fails_the_job_and_a_right_one_saves_the_audio_next_time() -> None:
    audio = song().samples
    asked = submit_of(fill(), "wrong", 8).model_dump()
    right = stream_digest(RATE, Shape(*audio.shape), memoryview(audio).cast("B"))
    assert [stream["digest"] for stream in asked["streams"]] == [right]

    def named(name: str, digest: str) -> messages.Submit:
        return submit(name, streams=({**asked["streams"][0], "digest": digest},))

    with Peer(shared_renderer().content) as peer:
        start(peer, "wrong", named("wrong", "0" * 64))
        final = peer.final("wrong")
        assert isinstance(final, messages.Failed)
        assert final.code == "INVALID"
        start(peer, "right", named("right", right))
        assert isinstance(peer.final("right"), messages.Result)
        assert start(peer, "known", named("known", right)).needs == ()
        assert isinstance(peer.final("known"), messages.Result)


def test_a_hundred_clients_wait_and_status_and_ping_are_answered_at_once() -> None:
    content = shared_renderer().content
    with Peer(content) as busy, ThreadPoolExecutor(20) as threads:
        start(busy, "a", submit("a", endless()))
        peers = list(threads.map(lambda _: Peer(content), range(100)))
        for peer in peers:
            peer.send(submit("b"))
        answers = [peer.await_((messages.Accepted, messages.Busy)) for peer in peers]
        assert sum(isinstance(answer, messages.Accepted) for answer in answers) == 4
        waits = [answer.retry_after for answer in answers if isinstance(answer, messages.Busy)]
        assert len(waits) == 96
        assert all(0.5 <= wait <= 60.0 for wait in waits)
        times = []
        for token in range(20):
            began = time.perf_counter()
            busy.send(messages.Status() if token % 2 else messages.Ping(token=token))
            busy.await_((messages.StatusReply, messages.Pong))
            times.append(time.perf_counter() - began)
        assert sorted(times)[len(times) // 2] < 0.1
        list(threads.map(Peer.close, peers))
        busy.send(messages.Cancel(job="a", generation=0))
        assert isinstance(busy.final("a"), messages.Cancelled)


def test_counts_reconcile_every_accepted_job_has_ended_once() -> None:
    def agree() -> bool:
        counts = shared_renderer().counts()
        return counts["jobs_accepted_total"] == sum(v for k, v in counts.items() if k.startswith("jobs_ended"))

    assert until(agree)
