"""Infill: invent what belongs in the gaps, from what stands around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from segue.clip.span import Span
from segue.tasks.holes import in_order, one_source, silenced
from segue.tasks.plan import Plan, Region, Stereo


@dataclass(frozen=True)
class Infill:
    """Left and right contexts kept, the gaps generated from noise (Levy et al. 2023, table of conditioning: infill).

    ``gaps`` in samples at 44.1 kHz, in any order. A gap at an edge of the track has one context only.
    """

    name: ClassVar[str] = "infill"

    gaps: tuple[Span, ...]

    def plan(self, sources: Sequence[Stereo], songs: Sequence[Stereo] = ()) -> Plan:
        """The track, silent in the gaps; nothing is known of what stood there.

        Raises:
            InvalidRequest: gaps empty, out of range, touching or covering all; not exactly one source.
        """
        track = one_source(self.name, sources)
        gaps = in_order(self.gaps, track, songs)
        return Plan(self.name, silenced(track, gaps), tuple(Region(gap) for gap in gaps), tuple(songs))
