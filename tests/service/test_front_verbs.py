"""``segue.Client`` against the library: the same verbs, the same samples."""

from __future__ import annotations

import secrets
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import zmq

import segue
from segue.client import Candidate, ServiceError
from segue.errors import BundleRejected, Cancelled, InvalidRequest
from segue_protocol import messages
from segue_protocol.connection_file import ConnectionFile, write_connection_file
from segue_protocol.session import Nonces, RendererSession
from tests.pools import RATE
from tests.renderers import shared_renderer
from tests.songs import loop_song

QUICK = segue.RenderSettings(seed=7, steps=1, method="splice")


@pytest.fixture(scope="module")
def client():
    with segue.Client(shared_renderer().file, patience=240.0) as made:
        yield made


def same(one: segue.Result, other: segue.Result) -> bool:
    pairs = zip(one.candidates, other.candidates, strict=True)
    return one.recipe == other.recipe and one.rate == other.rate and all(a.tobytes() == b.tobytes() for a, b in pairs)


def test_fill_equals_the_library_at_another_rate_with_two_gaps_and_a_song(client: segue.Client) -> None:
    audio = loop_song(48000, 12.0)
    asked = {"gap": [(6.0, 6.5), (3.0, 3.2)], "song": [(loop_song(RATE, 6.0, seed=2), RATE)]}
    asked["settings"] = segue.RenderSettings(seed=7, steps=1)
    heard: list[Candidate] = []
    got = client.fill(audio, 48000, **asked, on_candidate=heard.append)
    assert same(got, segue.fill(audio, 48000, **asked))
    assert {gap for one in heard for gap in one.gaps} == {0, 1}
    assert got.report["task"] == "infill"


def test_regenerate_equals_the_library_with_a_freedom_curve_and_two_candidates(client: segue.Client) -> None:
    audio, settings = loop_song(RATE, 10.0), segue.RenderSettings(seed=1, steps=1, candidates=2)
    asked = {"gap": (5.0, 5.5), "freedom": [(5.0, 0.2), (5.5, 0.9)], "settings": settings}
    got = client.regenerate(audio, RATE, **asked)
    assert len(got.candidates) == 2
    assert same(got, segue.regenerate(audio, RATE, **asked))


