"""A picture of a plan: both tracks on the time axis of the result, their beats, the joint, and what moves around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from segue.clip.atomic import replacing
from segue.clip.clip import Clip
from segue.errors import ResourceError
from segue.joint.plan import JoinPlan, Side, TrackFacts
from segue.tasks.transition import constant_power

if TYPE_CHECKING:
    from matplotlib.figure import Figure
else:  # an extra: the name stands in annotations only
    Figure = Any

COLUMNS = 1400
_AROUND = 4.0  # seconds shown on each side of what is changed
_COLOURS = ("#2a7de1", "#d9641e")
_GAP = "#7a3fb0"

Times = Float[np.ndarray, " _n"]


@dataclass(frozen=True)
class _Shown:
    """One track as drawn: the seconds of the result at which samples ``first`` to ``last`` of it sound."""

    side: Side
    facts: TrackFacts
    clip: Clip
    start: int  # sample of the result at which its stretch begins
    leaving: bool

    def source_of(self, places: Times) -> Times:
        """Samples of the track at samples of the result; outside of its stretch the track is as it is."""
        at = places - self.start
        source = self.side.source_of(at)
        if self.leaving:
            return np.asarray(np.where(at < 0, self.side.cut + at, source))
        return np.asarray(np.where(at > self.side.length, self.side.cut + at - self.side.length, source))

    def heard(self, places: Times) -> Any:
        """Which samples of the result have this track."""
        return places < self.start + self.side.length if self.leaving else places >= self.start


def draw_plan(plan: JoinPlan, left: Clip, right: Clip, path: Path) -> None:
    """Write a PNG of a plan.

    Raises:
        ResourceError: matplotlib is missing, or the disk is full.
    """
    figure = plan_figure(plan, left, right)
    with replacing(path) as part:
        figure.savefig(part, format="png")


def plan_figure(plan: JoinPlan, left: Clip, right: Clip) -> Figure:
    """The figure of :func:`draw_plan`, for a notebook or a report of one's own."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 (an extra, and slow to import)
    except ImportError as error:
        raise ResourceError("drawing needs matplotlib; install it with: pip install segue[plot]") from error
    tracks = (
        _Shown(plan.left, plan.facts[0], left, plan.left.cut, leaving=True),
        _Shown(plan.right, plan.facts[1], right, plan.regenerated.start, leaving=False),
    )
    low = max(0.0, plan.changed.start - _AROUND * plan.rate)
    places = np.linspace(low, plan.changed.stop + _AROUND * plan.rate, COLUMNS + 1)
    figure = Figure(figsize=(13.0, 8.0), dpi=110, layout="constrained")
    axes: Any = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 2))
    for ax, track, colour in zip(axes, tracks, _COLOURS, strict=False):
        _waveform(ax, track, places, plan.rate, colour)
        _beats(ax, track, places, plan.rate)
    _courses(axes[2], plan, tracks, places)
    for ax in axes:
        _marks(ax, plan)
    axes[2].set_xlabel("seconds of the result")
    figure.suptitle("\n".join(plan.lines()[2:]), fontsize=9, x=0.01, ha="left")
    return figure


def _waveform(ax: Any, track: _Shown, places: Times, rate: int, colour: str) -> None:
    """The loudest sample of each column, above and below zero; pale where the track is not heard."""
    edges = np.clip(np.rint(track.source_of(places)), 0, track.clip.length).astype(int)
    loudest = np.abs(track.clip.samples).max(0)
    peaks = np.array([loudest[a:b].max() if b > a else 0.0 for a, b in pairwise(edges)])
    middle = (places[:-1] + places[1:]) / 2.0
    heard = track.heard(middle)
    for part, alpha in ((heard, 0.9), (~heard, 0.15)):
        ax.fill_between(middle / rate, -peaks, peaks, where=part, color=colour, alpha=alpha, linewidth=0)
    top = max(0.05, float(peaks.max())) * 1.1
    ax.set_ylim(-top, top)
    facts = track.facts
    tempo = "no clear beat" if facts.tempo is None else f"{facts.tempo:.1f} BPM"
    key = "no clear key" if facts.key is None else f"{facts.key} ({facts.key_wheel})"
    loudness = "silent" if facts.loudness is None else f"{facts.loudness:.1f} LUFS"
    ax.set_title(f"{facts.name}: {tempo}, {key}, {loudness}; {'; '.join(facts.reasons)}", loc="left", fontsize=9)


def _beats(ax: Any, track: _Shown, places: Times, rate: int) -> None:
    """A tick at each beat, a line at each downbeat, where they sound in the result."""
    sources = track.source_of(places)
    for seconds, height, colour in ((track.facts.beats, 0.06, "#888888"), (track.facts.downbeats, 1.0, "#b0b0b0")):
        samples = np.array(seconds) * rate
        inside = samples[(samples > sources[0]) & (samples < sources[-1])]
        at = np.interp(inside, sources, places) / rate
        ax.vlines(at, 0.0, height, transform=ax.get_xaxis_transform(), color=colour, linewidth=0.8, zorder=0)


def _courses(ax: Any, plan: JoinPlan, tracks: tuple[_Shown, _Shown], places: Times) -> None:
    """Tempo of both as they sound, and the gain of each in dB with its part of the cross-fade."""
    rate, gap = plan.rate, plan.regenerated
    level = ax.twinx()
    fades = constant_power(gap.length)
    for track, colour, fade in zip(tracks, _COLOURS, fades, strict=True):
        heard = places[track.heard(places)]
        if track.facts.tempo is not None:
            speed = np.gradient(track.source_of(heard), heard)
            ax.plot(heard / rate, track.facts.tempo * speed, color=colour, linewidth=1.6)
        ramp = np.interp(heard - track.start, [0, track.side.length], track.side.gain_db)
        part = 20.0 * np.log10(np.maximum(np.interp(heard, gap.start + np.arange(gap.length), fade), 1e-2))
        level.plot(heard / rate, ramp + part, color=colour, linewidth=1.0, linestyle=":")
    ax.set_ylabel("beats a minute (line)")
    level.set_ylabel("gain, dB (dots)")
    level.set_ylim(-30.0, max(6.0, *plan.left.gain_db, *plan.right.gain_db) + 1.0)


def _marks(ax: Any, plan: JoinPlan) -> None:
    """The joint, what is regenerated, and what is changed at all."""
    rate = plan.rate
    ax.axvspan(plan.changed.start / rate, plan.changed.stop / rate, color="#f4e9c8", alpha=0.5, zorder=-2, linewidth=0)
    ax.axvspan(
        plan.regenerated.start / rate, plan.regenerated.stop / rate, color=_GAP, alpha=0.15, zorder=-1, linewidth=0
    )
    ax.axvline(plan.joint / rate, color=_GAP, linewidth=1.6)
