"""Regenerate: a variation of what stands in the gaps, as free as asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from segue.clip.span import Span
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.tasks.holes import in_order, one_source, silenced
from segue.tasks.plan import Plan, Region, Stereo

PAPER_K = 0.85
"""k of x_T = k z + (1 - k) x_bar in Levy et al. 2023, for regeneration and transitions."""


def paper_freedom() -> Freedom:
    """Freedom 0.85 at all times."""
    return Freedom(Curve.constant(PAPER_K))


@dataclass(frozen=True)
class Regenerate:
    """As infill, but starting from x_T = k z + (1 - k) x_bar with x_bar the original (Levy et al. 2023).

    ``gaps`` in samples at 44.1 kHz, in any order. ``freedom`` is read at seconds of the track.
    """

    name: ClassVar[str] = "regenerate"

    gaps: tuple[Span, ...]
    freedom: Freedom = field(default_factory=paper_freedom)

    def plan(self, sources: Sequence[Stereo], songs: Sequence[Stereo] = ()) -> Plan:
        """The track, silent in the gaps, whose original is each region's x_bar.

        Raises:
            InvalidRequest: gaps empty, out of range, touching or covering all; not exactly one source.
        """
        track = one_source(self.name, sources)
        gaps = in_order(self.gaps, track, songs)
        regions = tuple(varied_region(track, gap, self.freedom) for gap in gaps)
        return Plan(self.name, silenced(track, gaps), regions, tuple(songs))


def varied_region(track: Stereo, gap: Span, freedom: Freedom) -> Region:
    """A region that starts from what stands in the gap."""
    return Region(gap, track[:, gap.start : gap.stop].astype(np.float32, copy=True), freedom)
