"""Units to audio: runs of the song joined into one signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from segue.errors import InvalidRequest
from segue.recall.fades import best_shift, correlations, crossfade

Stereo = Float[np.ndarray, "2 _samples"]


@dataclass(frozen=True)
class JoinSettings:
    """How runs are joined; samples.

    ``fade``: half the cross-fade at a join, and what the result covers beyond each end. ``align``: how far a run may be
    moved to match what it is joined to, over ``window`` samples around the join; more than half a hop, so that every
    place between two frames is reached.

    Moving the join itself, within 2 frames, to a quieter or more alike moment was measured and did not help; shorter
    fades double attacks (0.05 unasked attacks a join at a fade of 1323, 0.12 at 200).
    """

    fade: int = 1323
    align: int = 300
    window: int = 1764

    def __post_init__(self) -> None:
        for name, least in {"fade": 1, "align": 0, "window": 2}.items():
            if getattr(self, name) < least:
                raise InvalidRequest(f"join setting {name} must be {least} samples or more, got {getattr(self, name)}")

    @property
    def reach(self) -> int:
        """Samples of the song that a run may sound, or be compared by, beyond its own ends."""
        return max(self.fade, self.window) + self.align


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


def join(
    song: Stereo, runs: Sequence[Run], settings: JoinSettings, left: Stereo | None = None, right: Stereo | None = None
) -> tuple[Stereo, tuple[Run, ...]]:
    """One signal of ``runs`` that follow each other, (2, length + 2 fade), and the runs as they were aligned.

    Each run is aligned to the one before it, the first to the known audio ``left`` of the target, the last also to the
    known audio ``right`` of it. ``song`` must be known ``settings.reach`` samples around every run.
    """
    fade = settings.fade
    result = np.empty((2, runs[-1].stop + 2 * fade), np.float32)
    aligned: list[Run] = []
    for run in runs:
        last = run is runs[-1]
        fit = _fit(song, run, aligned[-1] if aligned else None, left, right if last else None, settings)
        moved = Run(run.start, run.stop, run.place + best_shift(fit))
        piece = moved.heard(song, run.start - fade, run.stop + fade).copy()
        if aligned:
            piece[:, : 2 * fade] = crossfade(result[:, run.start : run.start + 2 * fade], piece[:, : 2 * fade])
        result[:, run.start : run.stop + 2 * fade] = piece
        aligned.append(moved)
    return result, tuple(aligned)


def _fit(
    song: Stereo, run: Run, previous: Run | None, left: Stereo | None, right: Stereo | None, s: JoinSettings
) -> Float[np.ndarray, " shifts"]:
    """How well ``run``, moved by -align .. align, matches what it is joined to on either side."""
    fit = np.zeros(2 * s.align + 1, np.float32)
    if previous is not None:
        low, high = run.start - s.window // 2, run.start + s.window // 2
        fit += correlations(run.heard(song, low - s.align, high + s.align), previous.heard(song, low, high))
    elif left is not None and left.shape[1]:
        known = left[:, -s.window :]
        fit += correlations(run.heard(song, -known.shape[1] - s.align, s.align), known)
    if right is not None and right.shape[1]:
        known = right[:, : s.window]
        fit += correlations(run.heard(song, run.stop - s.align, run.stop + known.shape[1] + s.align), known)
    return fit
