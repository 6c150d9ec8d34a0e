"""Clips to hear: cut around the gap, at one level for all methods of a case, encoded for browsers."""

from __future__ import annotations

import base64
import io
from typing import Literal

import numpy as np
import soundfile

from segue.errors import InvalidRequest
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE, Case, Rendering

AROUND = 2.0
"""Seconds kept on each side of the gap, as in the paper's 6 s with 2 s filled."""

PEAK = 0.5
"""What the loudest sample of the original clip is brought to: renderings may be 6 dB louder before they clip."""

Encoding = Literal["flac", "mp3"]
MIME = {"flac": "audio/flac", "mp3": "audio/mpeg"}


def surrounding(case: Case, rendering: Rendering) -> tuple[Stereo, int, float]:
    """The filled gap and two seconds on each side.

    Returns (2, samples) in [-1, 1] at the level of the case; how many of its samples were beyond that; the second at
    which the gap begins.

    Raises:
        InvalidRequest: the rendering is not margin + gap + margin samples long, or reaches out of the timeline.
    """
    gap, margin, length = case.gap, rendering.margin, case.plan.timeline.shape[1]
    start, stop = gap.start - margin, gap.stop + margin
    if rendering.audio.shape != (2, stop - start) or start < 0 or stop > length:
        raise InvalidRequest(
            f"expected (2, {gap.length} + 2 x {margin}) samples inside a timeline of {length}, "
            f"got {rendering.audio.shape} at {start}: the method is at fault"
        )
    around = round(AROUND * RATE)
    first, last = max(0, gap.start - around), min(length, gap.stop + around)
    peak = float(np.abs(case.original[:, first:last]).max())
    filled = case.plan.timeline.copy()
    filled[:, start:stop] = rendering.audio
    clip = filled[:, first:last] * np.float32(PEAK / peak if peak > 0.0 else 1.0)
    clipped = int((np.abs(clip) > 1.0).sum())
    return np.clip(clip, -1.0, 1.0), clipped, (gap.start - first) / RATE


def encoded(audio: Stereo, encoding: Encoding) -> bytes:
    """A file's bytes: FLAC of 16 bits, or MP3 of variable rate at about 130 kbit/s."""
    sink = io.BytesIO()
    if encoding == "flac":
        soundfile.write(sink, audio.T, RATE, format="FLAC", subtype="PCM_16")
    else:
        soundfile.write(
            sink,
            audio.T,
            RATE,
            format="MP3",
            subtype="MPEG_LAYER_III",
            compression_level=0.5,
            bitrate_mode="VARIABLE",
        )
    return sink.getvalue()


def as_text(data: bytes) -> str:
    """Base64, for a page."""
    return base64.b64encode(data).decode("ascii")
