"""Where in a track the joint is put: a downbeat, at a phrase, that sounds, near the end or the start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.errors import InvalidRequest
from segue.joint.track import Heard

_PHRASE = 1.0  # what a phrase boundary is worth
_CHANGE = 0.3  # what a standard deviation of change of sound is worth
_AWAY = 1.0  # what each phrase away from the track's end or start costs
_QUIET_DB, _QUIET = -6.0, 0.25  # below this level, each dB costs so much
_FADED_DB = 20.0  # below the loudest second, what begins or ends a track without a beat is left out


@dataclass(frozen=True)
class Place:
    """The joint in one track: ``second``, and the index of the ``beat`` it is on, None where it is on none.

    ``confidence``, 0 to 1, that this is a downbeat; ``reasons`` for people.
    """

    second: float
    beat: int | None
    confidence: float
    reasons: tuple[str, ...]


def choose(heard: Heard, bars: int, room: tuple[float, float], *, end: bool) -> Place:
    """The best downbeat, with ``room`` seconds of the track before and after it; ``end``: of the track that leaves.

    Raises:
        InvalidRequest: no downbeat has that room.
    """
    assert heard.beats is not None and heard.bars is not None
    times = heard.beats.times[heard.downbeats]
    low, high = heard.start + room[0], heard.stop - room[1]
    fits = np.flatnonzero((times >= low) & (times <= high))
    if not len(fits):
        raise InvalidRequest(
            f"expected a downbeat of {heard.name} with {room[0]:.2f} s before and {room[1]:.2f} s after it, found none "
            f"from {heard.start:.2f} to {heard.stop:.2f} s: ask for a shorter overlap, or name a place (--at-a, --at-b)"
        )
    change = heard.bars.change
    z = np.clip((change - change.mean()) / (change.std() + 1e-9), -1.0, 2.0)
    phase = int(np.argmax([z[p::bars].mean() for p in range(min(bars, len(z)))]))
    phrase_seconds = bars * heard.bars.meter * 60.0 / heard.beats.tempo
    away = (times.max() - times if end else times - times.min()) / phrase_seconds
    level = np.array([_level(heard, t, room) for t in times])
    on_phrase = (np.arange(len(times)) % bars == phase) & (len(times) >= 2 * bars)  # one phrase has no boundary
    quiet = np.maximum(0.0, _QUIET_DB - level)
    score = _PHRASE * on_phrase + _CHANGE * z - _AWAY * away - _QUIET * quiet
    best = int(fits[score[fits].argmax()])
    reasons = ["a downbeat"]
    if on_phrase[best]:
        reasons.append(f"a phrase of {bars} bars begins")
    reasons.append(f"sound changes by {change[best]:.1f} dB a band (usual {change.mean():.1f})")
    if quiet[best] > 0.0:
        reasons.append(f"quiet: {level[best]:.0f} dB to the loud parts")
    return Place(float(times[best]), int(heard.downbeats[best]), _confidence(heard), tuple(reasons))


def asked(heard: Heard, second: float, room: tuple[float, float], option: str) -> Place:
    """The place that was asked for: the beat it is nearest to, or the very moment where there is no beat.

    Raises:
        InvalidRequest: outside the track, or with less room than the joint needs.
    """
    if not room[0] <= second <= heard.seconds - room[1]:
        raise InvalidRequest(
            f"{option} {second:g} needs {room[0]:.2f} s of {heard.name} before it and {room[1]:.2f} s after it; the "
            f"track lasts {heard.seconds:.2f} s: choose from {room[0]:.2f} to {heard.seconds - room[1]:.2f}"
        )
    if heard.beats is None or not heard.has_beat:
        return Place(second, None, 1.0, ("asked for",))
    if not heard.start <= second <= heard.stop:
        heard_of = f"{heard.start:.0f} to {heard.stop:.0f} s"
        return Place(second, None, 1.0, (f"asked for; only {heard_of} were listened to, so its beat is not known",))
    beat = int(np.abs(heard.beats.times - second).argmin())
    nearest = float(heard.beats.times[beat])
    if not room[0] <= nearest <= heard.seconds - room[1] or abs(nearest - second) > 30.0 / heard.beats.tempo:
        return Place(second, None, 1.0, ("asked for; no beat is near",))
    moved = 1000.0 * (nearest - second)
    word = "asked for" if abs(moved) < 1.0 else f"asked for, moved {moved:+.0f} ms to the beat"
    return Place(nearest, beat, 1.0, (word,))


def plain(heard: Heard, half: tuple[float, float], *, end: bool) -> Place:
    """The end, or the start, of what sounds of a track without a beat."""
    sounds = np.flatnonzero(heard.short_term >= heard.short_term.max() - _FADED_DB)
    if end:
        last = min(heard.stop, heard.start + int(sounds[-1]) + 1.0)
        faded, second = heard.stop - last > 1.0, last - half[1]
        words = ("the track fades from here on",) if faded else ("the track ends here",)
    else:
        first = heard.start + int(sounds[0])
        faded, second = first > 0.0, first + half[0]
        words = ("the track is quiet up to here",) if faded else ("the track begins here",)
    return Place(min(max(second, half[0]), heard.seconds - half[1]), None, 1.0, words)


def _level(heard: Heard, second: float, room: tuple[float, float]) -> float:
    """The quieter of the levels just before and just after a joint."""
    return min(heard.level_at(second - min(1.0, room[0])), heard.level_at(second + min(1.0, room[1]) / 2))


def _confidence(heard: Heard) -> float:
    assert heard.beats is not None and heard.bars is not None
    return round(min(1.0, heard.beats.clarity / 0.4) * min(1.0, max(0.0, heard.bars.confidence) / 3.0), 3)