@pytest.mark.parametrize("backward", [False, True])
def test_extend_equals_the_library_in_both_directions(client: segue.Client, backward: bool) -> None:
    audio = loop_song(RATE, 8.0)
    got = client.extend(audio, RATE, 0.5, backward=backward, settings=QUICK)
    assert same(got, segue.extend(audio, RATE, 0.5, backward=backward, settings=QUICK))
    assert got.audio.shape == (2, 8 * RATE + RATE // 2)


def test_transition_equals_the_library(client: segue.Client) -> None:
    left, right = loop_song(RATE, 8.0), loop_song(RATE, 8.0, seed=3)
    asked = {"overlap": 0.5, "settings": segue.RenderSettings(steps=1)}
    assert same(client.transition(left, right, RATE, **asked), segue.transition(left, right, RATE, **asked))


def test_the_same_again_comes_from_the_store_without_its_audio_being_sent(client: segue.Client) -> None:
    audio = loop_song(RATE, 10.0)
    first = client.fill(audio, RATE, (5.0, 6.0), settings=QUICK)
    before = shared_renderer().counts()
    again = client.fill(audio, RATE, (5.0, 6.0), settings=QUICK)
    after = shared_renderer().counts()
    assert same(first, again)
    assert after["received_bytes_total"] == before["received_bytes_total"]
    assert after["jobs_from_store_total"] == before["jobs_from_store_total"] + 1


def test_what_is_wrong_is_refused_as_the_library_refuses_it_and_the_next_request_works(client: segue.Client) -> None:
    audio = loop_song(RATE, 10.0)
    for kind, refused in (
        (InvalidRequest, {"gap": (5.0, 5.0)}),
        (InvalidRequest, {"gap": (9.0, 11.0)}),
        (InvalidRequest, {"gap": (5.0, 6.0), "settings": segue.RenderSettings(sampler="none")}),
        (InvalidRequest, {"gap": (5.0, 6.0), "settings": segue.RenderSettings(method="none")}),
        (BundleRejected, {"gap": (5.0, 6.0), "settings": segue.RenderSettings(bundle="none")}),
    ):
        with pytest.raises(kind):
            client.fill(audio, RATE, **refused)
    assert client.fill(audio, RATE, (5.0, 6.0), settings=QUICK).rate == RATE


def test_a_callback_cancel_from_another_thread_and_a_callback_that_raises_stop_the_render(client: segue.Client) -> None:
    audio, endless = loop_song(RATE, 10.0), segue.RenderSettings(steps=1000)

    def at_step(work):
        return lambda progress: work() if progress.stage == "sample" and progress.step > 1 else None

    with pytest.raises(Cancelled):
        client.fill(audio, RATE, (5.0, 6.0), settings=endless, callback=at_step(lambda: False))
    with pytest.raises(Cancelled):
        thread = threading.Thread(target=client.cancel)
        start = at_step(lambda: thread.start() if thread.ident is None else None)
        client.fill(audio, RATE, (5.0, 6.0), settings=endless, callback=start)
    thread.join()
    with pytest.raises(ZeroDivisionError):
        client.fill(audio, RATE, (5.0, 6.0), settings=endless, callback=at_step(lambda: 1 // 0))
    assert client.fill(audio, RATE, (5.0, 6.0), settings=QUICK).rate == RATE
    assert not np.array_equal(audio, loop_song(RATE, 10.0, seed=1))


def test_a_cancel_while_the_client_connects_stops_the_job_before_it_is_sent() -> None:
    class CancelledMeanwhile(ConnectionFile):
        @property
        def secret_bytes(self) -> bytes:
            client.cancel()
            return super().secret_bytes

    renderer = shared_renderer()
    before = renderer.counts()["jobs_accepted_total"]
    with segue.Client(CancelledMeanwhile(**renderer.content.model_dump())) as client:
        with pytest.raises(Cancelled, match="before the job was sent"):
            client.fill(loop_song(RATE, 10.0), RATE, (5.0, 6.0), settings=QUICK)
        assert renderer.counts()["jobs_accepted_total"] == before
        assert client.fill(loop_song(RATE, 10.0), RATE, (5.0, 6.0), settings=QUICK).rate == RATE


def test_without_a_renderer_the_error_says_what_to_do(tmp_path) -> None:
    with pytest.raises(ServiceError, match="segue serve") as caught:
        segue.Client(tmp_path / "none.json").status()
    assert caught.value.code == "CONNECTION"


def test_a_renderer_that_does_not_answer_is_given_up_within_its_time(tmp_path) -> None:
    write_connection_file(
        tmp_path / "c.json", shared_renderer().content.model_copy(update={"endpoint": "tcp://127.0.0.1:9"})
    )
    with pytest.raises(ServiceError) as caught:
        segue.Client(tmp_path / "c.json").status()
    assert caught.value.code == "CONNECTION"


@contextmanager
def taciturn_renderer(answer: messages.Message | None) -> Iterator[ConnectionFile]:
    """It welcomes and plays along with PING; ``answer`` is all that it says to anything else."""
    with segue.Client(shared_renderer().file) as client:
        welcome = client.welcome
    content, stopped = shared_renderer().content, threading.Event()
    public, secret = zmq.curve_keypair()
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.linger, router.curve_server = 0, True
    router.curve_publickey, router.curve_secretkey = public, secret
    port = router.bind_to_random_port("tcp://127.0.0.1")
    session = RendererSession(content.secret_bytes, Nonces())

    def serve() -> None:
        while not stopped.is_set():
            if not router.poll(50):
                continue
            route, *frames = router.recv_multipart()
            message = session.open(frames).message
            said = messages.Pong(token=message.token) if isinstance(message, messages.Ping) else answer
            if isinstance(message, messages.Hello):
                nonces = {"client_nonce": message.nonce, "nonce": secrets.token_bytes(32)}
                router.send_multipart([route, *session.welcome(welcome.model_copy(update=nonces))])
            elif said is not None:
                router.send_multipart([route, *session.seal(said)])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        about = {"endpoint": f"tcp://127.0.0.1:{port}", "server_public_key": public.decode()}
        yield content.model_copy(update=about)
    finally:
        stopped.set()
        thread.join()
        router.close()
        context.term()


@pytest.mark.parametrize(
    ("answer", "code"),
    [(None, "LOST"), (messages.Error(code="INTERNAL", message="a defect", remedy="report it"), "INTERNAL")],
)
def test_a_status_that_never_comes_is_given_up_and_a_refused_one_is_raised(
    answer: messages.Message | None, code: str
) -> None:
    with taciturn_renderer(answer) as content:
        raised: list[ServiceError] = []

        def ask() -> None:
            with segue.Client(content) as client:
                try:
                    client.status()
                except ServiceError as error:
                    raised.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(60.0)
        assert [error.code for error in raised] == [code]


def test_the_example_client_fills_its_hole_and_hears_candidates() -> None:
    script = Path(__file__).parents[2] / "examples" / "client.py"
    command = [sys.executable, str(script), str(shared_renderer().file)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert shown.returncode == 0, shown.stderr
    assert "to be heard: splice" in shown.stdout
    assert "filled with:" in shown.stdout


def test_a_client_with_its_settings_loads_neither_torch_nor_a_runtime() -> None:
    script = """
        import sys, segue
        with segue.Client(sys.argv[1]) as client:
            client.status()
        print(segue.RenderSettings(steps=1), segue.Curve.of(0.5), segue.Progress, segue.Result)
        assert not {"torch", "onnxruntime"} & set(sys.modules)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(shared_renderer().file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
