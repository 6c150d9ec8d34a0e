"""Which take is heard first: seams and context, measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue.clip.analysis import (
    SeamReference,
    high_band_db,
    loudness_jump_db,
    seam_reference,
    seam_z,
    spectral_balance_db,
)
from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.prior.contract import Codec
from segue.render.scene import Scene, cut, encode, widened
from segue.sampling.contract import Latents
from segue.tasks.plan import Stereo

_AROUND = 3 * MODEL_RATE  # samples of context measured with on each side
_REFERENCE = 60 * MODEL_RATE  # samples of the timeline the usual seam is taken from


@dataclass(frozen=True)
class Weights:
    """What a unit of each measure adds to the total (credit takes away).

    Chosen on 44 gaps of validation tracks for the mel distance of the first-ranked take, which hardly depends on them;
    all but ``wish``, ``realism`` and ``strays``, large enough that a take that comes nearer to what was asked for, or
    to real music where that is asked, goes before one that fits better.
    """

    credit: float = 1.0
    surprise: float = 5.0
    seam: float = 0.1
    loudness: float = 0.05
    balance: float = 0.1
    high_band: float = 0.02
    wish: float = 10.0
    realism: float = 5.0
    strays: float = 5.0


@dataclass(frozen=True)
class Scores:
    """Measures of a take in its context, None where there is nothing to compare with; ``total``, lower is better.

    ``seam_z``: how unusual its worse seam is for the track; ``loudness_jump_db`` across a seam; ``balance_db``: mean
    third-octave difference to the contexts; ``high_band_db``: 9 to 14 kHz against the contexts, below 0 is duller;
    ``surprise``: RMS distance, in standardised latents, to what the prior expects; ``credit``: what
    speaks for a take before it is heard; ``wish``: how far it is from
    what a style asks for, 0 fulfilled, about 1 plainly missed (:meth:`segue.style.ear.Ear.distance`), None without one.
    The guide's own measure is right here: the musician asked by it. What a style is worth another ear must say.
    ``realism``: how much like music of this timeline it sounds, 1 and more is within it; None where it was not judged.
    ``strays``: of two tracks that cross, how far from evenly and on the beat (:meth:`Crossing.strays`); None of others.
    """

    credit: float
    surprise: float | None
    seam_z: float | None
    loudness_jump_db: float | None
    balance_db: float | None
    high_band_db: float | None
    wish: float | None
    realism: float | None
    strays: float | None
    total: float


def reference_of(timeline: Stereo, blocked: Sequence[Span], gap: Span) -> SeamReference | None:
    """What seams of this track look like at random real points within a minute around the gap."""
    start = max(0, min(gap.start - _REFERENCE // 2, timeline.shape[1] - _REFERENCE))
    piece = timeline[:, start : start + _REFERENCE]
    gaps = [Span(max(0, b.start - start), max(0, b.stop - start)) for b in blocked]
    return seam_reference(piece, gaps)


def surprise_of(codec: Codec, scene: Scene, mean: Latents, timeline: Stereo, take: Stereo, gap: Span) -> float:
    """How far a take's latents lie from the posterior mean, over the frames that were unknown.

    Among candidates, the nearest to the mean has the least expected squared error, if the prior is right.
    """
    span, margin = widened(scene.layout, codec)
    audio = cut(timeline, span)
    audio[:, gap.start - span.start : gap.stop - span.start] = take
    apart = (encode(codec, audio[None], margin) - mean) * (1.0 - scene.mask)
    unknown = float((1.0 - scene.mask).sum()) * apart.shape[1]
    return float((apart.square().sum() / max(1.0, unknown)).sqrt())


def score(
    timeline: Stereo,
    take: Stereo,
    gap: Span,
    known: Span,
    reference: SeamReference | None,
    *,
    surprise: float | None = None,
    credit: float = 0.0,
    wish: float | None = None,
    realism: float | None = None,
    strays: float | None = None,
    weights: Weights | None = None,
) -> Scores:
    """Measure ``take`` (2, gap) in place, among what is ``known`` around the gap."""
    w = weights or Weights()
    start, stop = max(known.start, gap.start - _AROUND), min(known.stop, gap.stop + _AROUND)
    audio = np.concatenate([timeline[:, start : gap.start], take, timeline[:, gap.stop : stop]], 1)
    at = Span(gap.start - start, gap.stop - start)
    seam = None if reference is None else seam_z(audio, at, reference)
    loudness, balance, high = loudness_jump_db(audio, at), spectral_balance_db(audio, at), high_band_db(audio, at)
    total = (
        w.surprise * (surprise or 0.0)
        - w.credit * credit
        + w.seam * max(0.0, seam or 0.0)
        + w.loudness * (loudness or 0.0)
        + w.balance * (balance or 0.0)
        + w.high_band * abs(high or 0.0)
        + w.wish * (wish or 0.0)
        - w.realism * (realism or 0.0)
        + w.strays * (strays or 0.0)
    )
    return Scores(credit, surprise, seam, loudness, balance, high, wish, realism, strays, float(total))
