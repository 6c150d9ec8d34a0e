"""Too little song for donors: the gap's own contexts, looped at their period.

A clip of a few seconds has no place as long as the gap. What repeats in its contexts is still known to be in time: the
left context's last period goes on into the gap, the right context's first one comes back out of it. Both are laid
down as further material of the song, where donors, switch, prior and mosaic find them like any other place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from segue.clip.span import Span
from segue.recall.donors import MARGIN, DonorPair, best_switch
from segue.recall.fades import best_shift, correlations, crossfade
from segue.recall.features import HOP, N_FFT, RATE
from segue.recall.song import JOIN, Song

Stereo = Float[np.ndarray, "2 _samples"]
Features = Float[np.ndarray, "frames bands"]
Frames = Int[np.ndarray, " pairs"]

_SHORTEST, _LONGEST = 0.4, 4.0  # seconds of a period; shorter ones measure well and stutter
_FADING = 12.0  # frames away from the gap in which a frame's weight falls by 1 / e
_ACROSS = 0.3  # weight of what is heard across the gap: two contexts may have different accents
_LEAST_WEIGHT = 3.0  # of frames a period must be heard to return in
_REACH = 6 * RATE  # samples of each context that are listened to
_WINDOW = int(1.5 * RATE)  # samples whose waveforms settle the period to the sample
_FADE = int(0.02 * RATE)
_BEYOND = RATE  # samples looped on past the gap, for the prior's window


@dataclass(frozen=True)
class Loop:
    """``period`` in samples; ``distance_db``: RMS difference of the contexts to what the loop says should be there."""

    period: int
    distance_db: float


@dataclass(frozen=True)
class _Contexts:
    """Known samples beside the gap, and the frames that hear nothing else."""

    left: Span
    right: Span

    def frames(self) -> tuple[Span, Span]:
        half = N_FFT // 2

        def inside(s: Span) -> Span:
            first, stop = -(-(s.start + half) // HOP), (s.stop - half) // HOP + 1
            return Span(first, max(first, stop))

        return inside(self.left), inside(self.right)


def _contexts(song: Song, gap: Span) -> _Contexts:
    before, after = song.context(gap, _REACH)
    return _Contexts(Span(gap.start - before.shape[1], gap.start), Span(gap.stop, gap.stop + after.shape[1]))


def find_loop(song: Song, gap: Span) -> Loop | None:
    """The period at which the contexts repeat themselves and each other; None where too little is known to tell."""
    contexts = _contexts(song, gap)
    left, right = contexts.frames()
    longest = min(int(_LONGEST * RATE / HOP), max(left.length, right.length))
    costs = {
        period: cost
        for period in range(int(_SHORTEST * RATE / HOP), longest + 1)
        if (cost := _cost(song.features, left, right, gap, period)) is not None
    }
    if not costs:
        return None
    best = min(costs, key=lambda p: costs[p])
    return Loop(_settled(song.audio, contexts, gap, best * HOP), float(np.sqrt(costs[best])))


def _cost(features: Features, left: Span, right: Span, gap: Span, period: int) -> float | None:
    """Mean squared difference (dB^2) between known frames and those the loop puts there, the nearest weighing most."""
    pairs: list[tuple[Frames, Frames, int]] = []
    for side, nearest in ((left, left.stop - 1), (right, right.start + period)):
        frames = np.arange(side.start + period, side.stop)
        pairs.append((frames, frames - period, nearest))
    total = weight = 0.0
    for late, early, nearest in pairs:
        w = np.exp(-np.abs(late - nearest) / _FADING)
        total += float(w @ _apart(features, late, early))
        weight += float(w.sum())
    if left.length >= period:
        # the left context's last period, repeated over the gap and on into the right context
        late = np.arange(right.start, min(right.stop, right.start + 2 * period))
        early = left.stop - period + (late - gap.start // HOP) % period
        w = _ACROSS * np.exp(-np.arange(len(late)) / _FADING)
        total += float(w @ _apart(features, late, early))
        weight += float(w.sum())
    return total / weight if weight >= _LEAST_WEIGHT else None


def _apart(features: Features, one: Frames, other: Frames) -> Float[np.ndarray, " pairs"]:
    difference: Float[np.ndarray, " pairs"] = ((features[one] - features[other]) ** 2).mean(1).astype(np.float64)
    return difference


def _settled(audio: Stereo, contexts: _Contexts, gap: Span, period: int) -> int:
    """The period to the sample: where the waveforms one period apart are most alike, within a frame and a half."""
    reach = 3 * HOP // 2
    heard = np.zeros(2 * reach + 1, np.float32)
    for side, near in ((contexts.left, False), (contexts.right, True)):
        window = min(_WINDOW, side.length - period - reach)
        if window < _FADE:
            continue
        late = Span(side.start + period + reach, side.start + period + reach + window) if near else None
        late = late or Span(side.stop - window, side.stop)
        around = audio[:, late.start - period - reach : late.stop - period + reach]
        # a longer period lies earlier: the shifts run the other way
        heard += correlations(around, audio[:, late.start : late.stop])[::-1] * np.float32(window)
    return period + best_shift(heard / max(1.0, float(np.abs(heard).max())))


def _onwards(context: Stereo, period: int, length: int) -> Stereo:
    """``length`` samples that go on from the end of ``context``: its last ``period`` again and again."""
    body = context[:, context.shape[1] - period :].copy()
    fade = min(_FADE, context.shape[1] - period, period)
    if fade > 0:
        # the end of each round turns into what stood before its beginning
        before = context[:, context.shape[1] - period - fade : context.shape[1] - period]
        body[:, period - fade :] = crossfade(body[:, period - fade :], before)
    return np.tile(body, (1, -(-length // period)))[:, :length]


def looped(song: Song, gap: Span, loop: Loop) -> tuple[Song, DonorPair]:
    """The song with its looped contexts as further material, and the donors they are for ``gap``.

    The timeline keeps its sample numbers. A context shorter than the period is not looped.
    """
    contexts = _contexts(song, gap)
    left = song.audio[:, contexts.left.start : contexts.left.stop]
    right = song.audio[:, contexts.right.start : contexts.right.stop]
    length = gap.length + MARGIN + _BEYOND
    parts, at = [song.audio], song.samples
    blocked, places = list(song.blocked), []
    for side, context in (("left", left), ("right", right)):
        if context.shape[1] < loop.period:
            continue
        if side == "left":
            part = np.concatenate([context, _onwards(context, loop.period, length)], 1)
            place = at + JOIN + context.shape[1]
        else:
            back = _onwards(context[:, ::-1], loop.period, length)[:, ::-1]
            part = np.concatenate([back, context], 1)
            place = at + JOIN + length - gap.length
        blocked.append(Span(at, at + JOIN))
        parts += [np.zeros((2, JOIN), np.float32), part.astype(np.float32)]
        places.append(place)
        at += JOIN + part.shape[1]
    whole = replace(song, audio=np.concatenate(parts, 1), blocked=tuple(blocked))
    return whole, _pair(whole, gap, loop, places)


def _pair(song: Song, gap: Span, loop: Loop, places: list[int]) -> DonorPair:
    first, last = places[0], places[-1]
    frames = gap.length // HOP
    switch = gap.length // 2
    if first != last and frames >= 3:
        switch = best_switch(song.features, first // HOP, last // HOP, frames)[1] * HOP
    d = loop.distance_db
    return DonorPair(first, last, min(switch, gap.length), first, d, d, d, loop.period)
