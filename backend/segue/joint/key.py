"""Key: the chroma of a stretch against the profiles of the 24 keys (Krumhansl and Kessler 1982; Temperley 1999)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from segue.clip.clip import MODEL_RATE
from segue.guidance.operators.chroma import Chroma

Stereo = Float[np.ndarray, "2 _samples"]
Notes = Float[np.ndarray, "12 _frames"]

CHROMA = Chroma(float(MODEL_RATE))
"""How notes are heard here."""

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MAJOR = np.array([5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0])
_MINOR = np.array([5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0])
CLEAR = 0.5
"""Correlation with its profile from which a key counts as known."""


@dataclass(frozen=True)
class Key:
    """``tonic`` 0 (C) to 11, ``minor`` or major; ``confidence``: correlation of chroma and profile."""

    tonic: int
    minor: bool
    confidence: float

    @property
    def name(self) -> str:
        """As in "A minor"."""
        return f"{NAMES[self.tonic]} {'minor' if self.minor else 'major'}"

    @property
    def wheel(self) -> str:
        """The place on the DJ's wheel of fifths, as in "8A" for A minor and "8B" for C major."""
        major = (self.tonic + 3) % 12 if self.minor else self.tonic
        return f"{(7 * major + 7) % 12 + 1}{'A' if self.minor else 'B'}"

    @property
    def clear(self) -> bool:
        """Whether the key is known well enough to be matched."""
        return self.confidence >= CLEAR

    @property
    def scale(self) -> int:
        """The tonic of the major key with the same notes."""
        return (self.tonic + 3) % 12 if self.minor else self.tonic

    def shift_to(self, other: Key) -> int:
        """The least semitones, -5 to 6, that bring this key to the notes of ``other``."""
        return (other.scale - self.scale + 5) % 12 - 5


def notes_of(audio: Stereo) -> Notes:
    """The chroma of 44.1 kHz audio at an RMS of 0.1: frame k is centred on sample ``CHROMA.hop`` k."""
    notes: Notes = CHROMA(torch.from_numpy(np.ascontiguousarray(audio[None], np.float32)))[0].numpy()
    return notes


def find_key(notes: Notes) -> Key | None:
    """The key of a chroma; None under a second, or where no note stands out."""
    if notes.shape[1] * CHROMA.hop < MODEL_RATE:
        return None
    mean = (notes - notes.min(0, keepdims=True)).mean(1)
    if mean.std() < 1e-3:
        return None
    profiles = np.stack([np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)])
    fit = np.array([float(np.corrcoef(mean, profile)[0, 1]) for profile in profiles])
    best = int(fit.argmax())
    return Key(best % 12, best >= 12, float(fit[best]))
