"""One side of a transition as sound: stretched from beat to beat, shifted in pitch, and brought to its level."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pedalboard
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import uniform_filter1d

from segue.clip.files import AudioFile
from segue.clip.quantise import to_float
from segue.errors import InvalidRequest
from segue.joint.plan import Side
from segue.recall.fades import best_shift, correlations, crossfade

Audio = Float[np.ndarray, "_channels _samples"]
Samples = Float[np.ndarray, " _samples"]

_WARM = 1.0  # seconds before and behind that the stretcher hears and that are not used
_FADE = 0.03  # seconds over which the stretched track and the track as it is are faded into each other
_ALIGN = 0.01  # seconds by which the stretcher may be late or early where it meets the track as it is
_WINDOW = 0.1  # seconds compared to find by how much
_LOST = 0.05  # seconds that may be lost over a stretch
_SETTLED = 0.3  # seconds behind a stretch after which the stretcher repeats the track as it is
_ALIKE = 0.6  # correlation of what is found again
_ATTACK = 0.1  # seconds before and behind a beat in which its attack is looked for
_LATEST, _STEP = 0.025, 8  # seconds by which it may be late or early, and samples from one guess to the next
_FEWEST = 3  # attacks of each half that say how late a track is
_NEAR = 0.002  # seconds by which it may be, once they said it: tones alone fit at every period
_ENOUGH, _CORRECTIONS = 0.001, 2  # seconds that are not worth another of so many corrections


def played(track: AudioFile, side: Side, *, leaving: bool) -> Audio:
    """The changed stretch of a track, (channels, side.length) float32, at its own rate.

    ``leaving``: the left track, whose stretch begins where it was not changed; that of the right one ends so. There
    the stretched sound is laid over the track as it is and faded within the stretch: the samples beyond it follow on.

    Raises:
        InvalidRequest: the plan reaches out of the track: it is another track's.
    """
    first, last = side.source_of(np.array([0.0, float(side.length)]))
    if first < -1.0 or last > track.length + 1.0:
        raise InvalidRequest(
            f"the plan plays {track.name} from {first / track.rate:.3f} to {last / track.rate:.3f} s, which it does "
            "not have: plan the transition of these very tracks again"
        )
    if side.rigid:
        start = round(float(first))
        audio = _cut(track, start, start + side.length)
    else:
        audio = _stretched(track, side, leaving=leaving)
    if side.gain_db != (0.0, 0.0):
        audio = audio * (10.0 ** (np.linspace(*side.gain_db, side.length) / 20.0)).astype(np.float32)
    return audio.astype(np.float32)


def _cut(track: AudioFile, start: int, stop: int) -> Audio:
    """Samples of a track as float32, with silence where it has none."""
    low, high = max(0, start), min(track.length, stop)
    inner = to_float(track.samples[:, low : max(low, high)])
    padded: Audio = np.pad(inner, ((0, 0), (low - start, stop - max(low, high))))
    return padded


def _stretched(track: AudioFile, side: Side, *, leaving: bool) -> Audio:
    """The stretch by Rubber Band, which does not keep time to the sample.

    Behind the stretch it hears a second of the track at its own speed: by how much that comes late says how much is
    lost on the way, and all speeds are corrected by it. While it stretches it is early or late besides, by as much as
    14 ms between two tracks: so are the attacks where both sound, and by them the speeds are corrected once more.
    """
    warm = round(_WARM * track.rate)
    ends = side.source_of(np.array([0.0, float(side.length)]))
    start, stop = math.floor(ends[0]), math.ceil(ends[1])
    knots, inner = np.array(side.knots), np.arange(start, stop)
    slopes = np.diff(knots[:, 0]) / np.diff(knots[:, 1])
    speed = slopes[np.clip(np.searchsorted(knots[:, 0], inner, "right") - 1, 0, len(slopes) - 1)]
    pitch = np.interp(inner, side.source_of(np.array([0.0, float(side.length)])), side.semitones)
    audio = _cut(track, start - warm, stop + warm)

    def stretch(speed: Samples) -> Audio:
        return _time_stretched(audio, track.rate, speed, pitch, warm)

    meant = warm + round(float((1.0 / speed).sum()))
    for _ in range(1 + _CORRECTIONS):
        made = stretch(speed)
        late = _late(made, audio[:, -warm:], meant, track.rate)
        if abs(late) <= _ENOUGH * track.rate:
            break
        speed = speed * (1.0 + late / side.length)
    return _on_the_beats(track, side, stretch, speed, made, warm, leaving=leaving)


def _on_the_beats(
    track: AudioFile,
    side: Side,
    stretch: Callable[[Samples], Audio],
    speed: Samples,
    made: Audio,
    warm: int,
    *,
    leaving: bool,
) -> Audio:
    """What ``stretch`` made of ``speed``, cut out, its attacks where the plan has them as far as attacks are clear."""
    stretched, at = _met(track, side, made, warm, _ALIGN, leaving=leaving), float(warm)
    for _ in range(_CORRECTIONS):
        if (found := lateness(track, side, stretched, leaving=leaving)) is None:
            break
        drift = found.beyond - found.seam
        if max(abs(found.seam), abs(drift)) <= _ENOUGH * track.rate:
            break
        at += found.seam
        if abs(drift) > _ENOUGH * track.rate:
            at += 0.0 if leaving else drift  # what is slower ends later, and its end is where it meets the track
            speed = speed * (1.0 + (drift if leaving else -drift) / side.length)
            made = stretch(speed)
        stretched = _met(track, side, made, round(at), _NEAR, leaving=leaving)
    return stretched


def _time_stretched(audio: Audio, rate: int, speed: Samples, pitch: Samples, warm: int) -> Audio:
    """All of ``audio``, its first and last ``warm`` samples as they are, with a little silence behind."""
    made = pedalboard.time_stretch(
        audio,
        float(rate),
        np.pad(speed, warm, constant_values=1.0),
        np.pad(pitch, warm),
        use_long_fft_window=False,  # the long window loses ten times as much time
    )
    padded: Audio = np.pad(made, ((0, 0), (0, warm)))
    return padded


def _late(made: Audio, behind: Audio, at: int, rate: int) -> int:
    """By how many samples ``behind`` comes late in ``made``, where ``at`` was meant; 0 where it cannot be told."""
    skip, window, reach = (round(seconds * rate) for seconds in (_SETTLED, _WINDOW, _LOST))
    known = behind[:, skip : skip + window]
    around = made[:, at + skip - reach : at + skip + window + reach]
    if around.shape[1] < window + 2 * reach:
        return 0
    score = correlations(_two(around), _two(known))
    return best_shift(score) if float(score.max()) >= _ALIKE else 0


@dataclass(frozen=True)
class Lateness:
    """Samples by which attacks come late, in the median: in the half of a stretch that meets the track as it is, and in
    the one ``beyond``, where both tracks sound.
    """

    seam: float
    beyond: float


def lateness(track: AudioFile, side: Side, stretched: Audio, *, leaving: bool) -> Lateness | None:
    """How late the attacks on the beats of ``stretched`` (channels, side.length) come; None where too few are clear."""
    rate, heard = track.rate, _rise(stretched)
    halves: tuple[list[float], list[float]] = ([], [])
    for source, place in (knot for knot in side.knots if 0.0 < knot[1] < side.length):
        slope = float(np.diff(side.source_of(np.array([place - 1.0, place + 1.0])))[0]) / 2.0
        late = _attack_late(_rise(_cut(track, *_around(source, rate))), heard, place, slope, rate)
        if late is not None:
            halves[int((place >= side.length / 2.0) is leaving)].append(late)
    if min(map(len, halves)) < _FEWEST:
        return None
    return Lateness(*(float(np.median(half)) for half in halves))


def _around(place: float, rate: int) -> tuple[int, int]:
    reach = round(_ATTACK * rate)
    return round(place) - reach, round(place) + reach


def _rise(audio: Audio) -> Samples:
    """How much happens at each sample: changes from one to the next, over 1.5 ms."""
    change = np.abs(np.diff(audio.astype(np.float64), axis=1, prepend=audio[:, :1])).mean(0)
    smooth: Samples = uniform_filter1d(change, 64)
    return smooth


def _attack_late(known: Samples, heard: Samples, place: float, slope: float, rate: int) -> float | None:
    """By how much later than ``place`` what is ``known``, at ``slope`` of its speed, is heard; None if it is not."""
    reach, most = (round(seconds * rate) for seconds in (_ATTACK / 2.0, _LATEST))
    first = round(place) - reach - most
    if first < 0 or first + 2 * (reach + most) > len(heard):
        return None
    meant = np.interp(np.arange(-reach, reach) * slope + len(known) / 2.0, np.arange(len(known)), known)
    around = sliding_window_view(heard[first : first + 2 * (reach + most)], 2 * reach)[::_STEP]
    apart = meant - meant.mean()
    centred = around - around.mean(1, keepdims=True)
    scale = np.linalg.norm(centred, axis=1) * np.linalg.norm(apart)
    alike = (centred @ apart) / np.maximum(scale, 1e-12)
    return float(alike.argmax() * _STEP - most) if float(alike.max()) >= _ALIKE else None


def _met(track: AudioFile, side: Side, made: Audio, at: int, reach_seconds: float, *, leaving: bool) -> Audio:
    """``length`` samples of ``made`` from about ``at`` on, that meet the track as it is where they begin or end."""
    rate, length = track.rate, side.length
    reach, window, fade = (round(seconds * rate) for seconds in (reach_seconds, _WINDOW, _FADE))
    if leaving:
        seam, known = 0, _cut(track, side.cut, side.cut + window)
    else:
        # around the seam, a beat whose attack fits at one place only; before it there is nothing but what dies away
        seam, known = length - window // 2, _cut(track, side.cut - window // 2, side.cut + window - window // 2)
    around = made[:, at + seam - reach : at + seam + window + reach]
    shift = best_shift(correlations(_two(around), _two(known)))
    audio = made[:, at + shift : at + shift + length].copy()
    if leaving:
        audio[:, :fade] = crossfade(_two(known[:, :fade]), _two(audio[:, :fade]))[: len(audio)]
    else:
        audio[:, -fade:] = crossfade(_two(audio[:, -fade:]), _two(known[:, window // 2 - fade : window // 2]))[
            : len(audio)
        ]
    return audio


def _two(audio: Audio) -> Float[np.ndarray, "2 _samples"]:
    return np.ascontiguousarray(np.broadcast_to(audio, (2, audio.shape[1])), np.float32)
