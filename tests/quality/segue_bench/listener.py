"""The listener: knows the truth of one case and scores renderings against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import expit
from torch import Tensor

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE, Case, ClipScores, Rendering
from segue_bench.scores.heard import Heard
from segue_bench.scores.registry import SCORES
from segue_bench.scores.surroundings import Surroundings

EAR_SAMPLES = 3 * RATE
"""What the scoring embedder hears at once."""

SHORTEST = 2048
"""Samples a gap must have to be scored: the longest window of gap-MR."""

LONGEST_MARGIN = RATE
"""Samples a rendering may be pasted over the context on each side."""

_REACH = 4 * RATE  # samples kept on each side of the gap: the ear's window, the seams and their loudness, a margin


@runtime_checkable
class Impression(Protocol):
    """What an ear makes of a batch: (batch, 200) embeddings and (batch, 50) logits of the tags."""

    @property
    def embedding(self) -> Float[Tensor, "batch features"]:
        """The layer before the tags."""

    @property
    def logits(self) -> Float[Tensor, "batch tags"]:
        """Tags before the sigmoid."""


@runtime_checkable
class Ear(Protocol):
    """The scoring embedder, on 3 s of 44.1 kHz stereo; never the one that guides a rendering."""

    def listen(self, audio: Float[Tensor, "batch 2 samples"]) -> Impression:
        """Embed and tag."""


def ear_window(gap: Span, samples: int) -> Span:
    """The 3 s centred on a gap, moved no further than it must to lie within a timeline of ``samples``.

    Of a longer gap these are its middle 3 s.

    Raises:
        InvalidRequest: a timeline under 3 s.
    """
    if samples < EAR_SAMPLES:
        raise InvalidRequest(f"expected a timeline of at least 3 s, got {samples / RATE:.3f} s: use a longer excerpt")
    start = (gap.start + gap.stop - EAR_SAMPLES) // 2
    start = max(0, min(start, samples - EAR_SAMPLES))
    return Span(start, start + EAR_SAMPLES)


@dataclass(frozen=True, eq=False)
class Listener:
    """One case, listened to once; ``real`` is what stands in its gap, as the scores hear it."""

    case: Case
    ear: Ear = field(repr=False)
    known: Surroundings
    real: Heard

    @staticmethod
    def of(case: Case, ear: Ear) -> Listener:
        """Listen to the real thing.

        Raises:
            InvalidRequest: a gap under 2048 samples, a timeline under 3 s, a silent track, another length of original.
        """
        if case.gap.length < SHORTEST:
            raise InvalidRequest(
                f"expected a gap of at least {SHORTEST} samples (46 ms) to score, got {case.gap.length}: use another"
            )
        if case.original.shape != case.plan.timeline.shape:
            raise InvalidRequest(
                f"expected an original as long as the timeline, {case.plan.timeline.shape}, got {case.original.shape}"
            )
        ear_window(case.gap, case.original.shape[1])
        known = Surroundings.of(case)
        return Listener(case, ear, known, _hear(case, ear, known.gain, case.truth, 0))

    def score(self, rendering: Rendering) -> ClipScores:
        """All scores that are defined for this case.

        Raises:
            InvalidRequest: a rendering of another length, not finite, or pasted beyond the timeline or over more than
                a second of context.
        """
        _check(self.case, rendering)
        heard = _hear(self.case, self.ear, self.known.gain, rendering.audio, rendering.margin)
        has_real = self.case.task != "transition"
        found = {s.name: s.measure(self.known, self.real, heard) for s in SCORES if has_real or not s.against_real}
        values = {name: value for name, value in found.items() if value is not None}
        return ClipScores(values, heard.embedding, expit(heard.logits))


def _check(case: Case, rendering: Rendering) -> None:
    gap, margin = case.gap, rendering.margin
    expected = (2, gap.length + 2 * margin)
    if not 0 <= margin <= LONGEST_MARGIN or rendering.audio.shape != expected:
        raise InvalidRequest(
            f"expected audio of {expected}, the gap with a margin of 0 to {LONGEST_MARGIN} samples on each side, "
            f"got {rendering.audio.shape} with a margin of {margin}; check the method"
        )
    if margin > min(gap.start, case.original.shape[1] - gap.stop):
        raise InvalidRequest(
            f"expected a margin that stays within the timeline of {case.original.shape[1]} samples around "
            f"{gap.start}:{gap.stop}, got {margin}; check the method"
        )
    if not np.isfinite(rendering.audio).all():
        raise InvalidRequest("expected finite audio, got NaN or infinity; the method must refuse what it cannot render")


def _hear(case: Case, ear: Ear, gain: float, audio: Stereo, margin: int) -> Heard:
    """Paste ``audio`` over the original and listen to what is around it."""
    samples = case.original.shape[1]
    first, last = max(0, case.gap.start - _REACH), min(samples, case.gap.stop + _REACH)
    around = np.array(case.original[:, first:last], np.float32)
    gap = Span(case.gap.start - first, case.gap.stop - first)
    pasted = Span(gap.start - margin, gap.stop + margin)
    around[:, pasted.start : pasted.stop] = audio
    window = ear_window(case.gap, samples)
    heard = torch.from_numpy(around[None, :, window.start - first : window.stop - first].copy())
    with torch.no_grad():
        impression = ear.listen(heard)
    embedding, logits = (t[0].numpy().astype(np.float32) for t in (impression.embedding, impression.logits))
    seams = (gap, pasted) if margin else (gap,)
    return Heard(around * np.float32(gain), gap, seams, first, embedding, logits)
