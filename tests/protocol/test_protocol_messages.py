"""Messages survive the wire, and what the packer lets out the parser lets in."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue_protocol import FINAL, MESSAGES, Code, ProtocolError, Sender, limits, pack, parse
from segue_protocol import messages as m
from tests.protocol.strategies import messages

JOB = {"job": "j", "generation": 1}
TRACK = m.Stream(role="track", name="t", rate=44_100, channels=2, samples=44_100)


def _sender(message: m.Message) -> Sender:
    return Sender.CLIENT if Sender.CLIENT in message.SENDER else Sender.RENDERER


@given(messages())
@settings(max_examples=200, deadline=None)
def test_any_message_comes_out_as_it_went_in(sent: tuple[m.Message, bytes]) -> None:
    message, payload = sent
    received = parse(pack(message, payload), _sender(message))
    assert received.message == message
    assert type(received.message) is type(message)
    assert bytes(received.payload) == payload


@given(messages(), st.dictionaries(st.text(min_size=1, max_size=8).map(lambda key: f"x-{key}"), st.integers(0, 9)))
@settings(max_examples=100, deadline=None)
def test_unknown_fields_change_nothing(sent: tuple[m.Message, bytes], unknown: dict[str, int]) -> None:
    message, payload = sent
    header, *rest = pack(message, payload)
    fields = {**unknown, **msgpack.unpackb(bytes(header))}
    assert parse([msgpack.packb(fields), *rest], _sender(message)).message == message


@pytest.mark.parametrize("kind", MESSAGES.values(), ids=MESSAGES)
def test_messages_cannot_be_changed_after_they_were_checked(kind: type[m.Message]) -> None:
    assert kind.model_config["frozen"]
    assert kind.model_config["strict"]


def test_what_a_job_of_the_largest_size_says_fits_the_header() -> None:
    points = tuple((i / 7.0, 1.0 / (i + 1)) for i in range(limits.MAX_CURVE_POINTS))
    gaps = tuple((1_000_000 * i, 1_000_000 * i + 500_000) for i in range(limits.MAX_GAPS))
    submit = m.Submit(
        **JOB,
        task="regenerate",
        settings=m.Settings(prompt="x" * 2048),
        streams=(TRACK, *(TRACK.model_copy(update={"role": "song", "digest": "a" * 64}) for _ in range(33))),
        gaps=gaps,
        curves=(m.Curve(name="freedom", points=points),),
        credits=16,
    )
    assert parse(pack(submit), Sender.CLIENT).message == submit


def test_a_header_that_grows_too_long_is_refused_by_its_sender() -> None:
    marks = tuple(m.Mark(kind="discontinuous-" + "x" * 50, start=2**50, stop=2**50 + i) for i in range(64))
    streams = tuple(TRACK.model_copy(update={"marks": marks, "role": "song"}) for _ in range(32))
    submit = m.Submit(**JOB, task="infill", settings=m.Settings(), streams=(TRACK, *streams), gaps=((0, 9),), credits=1)
    with pytest.raises(ProtocolError) as refused:
        pack(submit)
    assert refused.value.code is Code.INVALID
    assert refused.value.job == "j"


def test_a_payload_of_another_size_than_declared_never_leaves() -> None:
    chunk = m.Chunk(**JOB, stream=0, offset=0, samples=3, channels=2)
    for payload in (b"", b"\0" * 23, b"\0" * 25):
        with pytest.raises(ProtocolError) as refused:
            pack(chunk, payload)
        assert refused.value.code is Code.MALFORMED


def test_a_payload_may_be_a_view_of_floats() -> None:
    chunk = m.Chunk(**JOB, stream=0, offset=0, samples=3, channels=2)
    floats = memoryview(b"\0\0\0\x3f" * 6).cast("f")
    received = parse(pack(chunk, floats), Sender.CLIENT)
    assert memoryview(received.payload).cast("B").tobytes() == b"\0\0\0\x3f" * 6


def test_a_payload_of_one_mebibyte_passes_and_no_more() -> None:
    whole = m.Chunk(**JOB, stream=0, offset=0, samples=131_072, channels=2)
    assert whole.bytes == limits.MAX_PAYLOAD_BYTES
    assert parse(pack(whole, bytes(whole.bytes)), Sender.RENDERER).message == whole
    more = whole.model_copy(update={"samples": 131_073})
    with pytest.raises(ProtocolError, match="at most 1048576"):
        pack(more, bytes(more.bytes))


def test_each_message_has_one_direction_but_those_of_both_sides() -> None:
    both = {name for name, kind in MESSAGES.items() if len(kind.SENDER) == 2}
    assert both == {"CHUNK", "CREDIT", "GOODBYE"}


def test_final_messages_are_the_four_of_the_spec() -> None:
    assert [kind.TYPE for kind in FINAL] == ["RESULT", "FAILED", "CANCELLED", "TIMEOUT"]


def test_a_refusal_names_the_job_where_it_can_be_read_and_only_then() -> None:
    header = msgpack.packb({"type": "CANCEL", "job": "a-1", "generation": "x"})
    with pytest.raises(ProtocolError) as refused:
        parse([header], Sender.CLIENT)
    assert (refused.value.code, refused.value.job) == (Code.MALFORMED, "a-1")
    with pytest.raises(ProtocolError) as refused:
        parse([msgpack.packb({"type": "CANCEL", "job": "../a", "generation": 1})], Sender.CLIENT)
    assert (refused.value.code, refused.value.job) == (Code.INVALID, None)


def test_a_message_with_a_wrong_type_and_a_wrong_value_is_malformed() -> None:
    header = msgpack.packb({"type": "CREDIT", "job": "../a", "generation": 0, "chunks": "3"})
    with pytest.raises(ProtocolError) as refused:
        parse([header], Sender.CLIENT)
    assert refused.value.code is Code.MALFORMED
