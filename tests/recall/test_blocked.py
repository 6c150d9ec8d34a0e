from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segue.clip.span import Span
from segue.recall.blocked import clear_frames, is_clear, known_after, known_before, merged, touching_frames

spans = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 80)).map(lambda t: Span(t[0], t[0] + t[1])), max_size=4)


def marked(blocked: list[Span], samples: int) -> np.ndarray:
    """Sample by sample, whether it is blocked."""
    mark = np.zeros(samples, bool)
    for span in blocked:
        mark[span.start : span.stop] = True
    return mark


@given(spans)
def test_merging_keeps_the_same_samples_in_spans_that_do_not_touch(blocked: list[Span]) -> None:
    result = merged(blocked)
    assert np.array_equal(marked(list(result), 400), marked(blocked, 400))
    assert all(a.stop < b.start for a, b in pairwise(result))


@given(spans, st.integers(1, 40), st.integers(0, 60), st.integers(1, 60), st.integers(0, 400))
def test_a_frame_is_clear_when_each_of_its_samples_is(
    blocked: list[Span], hop: int, before: int, after: int, samples: int
) -> None:
    count = samples // hop + 1
    expected = [is_clear(Span(k * hop - before, k * hop + after), samples, blocked) for k in range(count)]
    assert clear_frames(count, hop, before, after, samples, blocked).tolist() == expected


@given(spans, st.integers(1, 40), st.integers(0, 60), st.integers(1, 60))
def test_a_frame_touches_a_span_when_they_share_a_sample(
    blocked: list[Span], hop: int, before: int, after: int
) -> None:
    mark = marked(blocked, 1000)
    expected = [bool(mark[max(0, k * hop - before) : k * hop + after].any()) for k in range(12)]
    assert touching_frames(12, hop, before, after, blocked).tolist() == expected


@given(spans, st.integers(0, 400))
def test_known_samples_are_counted_up_to_the_next_blocked_one(blocked: list[Span], sample: int) -> None:
    mark = marked(blocked, 400)
    before = 0
    while before < sample and not mark[sample - before - 1]:
        before += 1
    after = 0
    while sample + after < 400 and not mark[sample + after]:
        after += 1
    assert known_before(sample, blocked) == before
    assert known_after(sample, 400, blocked) == after
