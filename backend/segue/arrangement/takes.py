"""The rendered clips as broadcast WAV files that know their place in the arrangement, and how they sound in it."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from segue.arrangement.gaps import Place
from segue.arrangement.timeline import SHORT_FADE, Timeline
from segue.clip.clip import Clip
from segue.clip.files import AudioFile, write_assembled
from segue.clip.span import Span

AROUND = 3.0
"""Seconds of the track before and behind a place, in the file to listen to."""

Audio = Float32[np.ndarray, "_channels _samples"]


def clip_of(timeline: Timeline, place: Place, audio: Audio) -> tuple[Span, Audio]:
    """The clip that, played together with the track as it is, gives ``audio`` in the place, and the track around it.

    Where the track sounds, it is the difference to that; it reaches as far as the short fades that are undone, but not
    past the middle of the stretch beside it, whose other half is the next place's.
    """
    span, around = place.span, place.context
    reach = math.ceil(SHORT_FADE * timeline.rate) + 1
    low = max((around.start + span.start) // 2, span.start - reach)
    high = min((span.stop + around.stop) // 2, span.stop + reach)
    kept = (timeline.heard[:, a:b] == timeline.played[:, a:b] for a, b in ((low, span.start), (span.stop, high)))
    before, after = (np.flatnonzero(~same.all(axis=0)) for same in kept)
    start = low + int(before[0]) if before.size else span.start
    stop = span.stop + int(after[-1]) + 1 if after.size else span.stop
    result = np.concatenate([timeline.heard[:, start : span.start], audio, timeline.heard[:, span.stop : stop]], axis=1)
    return Span(start, stop), (result - timeline.played[:, start:stop]).astype(np.float32)


def in_context(timeline: Timeline, span: Span, audio: Audio) -> Audio:
    """The place with what is around it, to listen to."""
    around = round(AROUND * timeline.rate)
    start, stop = max(0, span.start - around), min(timeline.length, span.stop + around)
    heard = [timeline.heard[:, start : span.start], audio, timeline.heard[:, span.stop : stop]]
    return np.concatenate(heard, axis=1, dtype=np.float32)


def write_take(path: Path, audio: Audio, rate: int, start: int, description: str) -> None:
    """A float WAV file with a broadcast chunk (EBU Tech 3285, version 1) that says at which sample it starts.

    Raises:
        AudioFileError, ResourceError: it cannot be written.
    """
    source = AudioFile.of(Clip(audio, rate), path.name)
    extra = () if start < 0 else ((b"bext", broadcast_chunk(description, start)),)
    whole = Span(0, source.length)
    named = AudioFile(source.samples, rate, source.subtype, source.container, path.name, {}, extra)
    write_assembled(path, named, [whole])


def broadcast_chunk(description: str, start: int) -> bytes:
    """Description, originator and the sample count since the arrangement's start; no date, which would tell files apart
    that are the same.
    """
    text = description.encode("ascii", "replace")[:256]
    return struct.pack("<256s32s32s10s8sQH64s10s180s", text, b"Segue", b"", b"", b"", start, 1, b"", b"", b"")
