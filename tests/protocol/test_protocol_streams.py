"""Audio as chunks: cut, checked and put together again."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.clip import Clip
from segue.clip.files import AudioFile
from segue_protocol import Code, Intake, ProtocolError, Shape, check_size, limits, spans, stream_digest
from segue_protocol import messages as m
from segue_protocol.vectors.valid import LIMITS, SUBMIT, TRACK


def _chunk(stream: int, offset: int, samples: int, channels: int = 2) -> m.Chunk:
    return m.Chunk(job="j", generation=0, stream=stream, offset=offset, samples=samples, channels=channels)


def _take(intake: Intake, chunk: m.Chunk) -> None:
    intake.take(chunk, bytes(chunk.bytes))


def _refused(intake: Intake, chunk: m.Chunk) -> ProtocolError:
    with pytest.raises(ProtocolError) as refused:
        _take(intake, chunk)
    return refused.value


@given(st.integers(1, 2), st.integers(1, 5000), st.integers(8, 4096))
@settings(deadline=None)
def test_chunks_cover_a_stream_once_in_order_and_fit(channels: int, samples: int, most: int) -> None:
    shape = Shape(channels, samples)
    pieces = list(spans(shape, most))
    assert [offset for offset, _ in pieces] == list(np.cumsum([0] + [size for _, size in pieces[:-1]]))
    assert sum(size for _, size in pieces) == samples
    assert max(size for _, size in pieces) * channels * limits.SAMPLE_BYTES <= most
    intake = Intake({0: shape}, credits=len(pieces))
    for index, (offset, size) in enumerate(pieces):
        assert intake.complete is False, index
        _take(intake, _chunk(0, offset, size, channels))
    assert intake.complete


def test_streams_may_alternate() -> None:
    intake = Intake({0: Shape(2, 20), 1: Shape(1, 10)}, credits=9)
    for stream, offset, samples, channels in ((0, 0, 10, 2), (1, 0, 4, 1), (0, 10, 10, 2), (1, 4, 6, 1)):
        _take(intake, _chunk(stream, offset, samples, channels))
    assert intake.complete


@pytest.mark.parametrize(
    "chunk",
    [
        _chunk(1, 0, 5),
        _chunk(0, 0, 5, channels=1),
        _chunk(0, 5, 5),
        _chunk(0, 0, 21),
        _chunk(0, limits.MAX_COUNT, 1),
    ],
    ids=["unknown stream", "other channels", "out of order", "past the end", "far beyond"],
)
def test_a_chunk_that_does_not_belong_is_refused_and_changes_nothing(chunk: m.Chunk) -> None:
    intake = Intake({0: Shape(2, 20)}, credits=1)
    error = _refused(intake, chunk)
    assert (error.code, error.job) == (Code.MALFORMED, "j")
    _take(intake, _chunk(0, 0, 20))
    assert intake.complete


def test_a_chunk_sent_twice_is_refused() -> None:
    intake = Intake({0: Shape(2, 20)}, credits=9)
    _take(intake, _chunk(0, 0, 10))
    assert _refused(intake, _chunk(0, 0, 10)).code is Code.MALFORMED


def test_a_payload_of_another_size_is_refused() -> None:
    intake = Intake({0: Shape(2, 20)}, credits=9)
    with pytest.raises(ProtocolError, match="expected 80 bytes, got 79"):
        intake.take(_chunk(0, 0, 10), bytes(79))


def test_no_chunk_comes_beyond_the_credit() -> None:
    intake = Intake({0: Shape(2, 20)}, credits=1)
    _take(intake, _chunk(0, 0, 10))
    assert "CREDIT" in str(_refused(intake, _chunk(0, 10, 10)))
    intake.grant(1)
    _take(intake, _chunk(0, 10, 10))


def test_further_streams_are_declared_once() -> None:
    intake = Intake({0: Shape(2, 20)}, credits=9)
    intake.declare({1: Shape(2, 5)})
    with pytest.raises(ProtocolError):
        intake.declare({1: Shape(2, 5)})
    _take(intake, _chunk(1, 0, 5))


def test_a_job_larger_than_the_renderer_takes_is_refused_by_its_size() -> None:
    check_size(SUBMIT, LIMITS)
    with pytest.raises(ProtocolError) as refused:
        check_size(SUBMIT, LIMITS.model_copy(update={"max_job_bytes": TRACK.bytes - 1}))
    assert refused.value.code is Code.RESOURCE
    with pytest.raises(ProtocolError, match=r"10\.0 s"):
        check_size(SUBMIT, LIMITS.model_copy(update={"max_seconds": 9.9}))


def test_the_largest_declarable_job_is_refused_without_overflow() -> None:
    huge = TRACK.model_copy(update={"samples": limits.MAX_SAMPLES})
    with pytest.raises(ProtocolError):
        check_size(SUBMIT.model_copy(update={"streams": (huge,) * limits.MAX_STREAMS}), LIMITS)


def test_the_digest_is_that_of_the_renderers_own_files() -> None:
    samples = np.linspace(-1, 1, 20, dtype=np.float32).reshape(2, 10)
    file = AudioFile.of(Clip(samples, 48_000))
    assert stream_digest(48_000, Shape(2, 10), samples.tobytes()) == file.digest
    spelled = hashlib.sha256(b"48000 (2, 10) <f4" + samples.tobytes()).hexdigest()
    assert file.digest == spelled
