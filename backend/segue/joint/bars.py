"""Bars: which beats are downbeats, from bass, harmony and accents; and where phrases change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from segue.clip.clip import MODEL_RATE
from segue.joint.beats import Beats
from segue.joint.key import CHROMA, Notes
from segue.recall.features import HOP as MEL_HOP
from segue.recall.features import song_features

Stereo = Float[np.ndarray, "2 _samples"]
Accents = Float[np.ndarray, " _beats"]

_BASS = 4  # of 40 mel bands from 30 Hz: up to about 250 Hz
_METERS = (4, 3)
_THREE = 1.0  # by how many standard errors three in a bar must be clearer than four


@dataclass(frozen=True, eq=False)
class Bars:
    """``first``: the beat that begins the first whole bar; ``meter`` beats a bar; ``confidence`` in standard errors.

    ``change`` of each downbeat: how much the sound of four bars before differs from that of four bars after, in dB a
    mel band; ``downbeats``: the indices of those beats.
    """

    first: int
    meter: int
    confidence: float
    downbeats: Int[np.ndarray, " bars"]
    change: Float[np.ndarray, " bars"]


def find_bars(audio: Stereo, beats: Beats, notes: Notes) -> Bars:
    """Bars over the beats of 44.1 kHz audio at an RMS of 0.1, with its chroma."""
    mel = song_features(audio)
    accents = _accents(notes, mel, beats)
    phases = {meter: _phase(accents, meter) for meter in _METERS}
    meter = 3 if phases[3][1] > phases[4][1] + _THREE else 4
    first, confidence = phases[meter]
    downbeats = np.arange(first, len(beats.times), meter)
    period = 60.0 / beats.tempo
    reach = round(4 * meter * period * MODEL_RATE / MEL_HOP)
    change = np.array([_change(mel, round(beats.times[d] * MODEL_RATE / MEL_HOP), reach) for d in downbeats])
    return Bars(first, meter, confidence, downbeats, change)


def _standard(values: Accents) -> Accents:
    standard: Accents = (values - values.mean()) / (values.std() + 1e-9)
    return standard


def _accents(notes: Notes, mel: Float[np.ndarray, "frames bands"], beats: Beats) -> Accents:
    """How much each beat is one that bars begin with: bass and level that rise there, and harmony that changes."""
    frames = np.clip(np.rint(beats.times * MODEL_RATE / MEL_HOP).astype(int), 3, max(3, len(mel) - 5))
    rise = np.stack([mel[f : f + 4].max(0) - mel[f - 3 : f].mean(0) for f in frames])
    bass, level = rise[:, :_BASS].mean(1), rise.mean(1)
    accents: Accents = _standard(bass) + 0.5 * _standard(level) + _standard(_harmony_change(notes, beats))
    return accents


def _harmony_change(notes: Notes, beats: Beats) -> Accents:
    """1 less the cosine of the chroma of two beats before each beat and of two after it."""
    notes = notes - notes.mean(0, keepdims=True)
    hop, half = CHROMA.hop, CHROMA.n_fft // 2
    away = 120.0 / beats.tempo * MODEL_RATE
    change = np.zeros(len(beats.times))
    for i, time in enumerate(beats.times * MODEL_RATE):
        before = notes[:, max(0, int((time - away + half) / hop)) : max(1, int((time - half) / hop))].mean(1)
        after = notes[:, int(np.ceil((time + half) / hop)) : int((time + away - half) / hop) + 1]
        if after.shape[1]:
            middle = after.mean(1)
            change[i] = 1.0 - before @ middle / (np.linalg.norm(before) * np.linalg.norm(middle) + 1e-9)
    return change


def _phase(accents: Accents, meter: int) -> tuple[int, float]:
    """The first beat of the bars of ``meter`` beats that are accented most, and by how many standard errors."""
    inner = accents[1:-1] if len(accents) > 4 * meter else accents  # the ends hear silence begin and end
    skipped = 1 if len(accents) > 4 * meter else 0
    means = np.array([inner[p::meter].mean() for p in range(meter)])
    best = int(means.argmax())
    others = np.delete(means, best)
    error = inner.std() / np.sqrt(max(1.0, len(inner) / meter)) + 1e-9
    return (best + skipped) % meter, float((means[best] - others.max()) / error)


def _change(mel: Float[np.ndarray, "frames bands"], at: int, reach: int) -> float:
    before, after = mel[max(0, at - reach) : at], mel[at : at + reach]
    if min(len(before), len(after)) < reach // 4:
        return 0.0
    return float(np.abs(after.mean(0) - before.mean(0)).mean())
