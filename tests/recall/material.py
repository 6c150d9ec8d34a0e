"""Songs with known repeats."""

from __future__ import annotations

import numpy as np
import torch

from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.recall.features import HOP

RATE = 44100


def notes(seed: int, seconds: float, per_second: float = 6.0) -> np.ndarray:
    """Decaying notes, each of its own pitch, place and panning, with a noisy attack: no two moments are alike."""
    rng = np.random.default_rng(seed)
    length = int(seconds * RATE)
    song = np.zeros((2, length), np.float32)
    time = np.arange(RATE) / RATE
    for _ in range(int(seconds * per_second)):
        start = int(rng.integers(0, length))
        pitch = 110.0 * 2.0 ** (rng.integers(0, 48) / 12)
        tone = sum(np.sin(2 * np.pi * pitch * k * time + rng.uniform(0, 6)) / k for k in (1, 2, 3, 5))
        note = 0.2 * tone * np.exp(-time * rng.uniform(2, 12)) + 0.3 * rng.standard_normal(RATE) * np.exp(-time * 90)
        pan = rng.uniform(0.3, 1.0, (2, 1))
        room = min(RATE, length - start)
        song[:, start : start + room] += (pan * note[:room]).astype(np.float32)
    song += 1e-3 * rng.standard_normal(song.shape).astype(np.float32)
    return np.asarray(song * (0.1 / np.sqrt(np.mean(song**2))), np.float32)


def with_repeat(seed: int, first: int, second: int, length: int, seconds: float) -> np.ndarray:
    """A song whose samples [first, first + length) stand again, exactly, at ``second``."""
    song = notes(seed, seconds)
    song[:, second : second + length] = song[:, first : first + length]
    return song


def repeating(seed: int, period: int, times: int) -> np.ndarray:
    """The same ``period`` samples over and over."""
    return np.tile(notes(seed, period / RATE + 0.01)[:, :period], (1, times))


PHRASE, REST = 130 * HOP, 170 * HOP


def phrases(times: int = 4) -> tuple[np.ndarray, list[int]]:
    """A phrase of 3 s so many times, noisy in its own way each time, other music between; where it begins, samples."""
    phrase, noise = notes(3, 3.1)[:, :PHRASE], np.random.default_rng(0)
    parts = []
    for seed in range(times):
        again = phrase + 0.01 * noise.standard_normal(phrase.shape).astype(np.float32)
        parts += [notes(10 + seed, 4.1)[:, :REST], again]
    song = np.concatenate([*parts, notes(10 + times, 4.1)[:, :REST]], 1)
    return song, [REST + (REST + PHRASE) * i for i in range(times)]


def codec() -> MelCodec:
    """A mel codec with plausible statistics."""
    bands = MelSettings().bands
    return MelCodec(MelSettings(), torch.full((bands,), -1.0), torch.full((bands,), 1.2))
