"""Beats: tempo by autocorrelation of onset strength, beats by dynamic programming (Ellis 2007), then a steady grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.fft import irfft, rfft
from scipy.ndimage import uniform_filter1d

from segue.clip.clip import MODEL_RATE
from segue.guidance.operators.onset_strength import OnsetStrength

Stereo = Float[np.ndarray, "2 _samples"]
Times = Float[np.ndarray, " _beats"]
Frames = Float[np.ndarray, " _frames"]

HOP = 256
_N_FFT = 1024
_FRAME_RATE = MODEL_RATE / HOP
LATE = 0.006
"""Seconds by which an attack comes after the frame in which its level rises most; measured on clicks and drums."""

_STILL = 0.1  # deviation of the onset curve in dB under which nothing is struck; white noise has 0.11
SLOWEST, FASTEST = 60.0, 200.0  # beats a minute that are looked for
_USUAL, _OCTAVES = 120.0, 0.8  # the usual tempo, and the width of that preference
_TIGHT = 400.0  # how strictly beats keep the tempo
CLEAR, CLEAR_GRID = 0.12, 0.08
"""Clarity from which a beat counts as one; less is enough where the beats found lie on one grid."""

_STEADY, _STEADY_SHARE = 0.025, 0.75  # seconds off the grid, and the share of beats within, of a track made by machine
_BESIDE = 8  # beats on each side that smooth one of a track played by hand
_ROBUST = 3


@dataclass(frozen=True, eq=False)
class Beats:
    """``times`` of beats in seconds; ``tempo`` in beats a minute; ``clarity``, 0 for noise, 1 for a perfect loop.

    ``steady``: the beats are a grid of one period, as a machine plays; else each is smoothed by its neighbours.
    """

    times: Times
    tempo: float
    clarity: float
    steady: bool

    @property
    def clear(self) -> bool:
        """Whether there is a beat to speak of."""
        return self.clarity >= (CLEAR_GRID if self.steady else CLEAR) and len(self.times) >= 8


def onset_curve(audio: Stereo) -> Frames:
    """Rise in dB a frame of 256 samples, less its mean over a second, at least 0; ``audio`` at an RMS of 0.1."""
    operator = OnsetStrength(float(MODEL_RATE), _N_FFT, HOP, smooth=HOP / MODEL_RATE, floor=1e-7)
    log_rise = operator(torch.from_numpy(np.ascontiguousarray(audio[None], np.float32)))[0].numpy()
    rise = 2.0 ** log_rise.astype(np.float64) - operator.least
    edge = _N_FFT // HOP
    rise[:edge] = rise[len(rise) - edge :] = 0.0
    curve: Frames = np.maximum(rise - uniform_filter1d(rise, round(_FRAME_RATE)), 0.0)
    return curve


def find_beats(audio: Stereo) -> Beats | None:
    """The beats of 44.1 kHz audio at an RMS of 0.1; None for what is too short or has no onsets at all."""
    if audio.shape[1] < 8.0 * MODEL_RATE:
        return None
    curve = onset_curve(audio)
    if curve.std() < _STILL:
        return None
    agreement = _autocorrelation(curve)
    period, clarity = _period(agreement)
    found = _track(curve / curve.std(), period)
    if len(found) < 4:
        return None
    times, steady = _smoothed(found / _FRAME_RATE, curve[found])
    tempo = 60.0 / float(np.median(np.diff(times)))
    return Beats(_to_the_ends(times + LATE, audio.shape[1] / MODEL_RATE), tempo, clarity, steady)


def _autocorrelation(curve: Frames) -> Frames:
    """Of the curve less its mean, 1 at lag 0, each lag over as many products as it has."""
    centred = curve - curve.mean()
    size = 1 << int(np.ceil(np.log2(2 * len(curve))))
    power = rfft(centred, size)
    raw = irfft(power * power.conj(), size)[: len(curve)]
    counts = np.arange(len(curve), 0, -1)
    unbiased: Frames = (raw / counts) / (raw[0] / len(curve) + 1e-12)
    return unbiased


def _period(agreement: Frames) -> tuple[float, float]:
    """The beat's period in frames, and its clarity: the mean agreement one to four beats apart."""
    tempos = np.geomspace(SLOWEST, FASTEST, 600)
    periods = 60.0 * _FRAME_RATE / tempos
    lags = np.arange(len(agreement))
    smooth = uniform_filter1d(agreement, 5)
    mean = np.mean([np.interp(k * periods, lags, smooth) for k in (1, 2, 3, 4)], axis=0)
    preference = np.exp(-0.5 * (np.log2(tempos / _USUAL) / _OCTAVES) ** 2)
    best = int((np.maximum(mean, 0.0) * preference).argmax())
    fine = np.linspace(0.98, 1.02, 401) * periods[best]
    far = [k for k in (4, 8, 12, 16) if k * fine[-1] < len(agreement) / 2] or [1]
    sharp = np.mean([np.interp(k * fine, lags, smooth) for k in far], axis=0)
    clarity = np.mean([agreement[int(k * periods[best]) - 3 : int(k * periods[best]) + 5].max() for k in (1, 2, 3, 4)])
    return float(fine[int(sharp.argmax())]), float(max(0.0, clarity))


