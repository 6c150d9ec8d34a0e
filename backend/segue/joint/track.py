"""What is heard of one track near its joint: beats, bars, key and loudness."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int

from segue.clip.analysis import integrated_loudness
from segue.clip.clip import MODEL_RATE
from segue.clip.files import AudioFile
from segue.clip.resample import to_model
from segue.errors import InvalidRequest
from segue.joint.bars import Bars, find_bars
from segue.joint.beats import Beats, find_beats
from segue.joint.key import Key, find_key, notes_of
from segue.prior.contract import REFERENCE_RMS

SHORTEST = 4.0
"""Seconds a track must last to be joined by a plan."""

Times = Float[np.ndarray, " _n"]


@dataclass(frozen=True, eq=False)
class Heard:
    """One track, listened to from ``start`` seconds to ``stop``; ``beats`` are seconds of the whole track.

    ``bars`` counts in those beats. ``loudness``: integrated, LUFS, of the stretch; None for silence. ``short_term``:
    level in dB of each second of the stretch. ``beats`` and ``bars`` are None where there is nothing like a beat.
    """

    name: str
    seconds: float
    start: float
    stop: float
    beats: Beats | None
    bars: Bars | None
    key: Key | None
    loudness: float | None
    short_term: Float[np.ndarray, " seconds"] = field(repr=False)

    @property
    def has_beat(self) -> bool:
        """Whether a beat is clear enough to join on."""
        return self.beats is not None and self.beats.clear and self.bars is not None

    @property
    def downbeats(self) -> Int[np.ndarray, " bars"]:
        """Indices of the beats that begin bars; none without a beat."""
        return np.zeros(0, int) if self.bars is None else self.bars.downbeats

    def level_at(self, second: float) -> float:
        """Level of the second around a time, in dB over the loudest quarter of the stretch."""
        place = int(np.clip(second - self.start, 0, len(self.short_term) - 1))
        return float(self.short_term[place] - np.quantile(self.short_term, 0.75))


def listen(track: AudioFile, seconds: float, *, end: bool) -> Heard:
    """Analyse the last (``end``) or first ``seconds`` of a track.

    Raises:
        InvalidRequest: a track under 4 s.
    """
    whole = track.length / track.rate
    if whole < SHORTEST:
        raise InvalidRequest(
            f"{track.name} lasts {whole:.3f} s, a planned transition listens to at least {SHORTEST:g} s: give a longer "
            "track, or join them plainly (--plain)"
        )
    count = min(track.length, round(seconds * track.rate))
    first = track.length - count if end else 0
    clip = replace(track, samples=track.samples[:, first : first + count]).clip()
    audio = to_model(clip)
    rms = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
    start = first / track.rate
    level = _levels(audio)
    if rms < 1e-5:
        return Heard(track.name, whole, start, start + count / track.rate, None, None, None, None, level)
    level_set = (audio * np.float32(REFERENCE_RMS / rms)).astype(np.float32)
    beats, notes = find_beats(level_set), notes_of(level_set)
    bars = find_bars(level_set, beats, notes) if beats is not None and beats.clear else None
    if beats is not None:
        beats = replace(beats, times=beats.times + start)
    loud = integrated_loudness(clip.samples, clip.rate)
    return Heard(track.name, whole, start, start + count / track.rate, beats, bars, find_key(notes), loud, level)


def _levels(audio: Float[np.ndarray, "2 samples"]) -> Float[np.ndarray, " seconds"]:
    """In dB, of each second from the start on; the last may be a part of one."""
    starts = np.arange(0, audio.shape[1], MODEL_RATE)
    sums = np.add.reduceat(np.square(audio, dtype=np.float64).mean(0), starts)
    power = sums / np.diff(np.append(starts, audio.shape[1]))
    levels: Float[np.ndarray, " seconds"] = 10.0 * np.log10(power + 1e-10)
    return levels
