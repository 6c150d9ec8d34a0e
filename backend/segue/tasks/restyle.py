"""Restyle: the same music in another style; all of a track, or the stretches that are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from segue.clip.clip import MODEL_RATE
from segue.clip.gaps import check_gaps
from segue.clip.span import Span
from segue.guidance.freedom import Freedom
from segue.tasks.holes import one_source, silenced
from segue.tasks.plan import Plan, Stereo
from segue.tasks.regenerate import paper_freedom, varied_region


@dataclass(frozen=True)
class Restyle:
    """As regenerate, with a wish beside it (the style goes to the renderer, not into the plan); all may be a gap.

    ``gaps`` in samples at 44.1 kHz, in any order; none for the whole track. ``freedom`` is read at its seconds.
    """

    name: ClassVar[str] = "restyle"

    gaps: tuple[Span, ...] = ()
    freedom: Freedom = field(default_factory=paper_freedom)

    def plan(self, sources: Sequence[Stereo], songs: Sequence[Stereo] = ()) -> Plan:
        """The track, silent in the gaps, whose original is each region's x_bar and what it is made of.

        Raises:
            InvalidRequest: gaps empty, out of range or touching; not exactly one source.
        """
        track = one_source(self.name, sources)
        whole = (Span(0, track.shape[1]),)
        gaps = check_gaps(self.gaps or whole, track.shape[1], rate=MODEL_RATE, elsewhere=True)
        regions = tuple(replace(varied_region(track, gap, self.freedom), own_sound=True) for gap in gaps)
        return Plan(self.name, silenced(track, gaps), regions, tuple(songs))
