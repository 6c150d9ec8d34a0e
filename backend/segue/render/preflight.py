"""What a render will take, stated before it starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from segue.errors import ResourceError
from segue.render.memory import available_mb, peak_mb

# Measured by `make bench-speed` on two cores of 2020; a guide for the musician, not a promise.
_SECONDS_PER_SONG_SECOND = 0.012  # analysis of the song, once
_SECONDS_PER_GAP = 0.8  # choosing and joining
_SECONDS_PER_EVALUATION = 0.012  # one seed, one step, per second of window
_SECONDS_PER_HEARING = 0.6  # a network of the guide, forward and back, for 3 s of a gap, one seed, one step
_SECONDS_PER_MEASURING = 0.15  # a formula, likewise
_MB_PER_HEARING = 250.0  # a guide's activations, one stretch at a time
_MB_PER_SONG_SECOND = 1.6  # the audio at its own rate and at 44.1 kHz, the song, its features
_MB_PER_SEED_SECOND = 6.0  # the network's activations


_EMBEDDED = 22.9e6 * 21.5  # bytes of weights times latent frames a second: what an evaluation costs goes with both
_ACTIVATIONS = 2.0  # weights are held once, and about as much again while they are used


@dataclass(frozen=True)
class Pace:
    """A network beside the embedded one: ``times`` the work for a second of window, windows of ``seconds`` or more, and
    the ``megabytes`` it takes to hold it.
    """

    times: float = 1.0
    seconds: float = 0.0
    megabytes: float = 0.0

    @staticmethod
    def of(weights: int, frames_per_second: float, seconds: float, evaluations: int = 1) -> Pace:
        """From bytes of weights, latent frames a second, the shortest window, and evaluations a step."""
        times = evaluations * weights * frames_per_second / _EMBEDDED
        return Pace(times, seconds, _ACTIVATIONS * weights / 1e6)


EMBEDDED = Pace()
"""The embedded network itself, which the figures above were measured with."""


@dataclass(frozen=True)
class Estimate:
    """Seconds of wall time and MB of memory beyond what the process holds already."""

    seconds: float
    megabytes: float

    @property
    def message(self) -> str:
        """One line for people."""
        return f"about {self.seconds:.0f} s and {self.megabytes:.0f} MB of memory more"


def estimate(
    song_seconds: float,
    gaps: Sequence[float],
    steps: int,
    seeds: int,
    heard: bool = False,
    measured: bool = False,
    pace: Pace = EMBEDDED,
) -> Estimate:
    """Estimate a render of ``gaps`` (seconds each) in ``song_seconds`` of material.

    ``heard`` and ``measured``: whether a style guides it by what networks hear, and by what formulas measure; ``pace``:
    of the bundle's network.

    Raises:
        ResourceError: it would take more memory than the system can give.
    """
    windows = sum(max(gap + 2.5, pace.seconds) for gap in gaps) * pace.times
    seconds = (
        _SECONDS_PER_SONG_SECOND * song_seconds
        + _SECONDS_PER_GAP * len(gaps)
        + _SECONDS_PER_EVALUATION * windows * steps * (seeds + 1)
    )
    guided = (_SECONDS_PER_HEARING if heard else 0.0) + (_SECONDS_PER_MEASURING if measured else 0.0)
    seconds += guided * steps * seeds * sum(math.ceil(gap / 3.0) for gap in gaps)
    longest = max(gaps, default=0.0) + 2.5
    megabytes = _MB_PER_SONG_SECOND * song_seconds + _MB_PER_SEED_SECOND * seeds * longest + pace.megabytes
    result = Estimate(seconds, megabytes + (_MB_PER_HEARING if heard or measured else 0.0))
    available = available_mb()
    if available is not None and result.megabytes > available:
        raise ResourceError(
            f"this render needs about {result.megabytes:.0f} MB of memory beyond the {peak_mb() or 0.0:.0f} MB in use, "
            f"but the system can give {available:.0f} MB: close other programs, shorten the gap or give less music"
        )
    return result
