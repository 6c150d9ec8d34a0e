"""What the scores know of a case besides its gap: the track's usual seams, its beat, and what could be copied."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from segue.clip.analysis import SeamReference, seam_reference
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.prior.contract import REFERENCE_RMS
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE, Case
from segue_bench.scores.beat import BeatGrid, Strength, Times, beat_grid
from segue_bench.scores.copied import Material
from segue_bench.scores.onsets import EDGE, HOP, N_FFT, onset_strength

_BEAT_SECONDS = 6.0  # of context on each side, over which a beat counts as steady
_SILENT_RMS = 1e-5


@dataclass(frozen=True, eq=False)
class Surroundings:
    """``gain`` brings the track to the reference level; ``usual_seam`` and ``beat`` are None where they are unknown."""

    case: Case
    gain: float
    usual_seam: SeamReference | None
    beat: BeatGrid | None
    material: Material = field(repr=False)

    @staticmethod
    def of(case: Case) -> Surroundings:
        """Listen to a case.

        Raises:
            InvalidRequest: the track is silent.
        """
        gap, timeline = case.gap, case.plan.timeline
        gain = _gain(timeline, timeline.shape[1] - gap.length)
        transition = (
            case.task == "transition"
        )  # two tracks: two beats, none of them the gap's; both are among the songs
        beside = () if transition else (timeline[:, : gap.start], timeline[:, gap.stop :])
        return Surroundings(
            case,
            gain,
            seam_reference(case.original * np.float32(gain), [gap]),
            None if transition else _beat(timeline, gap, gain),
            Material.of([*beside, *case.plan.songs], gap.length),
        )


def _gain(timeline: Stereo, known: int) -> float:
    rms = float(np.sqrt(np.einsum("cs,cs->", timeline, timeline, dtype=np.float64) / (2 * max(1, known))))
    if rms < _SILENT_RMS:
        raise InvalidRequest(f"expected a track that sounds outside its gap, got an RMS of {rms:.2g}: leave it out")
    return REFERENCE_RMS / rms


def _beat(timeline: Stereo, gap: Span, gain: float) -> BeatGrid | None:
    """The beat of the six seconds before and after the gap; neither hears the gap."""
    reach = round(_BEAT_SECONDS * RATE)
    parts: list[tuple[Times, Strength]] = []
    for first, last in ((max(0, gap.start - reach), gap.start), (gap.stop, min(timeline.shape[1], gap.stop + reach))):
        if last - first < 8 * N_FFT:
            continue
        strength = onset_strength(timeline[:, first:last] * np.float32(gain))
        times = (first + np.arange(strength.shape[1]) * HOP) / RATE
        parts.append((times[EDGE:-EDGE], strength[:, EDGE:-EDGE]))
    return beat_grid(parts)
