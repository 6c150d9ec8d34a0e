"""One gap, from candidates to ranked takes that fit its context."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from segue.clip import janssen
from segue.clip.analysis import SeamReference
from segue.clip.clip import MODEL_RATE
from segue.clip.seam import Models, SeamSettings, join, listen
from segue.clip.span import Span
from segue.errors import InvalidRequest, NonFinite
from segue.recall.donors import DonorPair
from segue.recall.song import Recallable, Song
from segue.render.candidates import Candidate, Studio, donors_for, infilled, interpolated, varied
from segue.render.rank import Scores, reference_of, score, surprise_of
from segue.render.sound import MARGIN
from segue.tasks.plan import Region, Stereo


@dataclass(frozen=True)
class Take:
    """A candidate joined to its context: ``audio`` (2, gap) at the musician's level, and its scores."""

    method: str
    how: str
    seed: int | None
    audio: Stereo
    scores: Scores


@dataclass(frozen=True)
class RenderedRegion:
    """A gap's takes, best first; ``failed`` says what could not be rendered, and why."""

    gap: Span
    recallable: Recallable
    takes: tuple[Take, ...]
    failed: tuple[str, ...]


def render_region(studio: Studio, region: Region, seeds: tuple[int, ...]) -> RenderedRegion:
    """All candidates for a region, joined, scored and ranked.

    Raises:
        InvalidRequest: nothing is known on either side of the gap, and no other track is there to draw from.
        NonFinite: every candidate failed.
    """
    song, gap, progress = studio.song, region.gap, studio.progress
    before, after = song.context(gap, 1)
    if not before.shape[1] and not after.shape[1] and song.samples == song.timeline:
        raise InvalidRequest(
            "expected music beside the gap, or another track to draw from, got neither: leave some of the clip, "
            "or give a song"
        )
    with progress.stage("recall"):
        pair = donors_for(song, gap)
    takes: list[Take] = []
    failed: list[NonFinite] = []
    with progress.stage("seam"):
        surroundings = surroundings_of(song, gap)
    for candidate in _candidates(studio, region, pair, seeds):
        if isinstance(candidate, NonFinite):
            failed.append(candidate)
            continue
        with progress.stage("seam"):
            takes.append(join_candidate(studio, gap, candidate, surroundings))
    if not takes:
        raise failed[0] if failed else _nothing(studio.method)
    takes.sort(key=lambda take: take.scores.total)
    return RenderedRegion(gap, Recallable.of(pair), tuple(takes), tuple(str(f) for f in failed))


def _nothing(method: str | None) -> InvalidRequest:
    return InvalidRequest(
        f"no candidate of method {method!r} can be made for this gap: name another "
        "(splice, mean, generated, regenerated splice; reshaped, regenerated; janssen), or none for the best of all"
    )


def _candidates(
    studio: Studio, region: Region, pair: DonorPair | None, seeds: tuple[int, ...]
) -> Iterator[Candidate | NonFinite]:
    if region.x_bar is not None:
        return varied(studio, region, pair, seeds)
    if region.gap.length <= janssen.MAX_SECONDS * MODEL_RATE:
        return iter((interpolated(studio, region),) if studio.wants("janssen") else ())
    return infilled(studio, region, pair, seeds)


@dataclass(frozen=True)
class Surroundings:
    """What all candidates for a gap are joined to and measured against; found once."""

    known: Span
    models: Models
    reference: SeamReference | None


_SEAM = SeamSettings(margin=MARGIN)


def surroundings_of(song: Song, gap: Span) -> Surroundings:
    """The known stretch around a gap, its models, and what is usual in the track."""
    timeline = song.audio[:, : song.timeline]
    left, right = song.context(gap, song.timeline)
    known = Span(gap.start - left.shape[1], gap.stop + right.shape[1])
    return Surroundings(known, listen(timeline, gap, _SEAM, known=known), reference_of(timeline, song.blocked, gap))


def join_candidate(studio: Studio, gap: Span, candidate: Candidate, around: Surroundings) -> Take:
    """A candidate in its place: aligned, levelled, faded in, scored."""
    song, expected = studio.song, candidate.expected
    timeline = song.audio[:, : song.timeline]
    covers = Span(gap.start - MARGIN, gap.stop + MARGIN)
    joined = join(timeline, gap, candidate.audio, covers, _SEAM, known=around.known, models=around.models)
    surprise = None
    if expected is not None:
        surprise = surprise_of(studio.codec, expected.scene, expected.mean, timeline, joined.samples, gap)
    scores = score(timeline, joined.samples, gap, around.known, around.reference, surprise, candidate.credit)
    audio = joined.samples * np.float32(1.0 / song.gain)
    return Take(candidate.method, candidate.how, candidate.seed, audio, scores)
