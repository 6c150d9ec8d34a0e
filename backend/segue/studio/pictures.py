"""Pictures of a clip: its waveform above its spectrogram, each column one stretch of time from edge to edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from segue.clip.clip import Clip
from segue.render.plot import F_MAX, F_MIN, MARGIN, RANGE_DB, log_spectrogram

Pixels = UInt8[np.ndarray, "height width 3"]
Stretch = tuple[float, float]
"""From, to: seconds."""

WIDTH, HEIGHT, CURVE_HEIGHT = 1200, 340, 160
_DPI = 100
_WAVE = 0.38  # of the height
_INK, _PAPER, _GRID = "#e8e6f0", "#14121c", "#3a3648"
_MARK = np.array([77, 243, 255])
_TICKS = (100, 1000, 10000)  # hertz


@dataclass(frozen=True)
class Picture:
    """Pixels, and the stretch of time that their columns span."""

    pixels: Pixels
    shown: Stretch

    def seconds_at(self, column: float | int) -> float:
        """The time under a column, within the picture."""
        start, stop = self.shown
        width = int(self.pixels.shape[1])
        return start + min(max(column / width, 0.0), 1.0) * (stop - start)

    def column_at(self, seconds: float | int) -> int:
        """The column of a time, at the picture's edge for one outside of it."""
        start, stop = self.shown
        width = int(self.pixels.shape[1])
        return round(min(max((seconds - start) / (stop - start), 0.0), 1.0) * (width - 1))

    def marked(self, gaps: Sequence[Stretch]) -> Pixels:
        """The pixels with the gaps tinted and their edges drawn."""
        pixels = self.pixels.copy()
        for gap in gaps:
            if gap[1] < self.shown[0] or gap[0] > self.shown[1]:
                continue
            first, last = (self.column_at(edge) for edge in gap)
            inside = pixels[:, first : last + 1].astype(np.float64)
            pixels[:, first : last + 1] = np.round(0.72 * inside + 0.28 * _MARK).astype(np.uint8)
            for edge in (first, last):
                pixels[:, max(0, edge - 1) : edge + 1] = _MARK
        return pixels


def around(gaps: Sequence[Stretch], seconds: float) -> Stretch:
    """The gaps with four seconds on each side, within a clip of ``seconds``; all of it where there is no gap."""
    if not gaps:
        return 0.0, seconds
    return max(0.0, min(a for a, _ in gaps) - MARGIN), min(seconds, max(b for _, b in gaps) + MARGIN)


def draw_clip(clip: Clip, shown: Stretch) -> Picture:
    """The waveform of all channels, full scale from bottom to top, above the spectrogram from 40 Hz to 20 kHz."""
    figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor=_PAPER)
    wave = figure.add_axes((0.0, 1.0 - _WAVE, 1.0, _WAVE), facecolor=_PAPER)
    low, high = envelope(clip, shown)
    times = np.linspace(*shown, WIDTH)
    wave.fill_between(times, low, high, color="#9d8cff", linewidth=0.6)
    wave.set_ylim(-1.0, 1.0)
    sound = figure.add_axes((0.0, 0.0, 1.0, 1.0 - _WAVE), facecolor=_PAPER)
    spectrum = log_spectrogram(clip, *shown)
    top = float(spectrum.max())
    sound.imshow(
        spectrum,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=top - RANGE_DB,
        vmax=top,
        extent=(*shown, np.log10(F_MIN), np.log10(F_MAX)),
    )
    for hertz in _TICKS:
        sound.text(shown[0], np.log10(hertz), f" {hertz} Hz", color=_INK, fontsize=7, va="center")
    return Picture(_finished(figure, shown, (wave, sound)), shown)


def draw_curve(points: Sequence[tuple[float, float]], shown: Stretch, gaps: Sequence[Stretch]) -> Pixels:
    """Breakpoints (seconds, value in [0, 1]) and the line between, flat outside them."""
    figure = Figure(figsize=(WIDTH / _DPI, CURVE_HEIGHT / _DPI), dpi=_DPI, facecolor=_PAPER)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), facecolor=_PAPER)
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        axes.axhline(value, color=_GRID, linewidth=0.8)
        axes.text(shown[0], value, f" {value:g}", color=_INK, fontsize=7, va="center")
    times, values = zip(*points, strict=True)
    axes.plot([min(shown[0], times[0]), *times, max(shown[1], times[-1])], [values[0], *values, values[-1]], "#ffb454")
    axes.plot(times, values, "o", color="#ffb454", markersize=7)
    axes.set_ylim(*CURVE_RANGE)
    return Picture(_finished(figure, shown, (axes,)), shown).marked(gaps)


CURVE_RANGE = (-0.1, 1.1)
"""Values at the bottom and the top of the curve's picture: 0 and 1 need room to be pointed at."""


def value_at(row: float | int) -> float:
    """The value under a row of the curve's picture, within [0, 1]."""
    low, high = CURVE_RANGE
    return min(max(high - row / CURVE_HEIGHT * (high - low), 0.0), 1.0)


def envelope(clip: Clip, shown: Stretch) -> tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " columns"]]:
    """Lowest and highest sample of all channels in each column."""
    first, last = (round(edge * clip.rate) for edge in shown)
    last = max(min(last, clip.length), first + 1)
    starts = np.linspace(first, last, WIDTH, endpoint=False).astype(int) - first
    samples = clip.samples[:, first:last]
    return (
        np.minimum.reduceat(samples.min(axis=0), starts).astype(np.float64),
        np.maximum.reduceat(samples.max(axis=0), starts).astype(np.float64),
    )


def _finished(figure: Figure, shown: Stretch, axes: Sequence[Any]) -> Pixels:
    """The figure's pixels, once all axes span the time from edge to edge, with a tick at round seconds."""
    for each in axes:
        each.set_xlim(*shown)
        for side in each.spines.values():
            side.set_visible(False)
    step, lowest = _step(shown[1] - shown[0]), axes[-1]
    style: dict[str, Any] = {"color": _INK, "fontsize": 7, "transform": lowest.get_xaxis_transform()}
    for tick in np.arange(np.ceil(shown[0] / step) * step, shown[1], step):
        lowest.axvline(tick, color=_INK, linewidth=0.4, alpha=0.4)
        lowest.text(tick, 0.01, f" {tick:g} s", **style)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def _step(seconds: float) -> float:
    """Of the ticks: one to two dozen in a picture."""
    return next((step for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0) if seconds / step <= 20), 60.0)
