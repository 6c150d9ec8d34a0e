"""The handshake, and who may end a session."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue_protocol import ClientSession, Code, Nonces, ProtocolError, RendererSession, as_message, spoken
from segue_protocol import messages as m
from segue_protocol.codec import Frame
from segue_protocol.vectors.valid import LIMITS

SECRET = bytes(range(32))


def _welcome(hello: m.Hello) -> m.Welcome:
    lists: dict[str, tuple[()]] = {"tasks": (), "samplers": (), "bundles": (), "presets": ()}
    return m.Welcome(nonce=os.urandom(32), client_nonce=hello.nonce, renderer="0.1.0", limits=LIMITS, **lists)


def _greet(client: ClientSession, renderer: RendererSession) -> list[Frame]:
    """A handshake; the frames of its HELLO."""
    frames = client.hello()
    hello = renderer.open(frames).message
    assert isinstance(hello, m.Hello)
    client.open(renderer.welcome(_welcome(hello)))
    return frames


def _pair() -> tuple[ClientSession, RendererSession]:
    client, renderer = ClientSession(SECRET, "test 1"), RendererSession(SECRET, Nonces())
    _greet(client, renderer)
    renderer.open(client.seal(m.Ping(token=0)))
    return client, renderer


def _refused(renderer: RendererSession | ClientSession, frames: list[Frame]) -> ProtocolError:
    with pytest.raises(ProtocolError) as refused:
        renderer.open(frames)
    return refused.value


def test_after_the_handshake_both_sides_understand_each_other() -> None:
    client, renderer = _pair()
    assert client.established
    assert renderer.established
    for token in range(3):
        assert renderer.open(client.seal(m.Ping(token=token))).message == m.Ping(token=token)
        assert client.open(renderer.seal(m.Pong(token=token))).message == m.Pong(token=token)


@given(st.lists(st.booleans(), max_size=30))
@settings(max_examples=50, deadline=None)
def test_any_interleaving_of_both_directions_is_understood(turns: list[bool]) -> None:
    client, renderer = _pair()
    for index, from_client in enumerate(turns):
        if from_client:
            assert renderer.open(client.seal(m.Ping(token=index))).message == m.Ping(token=index)
        else:
            assert client.open(renderer.seal(m.Pong(token=index))).message == m.Pong(token=index)


def test_another_secret_is_not_understood() -> None:
    frames = ClientSession(bytes(32), "stranger").hello()
    assert _refused(RendererSession(SECRET, Nonces()), frames).code is Code.UNVERIFIED


def test_nobody_speaks_before_the_handshake() -> None:
    with pytest.raises(ProtocolError) as refused:
        ClientSession(SECRET, "x").seal(m.Ping(token=1))
    assert refused.value.code is Code.LOST
    with pytest.raises(ProtocolError) as refused:
        RendererSession(SECRET, Nonces()).seal(m.Pong(token=1))
    assert refused.value.code is Code.LOST


def test_a_welcome_for_an_older_hello_is_refused() -> None:
    client, renderer = ClientSession(SECRET, "x"), RendererSession(SECRET, Nonces())
    hello = renderer.open(client.hello()).message
    assert isinstance(hello, m.Hello)
    late = renderer.welcome(_welcome(hello))
    client.hello()
    assert _refused(client, late).code is Code.UNVERIFIED
    assert not client.established


def test_a_new_hello_from_the_client_begins_a_new_session_on_the_same_connection() -> None:
    client, renderer = _pair()
    before = renderer.sessions
    _greet(client, renderer)
    assert renderer.open(client.seal(m.Ping(token=9))).message == m.Ping(token=9)
    assert renderer.sessions == before + 1
    assert client.open(renderer.seal(m.Pong(token=9))).message == m.Pong(token=9)


def test_a_hello_that_nobody_follows_up_does_not_end_the_session() -> None:
    client, renderer = _pair()
    hello = renderer.open(ClientSession(SECRET, "other").hello()).message
    assert isinstance(hello, m.Hello)
    renderer.welcome(_welcome(hello))
    assert renderer.open(client.seal(m.Ping(token=1))).message == m.Ping(token=1)
    assert renderer.sessions == 1


def test_a_refused_hello_tells_its_sender_why() -> None:
    client, renderer = ClientSession(SECRET, "x"), RendererSession(SECRET, Nonces())
    hello = renderer.open(client.hello()).message
    assert isinstance(hello, m.Hello)
    error = ProtocolError(Code.BUSY, "expected at most 64 sessions, got one more", nonce=hello.nonce)
    answer = client.open(renderer.refuse(error)).message
    assert answer == as_message(error)
    assert not client.established
    with pytest.raises(ValueError, match="nonce"):
        renderer.refuse(ProtocolError(Code.BUSY, "to nobody"))


def test_a_message_that_cannot_be_packed_is_not_counted() -> None:
    client, renderer = _pair()
    with pytest.raises(ProtocolError):
        client.seal(m.Chunk(job="j", generation=0, stream=0, offset=0, samples=2, channels=1), b"short")
    assert renderer.open(client.seal(m.Ping(token=1))).message == m.Ping(token=1)


def test_a_sealed_message_with_bad_content_is_refused_and_the_next_one_understood() -> None:
    client, renderer = _pair()
    wrong = client.seal(m.Pong(token=1))  # not a client's to send
    assert _refused(renderer, wrong).code is Code.UNSUPPORTED
    assert renderer.open(client.seal(m.Ping(token=2))).message == m.Ping(token=2)


def test_nonces_are_remembered_and_their_number_is_bounded() -> None:
    nonces = Nonces(most=2)
    assert [nonces.add(nonce) for nonce in (b"a", b"b", b"a", b"c")] == [True, True, False, True]
    assert nonces.add(b"a")  # the oldest was forgotten


def test_long_error_texts_are_cut_at_a_character() -> None:
    message = as_message(ProtocolError(Code.INTERNAL, "♪" * 1000)).message
    assert len(message.encode()) <= 2048
    assert message.endswith("♪…")


@pytest.mark.parametrize(("theirs", "both"), [("1.0", "1.0"), ("1.7", "1.0")])
def test_a_session_speaks_the_lower_minor_version(theirs: str, both: str) -> None:
    assert spoken(theirs) == both


@pytest.mark.parametrize(("version", "code"), [("1.0", Code.MALFORMED), ("2.0", Code.VERSION)])
def test_a_hello_inside_a_session_is_refused_in_that_session_which_goes_on(version: str, code: Code) -> None:
    client, renderer = _pair()
    error = _refused(renderer, client.seal(m.Hello(protocol=version, nonce=bytes(32), client="x")))
    assert (error.code, error.nonce) == (code, None)
    assert client.open(renderer.seal(as_message(error))).message == as_message(error)
    assert renderer.open(client.seal(m.Ping(token=1))).message == m.Ping(token=1)
    assert renderer.sessions == 1
