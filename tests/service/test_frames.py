"""Frames between pool and render process."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.service.worker.frames import frame, read_frame, write_frame

shapes = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple), max_size=3)
plain = st.none() | st.integers(-(2**53), 2**53) | st.text(max_size=9) | st.lists(st.booleans(), max_size=3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(shapes, plain), min_size=1, max_size=3))
def test_what_is_written_is_read(contents: list[tuple[list[tuple[int, ...]], object]]) -> None:
    rng, stream = np.random.default_rng(0), io.BytesIO()
    sent = [frame("word", [rng.normal(size=s).astype(np.float32) for s in shapes], x=x) for shapes, x in contents]
    for one in sent:
        write_frame(stream, one)
    stream.seek(0)
    for one in sent:
        got = read_frame(stream)
        assert got is not None
        assert got.header == {"say": "word", "x": one.header["x"]}
        assert [a.tobytes() for a in got.arrays] == [a.tobytes() for a in one.arrays]
        assert [a.shape for a in got.arrays] == [a.shape for a in one.arrays]
    assert read_frame(stream) is None


def test_a_pipe_that_ends_within_a_frame_is_told_from_one_that_ends_between_two() -> None:
    stream = io.BytesIO()
    write_frame(stream, frame("word", [np.ones((2, 3), np.float32)], text="ö"))
    whole = stream.getvalue()
    assert read_frame(io.BytesIO(b"")) is None
    for length in range(1, len(whole)):
        with pytest.raises(EOFError):
            read_frame(io.BytesIO(whole[:length]))
