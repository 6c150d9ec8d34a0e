"""Gaps as people write them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.clip.clip import Clip
from segue.clip.gaps import check_gaps, find_gap, kept_spans, parse_gap, parse_time
from segue.clip.span import Span
from segue.errors import InvalidRequest

RATE, LENGTH = 48000, 48000 * 200


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("12.0:14.0", 12, 14), ("12:14.5", 12, 14.5), ("12:", 12, 200), (":2.5", 0, 2.5),
        ("-2.5", 0, 2.5), ("12-", 12, 200),
        ("1:02.5:1:04", 62.5, 64), ("1:02.5-1:04", 62.5, 64), ("59-1:04", 59, 64), ("1:02:", 62, 200), (":1:02", 0, 62),
        ("0:0:01-0:00:02.250", 1, 2.25), (" 1 : 2 ", 1, 2), (".5:1.", 0.5, 1),
    ],
)  # fmt: skip
def test_every_documented_way_to_write_a_gap_is_read(text: str, start: float, stop: float) -> None:
    assert parse_gap(text, RATE, LENGTH) == Span(round(start * RATE), round(stop * RATE))


@pytest.mark.parametrize(
    "text",
    ["", ":", "-", "12", "1:02:04", "1:2:3:4:5", "a:b", "12:12", "14:12", "-1:2:3", "nan:inf", "1e3:2e3", "12:201",
     "200:",
     "1:60-2:00", "1:61:02-3:00:00", "1:2-3-4", "9" * 50 + ":", "٣:٤", "1,5:2"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_gap(text, RATE, LENGTH)


@given(
    start=st.integers(0, LENGTH - 1),
    length=st.integers(1, LENGTH),
    rate=st.sampled_from([8000, 11025, 44100, 48000, 96000, 768000]),
)
def test_a_printed_gap_reads_back_to_the_sample(start: int, length: int, rate: int) -> None:
    gap = Span(start, min(start + length, LENGTH))
    texts = []
    for sample in (gap.start, gap.stop):
        minutes, seconds = divmod(Fraction(sample, rate), 60)
        texts.append(f"{minutes}:{float(seconds):09.6f}")
    if "60.000000" in "".join(texts):
        return
    assert parse_gap("-".join(texts), rate, LENGTH) == gap


@given(st.text(alphabet="0123456789:.- ", max_size=20))
def test_no_text_of_digits_and_separators_breaks_the_parser(text: str) -> None:
    try:
        gap = parse_gap(text, RATE, LENGTH)
    except InvalidRequest:
        return
    assert 0 <= gap.start < gap.stop <= LENGTH


def test_times_are_exact() -> None:
    assert parse_time("1:00:00.1") == Fraction(36001, 10)


@given(st.lists(st.tuples(st.integers(-5, 60), st.integers(0, 20)), max_size=5))
def test_gaps_that_pass_are_in_order_apart_and_inside_and_split_the_clip(raw: list[tuple[int, int]]) -> None:
    gaps = [Span(start, start + length) for start, length in raw]
    inside = all(0 <= g.start < g.stop <= 60 for g in gaps)
    apart = all(a.stop < b.start or b.stop < a.start for i, a in enumerate(gaps) for b in gaps[:i])
    whole = gaps == [Span(0, 60)]
    if not (gaps and inside and apart and not whole):
        with pytest.raises(InvalidRequest):
            check_gaps(gaps, 60)
        return
    checked = check_gaps(gaps, 60)
    marks = np.zeros(60, int)
    for span in checked:
        marks[span.start : span.stop] += 1
    for span in kept_spans(checked, 60):
        assert span.length > 0
        marks[span.start : span.stop] += 1
    assert sorted(gaps) == list(checked)
    assert (marks == 1).all()


def test_touching_gaps_are_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidRequest, match="touch: give them as one gap"):
        check_gaps([Span(5, 9), Span(9, 12)], 60)


def test_find_gap_takes_the_longest_silence_between_sound() -> None:
    x = np.full((2, RATE), 0.1, np.float32)
    x[:, :20000] = 0.0  # before the first sound: longer, but not a gap
    x[:, 25000:31000] = 0.0
    x[:, 33000:41000] = 2.0**-16  # dither
    x[0, 45000:] = 0.0  # one channel still sounds
    assert find_gap(Clip(x, RATE)) == Span(33000, 41000)


@pytest.mark.parametrize("loud", [[], [100], [0, 3000]])
def test_find_gap_without_a_gap_asks_for_one(loud: list[int]) -> None:
    x = np.zeros((1, RATE), np.float32)
    x[0, loud] = 0.5
    with pytest.raises(InvalidRequest, match="name the gap"):
        find_gap(Clip(x, RATE))
