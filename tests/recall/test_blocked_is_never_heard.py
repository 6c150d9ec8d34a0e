"""Blocked spans hold a loud marker; nothing recall makes may contain it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.span import Span
from segue.recall.mosaic import mosaic
from segue.recall.song import Song
from segue.recall.splice import copy, donor_audio, splice
from tests.recall.material import RATE, codec, notes

LOUD = 1e4
TRACK = notes(21, 12.0)
CODEC = codec()
FRAMES = Song.of(TRACK, [], CODEC).frames


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_what_is_blocked_is_never_heard(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 2 * RATE), "gap length")
    start = data.draw(st.integers(0, TRACK.shape[1] - length), "gap start")
    others = data.draw(st.lists(st.integers(0, TRACK.shape[1] - 3000), max_size=3), "other gaps")
    gap = Span(start, start + length)
    blocked = (gap, *(Span(o, o + 3000) for o in others))
    audio = TRACK.copy()
    for span in blocked:
        audio[:, span.start : span.stop] = LOUD
    song = Song(audio, audio.shape[1], 1.0, blocked, CODEC)
    song.__dict__["frames"] = FRAMES
    heard = []
    pair = song.donors(gap)
    if pair is not None:
        heard += [copy(song, pair, gap, 2000), splice(song, pair, gap, 2000)[0]]
        heard.append(donor_audio(song, pair, gap, Span(gap.start - RATE, gap.stop + RATE))[0])
    left, right = song.context_frames(gap, 2)
    before, after = song.context(gap, RATE)
    heard += [before, after]
    frames = -(-length // 512)
    target = np.resize(FRAMES[gap.start // 512 :][:frames], (frames, FRAMES.shape[1]))
    made = mosaic(
        audio, FRAMES, target, blocked, left, right, samples=length, left_audio=before, right_audio=after
    )  # fmt: skip
    if made is not None:
        heard.append(made.audio)
    assert all(not piece.size or np.abs(piece).max() < LOUD / 100 for piece in heard)
    assert made is not None or len(blocked) > 1
