"""A track's clips laid onto one timeline, as the DAW would play them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import soxr
from jaxtyping import Float32

from segue.arrangement.model import AudioClip, Fade, Track
from segue.clip.files import AudioFile
from segue.clip.span import Span
from segue.errors import InvalidRequest

Audio = Float32[np.ndarray, "_channels _samples"]
Read = Callable[[str], AudioFile]

MAX_SECONDS = 6 * 3600.0
"""A longer track is refused: a damaged position would otherwise ask for all memory."""

SHORT_FADE = 0.05
"""Seconds; a shorter fade at the edge of a gap is there against clicks, and no part of the music."""

JOINT = 0.002
"""Seconds; clips that are no farther apart adjoin, and nothing is missing between them."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """``played``: the track as the DAW plays it, (channels, samples). ``heard``: likewise, but without the short fades
    at the edges of gaps. ``sounding``: where there are clips, in order, apart. ``joints``: where two clips adjoin or
    cross. ``notes``: what was done to a source to lay it down.
    """

    played: Audio = field(repr=False)
    heard: Audio = field(repr=False)
    rate: int
    sounding: tuple[Span, ...]
    joints: tuple[Span, ...]
    notes: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Samples."""
        return int(self.played.shape[1])


@dataclass(frozen=True, eq=False)
class _Laid:
    """What sounds of a clip, and how many of its samples before and after that are silent."""

    clip: AudioClip
    span: Span
    dry: Audio
    before: int
    after: int


def lay_out(track: Track, read: Read) -> Timeline:
    """Lay down the clips of a track; the rate is the highest among its sources, mono sounds on both sides.

    Raises:
        InvalidRequest: a track without audio, or one that is longer than :data:`MAX_SECONDS`.
        AudioFileError: see :meth:`segue.arrangement.contract.Opened.audio`.
    """
    if not track.clips:
        raise InvalidRequest(f"the track {track.name!r} has no audio clips: name another")
    if (last := max(clip.stop for clip in track.clips)) > MAX_SECONDS:
        raise InvalidRequest(f"expected a track of at most {MAX_SECONDS:.0f} s, {track.name!r} ends at {last:.0f} s")
    files = {name: read(name) for name in dict.fromkeys(clip.source for clip in track.clips)}
    rate, channels = max(f.rate for f in files.values()), max(f.channels for f in files.values())
    notes = [f"{file.name} was resampled from {file.rate} to {rate} Hz" for file in files.values() if file.rate != rate]
    sources = {name: _at_rate(file, rate, channels) for name, file in files.items()}
    laid = sorted((_lay(clip, sources[clip.source], rate) for clip in track.clips), key=lambda one: one.span)
    laid = [one for one in laid if one.span.length]
    if not laid:
        raise InvalidRequest(f"the clips of the track {track.name!r} are empty: nothing can be heard there")
    sounding, joints = _covered([one.span for one in laid], round(JOINT * rate))
    played, heard = (np.zeros((channels, sounding[-1].stop), np.float32) for _ in range(2))
    for one in laid:
        span = slice(one.span.start, one.span.stop)
        played[:, span] += _faded(one, one.clip, rate)
        heard[:, span] += _faded(one, _without_short_fades(one, sounding), rate)
    return Timeline(played, heard, rate, sounding, joints, tuple(notes))


def _at_rate(file: AudioFile, rate: int, channels: int) -> Audio:
    samples = file.clip().samples
    if file.rate != rate:
        samples = soxr.resample(samples.T, file.rate, rate, "VHQ").T
    return np.broadcast_to(samples, (channels, samples.shape[1])) if len(samples) == 1 else samples


def _lay(clip: AudioClip, source: Audio, rate: int) -> _Laid:
    """The clip's own samples; it sounds as long as its source does, unless that loops."""
    start, stop, first = (round(seconds * rate) for seconds in (clip.start, clip.stop, clip.offset))
    before = 0 if clip.loops else min(max(0, -first), stop - start)
    if clip.loops:
        dry = np.take(source, np.arange(first, first + stop - start), axis=1, mode="wrap")
    else:
        dry = source[:, first + before : max(first + before, first + stop - start)]
    span = Span(start + before, start + before + dry.shape[1])
    return _Laid(clip, span, (dry * np.float32(clip.gain)).astype(np.float32), before, stop - span.stop)


def _faded(one: _Laid, clip: AudioClip, rate: int) -> Audio:
    """What sounds, with the fades of ``clip``, which are at the ends of the whole clip, whatever its source covers."""
    length = one.before + one.span.length + one.after
    gain = np.ones(length, np.float32)
    for fade, way in ((clip.fade_in, 1), (clip.fade_out, -1)):
        if fade is not None and (count := min(round(fade.seconds * rate), length)):
            gain[::way][:count] *= _ramp(fade, count)
    faded: Audio = one.dry * gain[one.before : one.before + one.span.length]
    return faded


def _ramp(fade: Fade, count: int) -> Float32[np.ndarray, " samples"]:
    x = np.arange(count) / count
    shaped = {"linear": x, "fast": 1.0 - (1.0 - x) ** 2, "slow": x**2}[fade.curve]
    return shaped.astype(np.float32)


def _without_short_fades(one: _Laid, sounding: Sequence[Span]) -> AudioClip:
    starts, stops = {span.start for span in sounding}, {span.stop for span in sounding}
    fade_in, fade_out = one.clip.fade_in, one.clip.fade_out
    if fade_in and fade_in.seconds <= SHORT_FADE and one.span.start in starts:
        fade_in = None
    if fade_out and fade_out.seconds <= SHORT_FADE and one.span.stop in stops:
        fade_out = None
    return replace(one.clip, fade_in=fade_in, fade_out=fade_out)


def _covered(spans: Sequence[Span], near: int) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Where anything sounds, and where one clip follows another without a gap: from the one's start to the other's end
    of their overlap.
    """
    covered, joints = [spans[0]], []
    for span in spans[1:]:
        last = covered[-1]
        if span.start - last.stop > near:
            covered.append(span)
            continue
        if span.stop > last.stop:
            joints.append(Span(min(span.start, last.stop), max(span.start, last.stop)))
        covered[-1] = Span(last.start, max(last.stop, span.stop))
    return tuple(covered), tuple(joints)
