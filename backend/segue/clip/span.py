"""Spans of time, in samples."""

from __future__ import annotations

from dataclasses import dataclass

from segue.errors import InvalidRequest


@dataclass(frozen=True, order=True)
class Span:
    """Samples [start, stop) of a signal; ``start`` may be negative where a span reaches out of it."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if self.stop < self.start:
            raise InvalidRequest(f"a span must end after it starts, got {self.start}:{self.stop}")

    @property
    def length(self) -> int:
        """Samples."""
        return self.stop - self.start

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a sample."""
        return self.start < other.stop and other.start < self.stop
