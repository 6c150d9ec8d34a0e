"""Tracks whose beats, bars, key and level are known, because they are made of nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float32

from segue.clip.clip import Clip
from segue.clip.files import AudioFile

RATE = 44100
CHORDS = ((0, 4, 7), (7, 11, 14), (9, 12, 16), (5, 9, 12))  # I V vi IV of a major key, a bar each


@dataclass(frozen=True)
class Drummed:
    """``audio`` (2, samples); ``beats`` in seconds, every fourth of which, from the first on, is a downbeat."""

    audio: Float32[np.ndarray, "2 samples"]
    beats: tuple[float, ...]

    @property
    def downbeats(self) -> tuple[float, ...]:
        return self.beats[::4]

    def file(self, name: str) -> AudioFile:
        return AudioFile.of(Clip(self.audio, RATE), name)


def _hit(length: float, kind: str, seed: int) -> np.ndarray:
    t = np.arange(int(length * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(size=len(t))
    if kind == "kick":
        return np.sin(2 * np.pi * (50.0 * t + 4.0 * (1 - np.exp(-30.0 * t)))) * np.exp(-12.0 * t)
    return noise * np.exp((-25.0 if kind == "snare" else -90.0) * t)


@cache
def drum_track(
    bpm: float, bars: int, first: float = 0.4, tonic: int = 0, gain: float = 1.0, drums: bool = True
) -> Drummed:
    """Kick, snare, hats and a chord a bar; ``tonic`` in semitones above C; ``drums`` False: one long chord, no beat."""
    beat = 60.0 / bpm
    beats = tuple(first + k * beat for k in range(4 * bars))
    out = np.zeros(int((beats[-1] + beat + 0.5) * RATE))

    def put(sound: np.ndarray, at: float, level: float) -> None:
        start = round(at * RATE)
        out[start : start + len(sound)] += level * sound[: len(out) - start]

    for k, at in enumerate(beats):
        if not drums:
            break
        put(_hit(0.3, "kick", 0), at, 1.0 if k % 4 == 0 else 0.5 * (k % 4 == 2))
        put(_hit(0.2, "snare", k), at, 0.4 * (k % 4 in (1, 3)))
        for half in (0.0, 0.5):
            put(_hit(0.06, "hat", 7 * k), at + half * beat, 0.12)
    for bar, at in enumerate(beats[::4]):
        length = 4 * beat
        t = np.arange(int(length * RATE)) / RATE
        soft = np.minimum(1.0, np.minimum(t / 0.05, (length - t) / 0.05))
        for note in CHORDS[bar % 4]:
            put(np.sin(2 * np.pi * 261.626 * 2 ** ((note + tonic) / 12.0) * t) * soft, at, 0.12)
    if not drums:
        t = np.arange(len(out)) / RATE
        out = sum(np.sin(2 * np.pi * 261.626 * 2 ** ((n + tonic) / 12.0) * t) for n in (0, 4, 7)) * 0.1
    sides = np.stack([out, 0.9 * out]) * (0.1 * gain / np.sqrt(np.mean(out**2)))
    return Drummed(sides.astype(np.float32), beats)
