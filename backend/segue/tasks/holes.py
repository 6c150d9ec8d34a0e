"""Holes in a timeline: what every task checks and does before it has a plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from segue.clip.clip import MODEL_RATE
from segue.clip.gaps import check_gaps
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.tasks.plan import Stereo

MAX_SECONDS = 3600.0
"""The longest stretch one request may ask for; a larger number is refused as a mistake, before memory is taken."""


def samples_of(seconds: float, what: str) -> int:
    """``seconds`` as samples at 44.1 kHz, to the nearest.

    Raises:
        InvalidRequest: not a finite number, under one sample, or over :data:`MAX_SECONDS`.
    """
    if not math.isfinite(seconds) or not 0.0 < seconds <= MAX_SECONDS:
        raise InvalidRequest(f"{what} must be more than 0 and at most {MAX_SECONDS:g} seconds, got {seconds}")
    samples = round(seconds * MODEL_RATE)
    if samples < 1:
        raise InvalidRequest(f"{what} must last at least one sample (1/{MODEL_RATE} s), got {seconds} s")
    return samples


def in_order(gaps: Iterable[Span], track: Stereo, songs: Sequence[Stereo]) -> tuple[Span, ...]:
    """The gaps sorted by time, checked against the track; all of it may be a gap only where other songs are given.

    Raises:
        InvalidRequest: see :func:`segue.clip.gaps.check_gaps`.
    """
    return check_gaps(gaps, track.shape[1], rate=MODEL_RATE, elsewhere=bool(songs))


def one_source(task: str, sources: Sequence[Stereo]) -> Stereo:
    """The only source.

    Raises:
        InvalidRequest: another number of sources, or an unusable one (see :func:`check_source`).
    """
    if len(sources) != 1:
        raise InvalidRequest(f"{task} works on one track, got {len(sources)}")
    check_source(sources[0], "the track")
    return sources[0]


def check_source(source: Stereo, what: str) -> None:
    """Refuse audio that is empty or not finite; silence is fine.

    Raises:
        InvalidRequest: naming the first bad sample.
    """
    if source.shape[1] == 0:
        raise InvalidRequest(f"{what} is empty: expected at least one sample")
    good = np.isfinite(source).all(0)
    if not good.all():
        raise InvalidRequest(
            f"{what} holds NaN or infinite samples, the first at {good.argmin() / MODEL_RATE:.3f} s; repair it first"
        )


def silenced(track: Stereo, gaps: Iterable[Span]) -> Stereo:
    """A copy of the track with zeros in the gaps."""
    timeline = track.astype(np.float32, copy=True)
    for gap in gaps:
        timeline[:, gap.start : gap.stop] = 0.0
    return timeline
