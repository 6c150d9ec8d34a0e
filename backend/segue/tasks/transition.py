"""Transition: one track flows into another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.freedom import Freedom
from segue.tasks.holes import check_source, samples_of
from segue.tasks.plan import Plan, Region, Stereo
from segue.tasks.regenerate import paper_freedom


def constant_power(length: int) -> tuple[Float[np.ndarray, " length"], Float[np.ndarray, " length"]]:
    """Gains of the track that leaves and the track that enters, float64: cos and sin, cos^2 + sin^2 = 1.

    Sample n stands at angle pi/2 (n + 1/2) / length, so that the fade reads the same backwards.
    """
    theta = np.pi / 2.0 * (np.arange(length) + 0.5) / length
    return np.cos(theta), np.sin(theta)


@dataclass(frozen=True)
class Transition:
    """As infill between two tracks, with x_bar their constant-power cross-fade (Levy et al. 2023: transition).

    ``overlap_seconds`` is how long both would sound together, and how long the gap is; the paper's is 2.5 s.
    ``freedom`` is read at seconds of the joined timeline, whose 0 is the start of the left track.
    """

    name: ClassVar[str] = "transition"

    overlap_seconds: float = 2.5
    freedom: Freedom = field(default_factory=paper_freedom)

    def plan(self, sources: Sequence[Stereo], songs: Sequence[Stereo] = ()) -> Plan:
        """Left track, gap, right track; both tracks, whole, are material for recall too.

        Raises:
            InvalidRequest: not exactly two sources, or an overlap that leaves nothing of one of them.
        """
        if len(sources) != 2:
            raise InvalidRequest(f"{self.name} works on two tracks, left and right, got {len(sources)}")
        left, right = sources
        overlap = samples_of(self.overlap_seconds, "the overlap")
        for track, side in ((left, "left"), (right, "right")):
            check_source(track, f"the {side} track")
            if overlap >= track.shape[1]:
                raise InvalidRequest(
                    f"the overlap of {self.overlap_seconds:g} s must be shorter than both tracks, "
                    f"but the {side} one lasts {track.shape[1] / MODEL_RATE:.3f} s; choose a shorter overlap"
                )
        tail, head = left[:, -overlap:], right[:, :overlap]
        falling, rising = constant_power(overlap)
        x_bar = (falling * tail + rising * head).astype(np.float32)
        gap = Span(left.shape[1] - overlap, left.shape[1])
        silence = np.zeros((2, overlap), np.float32)
        timeline = np.concatenate([left[:, : gap.start], silence, right[:, overlap:]], axis=1, dtype=np.float32)
        return Plan(self.name, timeline, (Region(gap, x_bar, self.freedom),), (left, right, *songs))
