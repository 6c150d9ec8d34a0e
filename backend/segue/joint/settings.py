"""What a musician asks of a planned transition."""

from __future__ import annotations

import math
from dataclasses import dataclass

from segue.errors import InvalidRequest

MAX_BARS = 64


@dataclass(frozen=True)
class JointSettings:
    """How the joint of two tracks is chosen and what is matched around it.

    ``bars``: how many bars tempo, key and loudness take from the left track's to the right one's, half of them before
    the joint; also the length of a phrase. ``match_tempo``: None where both have a clear beat and are near enough, else
    without, which is noted; True refuses instead. ``match_key`` glides both to each other; ``match_loudness`` likewise.
    ``at_a``, ``at_b``: the joint in seconds of either track, None for the best that is found. ``search_seconds``: how
    much of the end of the left and of the start of the right track is listened to.
    """

    bars: int = 8
    match_tempo: bool | None = None
    match_key: bool = False
    match_loudness: bool = True
    at_a: float | None = None
    at_b: float | None = None
    search_seconds: float = 90.0
    max_tempo_ratio: float = 1.3
    max_semitones: int = 2
    max_loudness: float = 12.0

    def __post_init__(self) -> None:
        if not 1 <= self.bars <= MAX_BARS:
            raise InvalidRequest(f"bars must lie in 1 to {MAX_BARS}, got {self.bars}")
        for name, value in (("at_a", self.at_a), ("at_b", self.at_b)):
            if value is not None and not (math.isfinite(value) and value >= 0.0):
                raise InvalidRequest(f"{name} must be seconds from the start of the track, 0 or more, got {value}")
        if not (math.isfinite(self.search_seconds) and self.search_seconds >= 10.0):
            raise InvalidRequest(f"search_seconds must be at least 10, got {self.search_seconds}")
        if not 1.0 <= self.max_tempo_ratio <= 1.5:
            raise InvalidRequest(f"max_tempo_ratio must lie in 1 to 1.5, got {self.max_tempo_ratio}")
        if not 0 <= self.max_semitones <= 6 or not 0.0 <= self.max_loudness <= 40.0:
            raise InvalidRequest(
                f"max_semitones must lie in 0 to 6 and max_loudness in 0 to 40 LU, got {self.max_semitones} and "
                f"{self.max_loudness}"
            )
