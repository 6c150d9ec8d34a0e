"""What a render will take, stated before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from segue.errors import ResourceError
from segue.render.memory import available_mb, peak_mb

# Measured by `make bench-speed` on two cores of 2020; a guide for the musician, not a promise.
_SECONDS_PER_SONG_SECOND = 0.012  # analysis of the song, once
_SECONDS_PER_GAP = 0.8  # choosing and joining
_SECONDS_PER_EVALUATION = 0.012  # one seed, one step, per second of window
_MB_PER_SONG_SECOND = 1.6  # the audio at its own rate and at 44.1 kHz, the song, its features
_MB_PER_SEED_SECOND = 6.0  # the network's activations


@dataclass(frozen=True)
class Estimate:
    """Seconds of wall time and MB of memory beyond what the process holds already."""

    seconds: float
    megabytes: float

    @property
    def message(self) -> str:
        """One line for people."""
        return f"about {self.seconds:.0f} s and {self.megabytes:.0f} MB of memory"


def estimate(song_seconds: float, gaps: Sequence[float], steps: int, seeds: int) -> Estimate:
    """Estimate a render of ``gaps`` (seconds each) in ``song_seconds`` of material.

    Raises:
        ResourceError: it would take more memory than the system can give.
    """
    windows = sum(gap + 2.5 for gap in gaps)
    seconds = (
        _SECONDS_PER_SONG_SECOND * song_seconds
        + _SECONDS_PER_GAP * len(gaps)
        + _SECONDS_PER_EVALUATION * windows * steps * (seeds + 1)
    )
    longest = max(gaps, default=0.0) + 2.5
    result = Estimate(seconds, _MB_PER_SONG_SECOND * song_seconds + _MB_PER_SEED_SECOND * seeds * longest)
    available = available_mb()
    if available is not None and result.megabytes > available:
        raise ResourceError(
            f"this render needs about {result.megabytes:.0f} MB of memory beyond the {peak_mb():.0f} MB in use, "
            f"but the system can give {available:.0f} MB: close other programs, shorten the gap or give less music"
        )
    return result
