"""The shared vectors: made the same again, and passed by the Python package."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue_protocol import MESSAGES, Code, ProtocolError, Sender, pack, parse
from segue_protocol.session import Channel
from segue_protocol.vectors.__main__ import write
from segue_protocol.vectors.vector import Vector, read_listing

FOLDER = Path(__file__).parents[2] / "protocol" / "vectors"
VECTORS = read_listing(FOLDER)
PLAIN = [vector for vector in VECTORS if vector.key is None]
SEALED = [vector for vector in VECTORS if vector.key is not None]


def _channel(vector: Vector) -> Channel:
    assert vector.key is not None
    assert vector.sequence is not None
    channel = Channel(vector.key, Sender.RENDERER if vector.sender is Sender.CLIENT else Sender.CLIENT)
    channel.received = vector.sequence
    return channel


def test_writing_the_vectors_again_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.iterdir()}
    changed = [path.name for path in tmp_path.iterdir() if path.read_bytes() != (FOLDER / path.name).read_bytes()]
    assert changed == []


@pytest.mark.parametrize("vector", PLAIN, ids=lambda vector: vector.name)
def test_a_plain_vector_is_parsed_or_refused_as_listed(vector: Vector) -> None:
    if vector.code is not None:
        with pytest.raises(ProtocolError) as refused:
            parse(vector.frames, vector.sender)
        assert refused.value.code is vector.code
        assert str(refused.value).startswith("expected") or ": " in str(refused.value)
        assert refused.value.remedy
        return
    received = parse(vector.frames, vector.sender)
    assert vector.type == received.message.TYPE
    if vector.canonical:
        assert tuple(pack(received.message, received.payload)) == vector.frames


@pytest.mark.parametrize("vector", SEALED, ids=lambda vector: vector.name)
def test_a_sealed_vector_is_opened_or_refused_as_listed(vector: Vector) -> None:
    channel = _channel(vector)
    if vector.code is None:
        assert vector.type == channel.open(vector.frames).message.TYPE
        assert channel.received == (vector.sequence or 0) + 1
        return
    with pytest.raises(ProtocolError) as refused:
        channel.open(vector.frames)
    assert refused.value.code is vector.code
    seal_holds = vector.name == "sealed-bad-inside"
    assert channel.received == (vector.sequence or 0) + seal_holds


def test_there_are_valid_vectors_of_every_message_and_invalid_ones_of_every_code_the_parser_gives() -> None:
    assert {vector.type for vector in VECTORS if vector.type} == set(MESSAGES)
    given = {Code.MALFORMED, Code.INVALID, Code.UNSUPPORTED, Code.VERSION, Code.UNVERIFIED, Code.OUT_OF_ORDER}
    assert {vector.code for vector in VECTORS if vector.code} == given
