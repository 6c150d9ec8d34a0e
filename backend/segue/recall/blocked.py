"""What must never be heard: gaps, and joins of files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool

from segue.clip.span import Span


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same samples as spans in order, none touching another."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].stop:
            result[-1] = Span(result[-1].start, max(result[-1].stop, span.stop))
        else:
            result.append(span)
    return tuple(result)


def is_clear(span: Span, samples: int, blocked: Sequence[Span]) -> bool:
    """Whether ``span`` lies within a song of ``samples`` and shares no sample with a blocked span."""
    return span.start >= 0 and span.stop <= samples and not any(span.overlaps(b) for b in blocked)


def touching_frames(
    count: int, hop: int, before: int, after: int, blocked: Sequence[Span]
) -> Bool[np.ndarray, " count"]:
    """For each frame k < ``count``: whether samples [k hop - before, k hop + after) share one with a blocked span."""
    touching = np.zeros(count, bool)
    for span in blocked:
        first = (span.start - after) // hop + 1
        stop = -(-(span.stop + before) // hop)
        touching[max(0, first) : max(0, stop)] = True
    return touching


def clear_frames(
    count: int, hop: int, before: int, after: int, samples: int, blocked: Sequence[Span]
) -> Bool[np.ndarray, " count"]:
    """For each frame k < ``count``: whether samples [k hop - before, k hop + after) are clear, as :func:`is_clear`."""
    clear = ~touching_frames(count, hop, before, after, blocked)
    clear[: max(0, -(-before // hop))] = False
    clear[max(0, (samples - after) // hop + 1) :] = False
    return clear


def known_before(sample: int, blocked: Sequence[Span]) -> int:
    """How many known samples end at ``sample``, the start of a gap."""
    if any(b.start < sample <= b.stop for b in blocked):
        return 0
    return sample - max([0, *(b.stop for b in blocked if b.stop < sample)])


def known_after(sample: int, samples: int, blocked: Sequence[Span]) -> int:
    """How many known samples of a song of ``samples`` begin at ``sample``, the stop of a gap."""
    if any(b.start <= sample < b.stop for b in blocked):
        return 0
    return max(0, min([samples, *(b.start for b in blocked if b.start > sample)]) - sample)
