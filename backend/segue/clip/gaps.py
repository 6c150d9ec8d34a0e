"""Gaps as people write them, and as samples.

Times are seconds ("12.5") or minutes and hours ("1:02.500", "1:00:02.5"); samples are the clip's own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

import numpy as np

from segue.clip.clip import Clip
from segue.clip.span import Span
from segue.errors import InvalidRequest

SILENCE = 2.0**-15
"""Digital silence: one step of 16 bits, which dither may reach."""

_FIELD = re.compile(r"[0-9]{1,9}")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9}")
_FORMS = (
    "expected START:STOP in seconds (12.0:14.5), START: to the end, :STOP from the start, or 1:02.5-1:04 in minutes"
)


def parse_time(text: str) -> Fraction:
    """Seconds, exactly, from "12.5", "1:02.5" or "1:00:02.5".

    Raises:
        InvalidRequest: not a time; minutes or seconds of 60 and more after a colon.
    """
    *fields, last = text.strip().split(":")
    if len(fields) > 2 or not _SECONDS.fullmatch(last) or not all(_FIELD.fullmatch(f) for f in fields):
        raise InvalidRequest(f"expected a time such as 12.5 or 1:02.500, got {text!r}")
    seconds = Fraction("0" + last)
    if (fields and seconds >= 60) or (len(fields) == 2 and int(fields[1]) >= 60):
        raise InvalidRequest(f"expected minutes and seconds below 60 after a colon, got {text!r}")
    for field, unit in zip(reversed(fields), (60, 3600), strict=False):
        seconds += int(field) * unit
    return seconds


def to_samples(seconds: Fraction, rate: int) -> int:
    """The nearest sample, halves up."""
    return int(seconds * rate + Fraction(1, 2))


def seconds_to_samples(seconds: float, rate: int, what: str) -> int:
    """The nearest sample to a time given as a number.

    Raises:
        InvalidRequest: NaN, infinite or negative; ``what`` is named.
    """
    if not math.isfinite(seconds) or seconds < 0.0:
        raise InvalidRequest(f"expected {what} as a finite number of seconds, 0 or more, got {seconds}")
    return to_samples(Fraction(seconds), rate)


def parse_gap(text: str, rate: int, length: int) -> Span:
    """A gap in samples of a clip of ``length`` samples at ``rate`` hertz.

    "12.0:14.0", "12:" (to the end), ":2.5" (from the start); with minutes "1:02.5:1:04" or, clearer, "1:02.5-1:04".

    Raises:
        InvalidRequest: not a gap, an ambiguous one ("1:02:04"), empty, or not inside the clip.
    """
    first, second = _split(text.strip())
    start = to_samples(parse_time(first), rate) if first else 0
    stop = to_samples(parse_time(second), rate) if second else length
    if start == stop or start > stop:
        raise InvalidRequest(
            f"gap {text!r} must end after it starts, got {_clock(start, rate)} to {_clock(stop, rate)}"
        )
    return check_gaps([Span(start, stop)], length, rate=rate, elsewhere=True)[0]


def _split(text: str) -> tuple[str, str]:
    """The two times; either may be empty, meaning the edge of the clip."""
    if text.count("-") == 1:
        first, _, second = text.partition("-")
    elif text.startswith(":"):
        first, second = "", text[1:]
    elif text.endswith(":"):
        first, second = text[:-1], ""
    elif text.count(":") == 1:
        first, _, second = text.partition(":")
    elif text.count(":") == 3:
        one, two, three, four = text.split(":")
        first, second = f"{one}:{two}", f"{three}:{four}"
    else:
        raise InvalidRequest(f"gap {text!r} can be read in more than one way, or none: {_FORMS}")
    if not first.strip() and not second.strip():
        raise InvalidRequest(f"gap {text!r} names no time: {_FORMS}")
    return first.strip(), second.strip()


def _clock(sample: int, rate: int | None) -> str:
    return f"{sample / rate:.3f} s" if rate else f"sample {sample}"


def check_gaps(
    gaps: Iterable[Span], length: int, *, rate: int | None = None, elsewhere: bool = False
) -> tuple[Span, ...]:
    """The gaps in order of time, once they can be filled in a clip of ``length`` samples.

    Touching gaps are refused, not merged: as one gap they would be rendered differently from what was asked.
    ``elsewhere``: other material to recall from exists, so that the whole clip may be a gap. ``rate``: for messages.

    Raises:
        InvalidRequest: none, empty, out of range, overlapping or touching; the whole clip without material elsewhere.
    """
    ordered = tuple(sorted(gaps))
    if not ordered:
        raise InvalidRequest("expected at least one gap, got none")
    for gap in ordered:
        at = f"{_clock(gap.start, rate)} to {_clock(gap.stop, rate)}"
        if gap.length == 0:
            raise InvalidRequest(f"the gap {at} is empty: give it a length")
        if gap.start < 0 or gap.stop > length:
            raise InvalidRequest(f"the gap {at} is not inside the clip, which runs to {_clock(length, rate)}")
    for one, two in pairwise(ordered):
        if two.start <= one.stop:
            how = "touch: give them as one gap" if two.start == one.stop else "overlap: keep them apart"
            raise InvalidRequest(
                f"the gaps that start at {_clock(one.start, rate)} and {_clock(two.start, rate)} {how}"
            )
    if not elsewhere and ordered == (Span(0, length),):
        raise InvalidRequest("the gap is the whole clip: leave some of it, or give another track to draw from")
    return ordered


def kept_spans(gaps: Iterable[Span], length: int) -> tuple[Span, ...]:
    """What lies outside the gaps, in order; no empty spans."""
    edges = [0] + [edge for gap in sorted(gaps) for edge in (gap.start, gap.stop)] + [length]
    return tuple(Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b)


def find_gap(clip: Clip, *, min_seconds: float = 0.1) -> Span:
    """The longest run of digital silence (all channels within one 16-bit step of 0) between sound.

    Silence before the first and after the last sound is not a gap.

    Raises:
        InvalidRequest: no such run of at least ``min_seconds``.
    """
    loud = np.flatnonzero((np.abs(clip.samples) > SILENCE).any(axis=0))
    quiet = np.diff(loud) - 1
    if not quiet.size or quiet.max() < max(1, min_seconds * clip.rate):
        found = f"the longest is {1000 * quiet.max() / clip.rate:.0f} ms" if quiet.size else "there is too little sound"
        raise InvalidRequest(
            f"expected a silence of at least {1000 * min_seconds:.0f} ms between sound, {found}: name the gap, "
            "as in --gap 12.0:14.0"
        )
    widest = int(quiet.argmax())
    return Span(int(loud[widest]) + 1, int(loud[widest + 1]))
