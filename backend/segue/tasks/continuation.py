"""Continuation: go on after the end of a track, or lead up to its start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.tasks.holes import one_source, samples_of
from segue.tasks.plan import Plan, Region, Stereo


@dataclass(frozen=True)
class Continuation:
    """One context kept, the rest generated from noise (Levy et al. 2023, table of conditioning: continuation).

    ``seconds`` of new music after the end (``forward``) or before the start (``backward``) of the track.
    """

    name: ClassVar[str] = "continuation"

    seconds: float
    direction: str = "forward"

    def plan(self, sources: Sequence[Stereo], songs: Sequence[Stereo] = ()) -> Plan:
        """The track, lengthened by silence that is the one region.

        Raises:
            InvalidRequest: seconds not in (0, 3600]; an unknown direction; not exactly one source.
        """
        track = one_source(self.name, sources)
        added = samples_of(self.seconds, "the continuation")
        length = track.shape[1]
        if self.direction == "forward":
            before, gap = 0, Span(length, length + added)
        elif self.direction == "backward":
            before, gap = added, Span(0, added)
        else:
            raise InvalidRequest(f"direction must be 'forward' or 'backward', got {self.direction!r}")
        timeline = np.pad(track.astype(np.float32, copy=False), ((0, 0), (before, added - before)))
        return Plan(self.name, timeline, (Region(gap),), tuple(songs))
