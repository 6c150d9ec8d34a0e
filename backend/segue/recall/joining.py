"""Units to audio: runs of the song joined into one signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from segue.recall.fades import best_shift, correlation, correlations, crossfade

Stereo = Float[np.ndarray, "2 samples"]


@dataclass(frozen=True)
class JoinSettings:
    """How runs are joined; samples.

    ``fade``: half the cross-fade at a join, and what the result covers beyond each end. ``align``: how far a run may be
    moved to match what it is joined to, over ``window`` samples around the join. ``search``: how far the join itself may
    move, in steps of ``step``, to where the two sides are most alike.
    """

    fade: int = 1323
    align: int = 220
    window: int = 1764
    search: int = 1024
    step: int = 128

    @property
    def reach(self) -> int:
        """Samples of the song that a run may sound, or be compared by, beyond its own ends."""
        return max(self.fade + self.search, self.window) + self.align


@dataclass(frozen=True)
class Run:
    """Samples [start, stop) of the target, sounded by the song from ``place`` on."""

    start: int
    stop: int
    place: int

    def heard(self, song: Stereo, low: int, high: int) -> Stereo:
        """The song as this run would sound it over target samples [low, high)."""
        at = self.place - self.start
        piece: Stereo = song[:, low + at : high + at]
        return piece

    def moved(self, shift: int) -> Run:
        """The same stretch of the target, sounded from ``shift`` samples later on."""
        return Run(self.start, self.stop, self.place + shift)


def join(
    song: Stereo, runs: Sequence[Run], settings: JoinSettings, left: Stereo | None = None, right: Stereo | None = None
) -> tuple[Stereo, tuple[Run, ...]]:
    """One signal of ``runs`` that follow each other, (2, length + 2 fade), and the runs as they were moved and cut.

    Each run is aligned to the one before it, the first to the known audio ``left`` of the target, the last also to the
    known audio ``right`` of it. ``song`` must be known ``settings.reach`` samples around every run.
    """
    aligned: list[Run] = []
    for run in runs:
        previous = aligned[-1] if aligned else None
        aligned.append(run.moved(best_shift(_fit(song, run, previous, left, right if run is runs[-1] else None, settings))))
    joins = [0]
    for before, after in zip(aligned, aligned[1:], strict=False):
        joins.append(_moment(song, before, after, joins[-1], settings))
    joins.append(runs[-1].stop)
    fade = settings.fade
    result = np.empty((2, joins[-1] + 2 * fade), np.float32)
    cut: list[Run] = []
    for number, run in enumerate(aligned):
        start, stop = joins[number], joins[number + 1]
        piece = run.heard(song, start - fade, stop + fade).copy()
        if number:
            piece[:, : 2 * fade] = crossfade(result[:, start : start + 2 * fade], piece[:, : 2 * fade])
        result[:, start : stop + 2 * fade] = piece
        cut.append(Run(start, stop, run.place + start - run.start))
    return result, tuple(cut)


def _fit(
    song: Stereo, run: Run, previous: Run | None, left: Stereo | None, right: Stereo | None, s: JoinSettings
) -> Float[np.ndarray, " shifts"]:
    """How well ``run``, moved by -align .. align, matches what it is joined to on either side."""
    fit = np.zeros(2 * s.align + 1, np.float32)
    if previous is not None:
        low, high = run.start - s.window // 2, run.start + s.window - s.window // 2
        fit += correlations(run.heard(song, low - s.align, high + s.align), previous.heard(song, low, high))
    elif left is not None and left.shape[1]:
        known = left[:, -s.window :]
        fit += correlations(run.heard(song, -known.shape[1] - s.align, s.align), known)
    if right is not None and right.shape[1]:
        known = right[:, : s.window]
        fit += correlations(run.heard(song, run.stop - s.align, run.stop + known.shape[1] + s.align), known)
    return fit


def _moment(song: Stereo, before: Run, after: Run, earliest: int, s: JoinSettings) -> int:
    """Where to join: within ``search`` of the runs' border, the moment at which they are most alike."""
    low, high = max(earliest, after.start - s.search), min(after.stop, after.start + s.search)
    steps = np.arange(after.start - s.search // s.step * s.step, high + 1, s.step)

    def alike(at: int) -> float:
        span = at - s.fade, at + s.fade
        return correlation(before.heard(song, *span), after.heard(song, *span))

    return max((int(at) for at in steps if at >= low), key=alike)