def _track(curve: Frames, period: float) -> Int[np.ndarray, " beats"]:
    """Frames of the beats that are strongest and most even together (Ellis 2007, section 3)."""
    back = np.arange(-round(2.0 * period), -round(period / 2.0) + 1)
    cost = -_TIGHT * np.log(-back / period) ** 2
    total, before = curve.copy(), np.full(len(curve), -1)
    for frame in range(-int(back[0]), len(curve)):
        reached = cost + total[frame + back]
        best = int(reached.argmax())
        if reached[best] > 0.0:
            total[frame] += reached[best]
            before[frame] = frame + back[best]
    last = len(total) - round(period) + int(total[-round(period) :].argmax())
    beats = [last]
    while before[beats[-1]] >= 0:
        beats.append(int(before[beats[-1]]))
    return np.array(beats[::-1])


def _smoothed(times: Times, weights: Times) -> tuple[Times, bool]:
    """Beats on one line where most lie near it, else each on the line of its neighbours; and which of the two."""
    index = np.arange(len(times), dtype=np.float64)
    weights = weights + 0.05 * weights.mean() + 1e-9
    grid = _line(index, times, weights, index)
    if float((np.abs(times - grid) < _STEADY).mean()) >= _STEADY_SHARE:
        return grid, True
    local = np.empty_like(times)
    for i in range(len(times)):
        near = slice(max(0, i - _BESIDE), i + _BESIDE + 1)
        local[i] = _line(index[near], times[near], weights[near], index[i : i + 1])[0]
    return local, False


def _to_the_ends(times: Times, seconds: float) -> Times:
    """The same beats, going on before the first and after the last one as long as the audio lasts.

    What begins with the audio has no rise before it, and what fades has weak ones: the beat is there all the same.
    """
    first, last = times[1] - times[0], times[-1] - times[-2]
    before = np.arange(int(times[0] // first), 0, -1)
    after = np.arange(1, int((seconds - times[-1]) // last) + 1)
    whole: Times = np.concatenate([times[0] - before * first, times, times[-1] + after * last])
    return whole


def _line(x: Times, y: Times, weights: Times, at: Times) -> Times:
    """A straight line through most points: weighted least squares, outliers counting less each time."""
    w = weights
    for _ in range(_ROBUST):
        slope, offset = np.polyfit(x, y, 1, w=np.sqrt(w))
        away = np.abs(y - (slope * x + offset))
        w = weights / (1.0 + (away / 0.01) ** 2)
    line: Times = slope * at + offset
    return line
