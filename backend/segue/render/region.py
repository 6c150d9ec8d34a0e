"""One gap, from candidates to ranked takes that fit its context."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from segue.clip.analysis import SeamReference
from segue.clip.clip import MODEL_RATE
from segue.clip.seam import SeamSettings, join
from segue.clip.span import Span
from segue.errors import InvalidRequest, NonFinite
from segue.recall.features import song_features
from segue.recall.song import Recallable, Song
from segue.recall.splice import splice
from segue.render.candidates import Candidate, infilled, interpolated, is_short
from segue.render.crossing import Crossing
from segue.render.rank import Scores, reference_of, score, surprise_of
from segue.render.realism import Judge
from segue.render.sound import MARGIN
from segue.render.studio import Studio, Turn, layout_of, recall
from segue.render.variations import varied
from segue.style.chain import mixed, processed
from segue.style.ear import Ear
from segue.tasks.plan import Region, Stereo


@dataclass(frozen=True)
class Take:
    """A candidate joined to its context: ``audio`` (2, gap) at the musician's level, and its scores."""

    method: str
    how: str
    seed: int | None
    audio: Stereo
    scores: Scores


TakeListener = Callable[[Take], None]
"""Hears each take once, as soon as it is joined. The splice comes first, before the prior was asked: what the listener
hears of it has no surprise and no credit in its scores yet; its audio is that of the ranked take."""


@dataclass(frozen=True)
class RenderedRegion:
    """A gap's takes, best first, those that sound like another one last.

    ``failed`` says what could not be rendered, and why, ``notes`` what else to know.
    """

    gap: Span
    recallable: Recallable
    takes: tuple[Take, ...]
    failed: tuple[str, ...]
    notes: tuple[str, ...] = ()


def render_region(
    studio: Studio, region: Region, seeds: tuple[int, ...], listener: TakeListener | None = None
) -> RenderedRegion:
    """All candidates for a region, joined, scored and ranked; ``listener`` hears each when it is ready.

    A seed says as well which of the likely places of the song are heard (:func:`segue.render.studio.recall`), 0 the
    likeliest.

    Raises:
        InvalidRequest: nothing is known on either side of the gap, and no other track is there to draw from.
        NonFinite: every candidate failed.
    """
    song, gap, progress = studio.song, region.gap, studio.progress
    before, after = song.context(gap, 1)
    alone = not before.shape[1] and not after.shape[1]
    if alone and song.samples == song.timeline and region.x_bar is None:
        raise InvalidRequest(
            "expected music beside the gap, or another track to draw from, got neither: leave some of the clip, "
            "or give a song"
        )
    with progress.stage("recall"):
        turns: tuple[Turn, ...] = (Turn(None, seeds),)
        if song.known or not alone:
            song, turns = recall(song, gap, seeds, studio.candidates)
        pair = turns[0].pair
        studio = replace(studio, song=song, ear=_ear(studio, region, song))
    takes: list[Take] = []
    failed: list[NonFinite] = []
    with progress.stage("seam"):
        surroundings = surroundings_of(song, gap)
        judge = Judge.of(song, gap) if region.made else None
        crossing = Crossing.of(region, song)
    early = None
    if listener is not None and pair is not None and _asks_for_splice(studio, region):
        with progress.stage("seam"):
            audio, _ = splice(song, pair, gap, MARGIN)
            made = Candidate("splice", audio, "before the prior was asked", seeds[0])
            early = join_candidate(studio, gap, made, surroundings)
        listener(early)
    for candidate in _candidates(studio, region, turns, seeds):
        if isinstance(candidate, NonFinite):
            failed.append(candidate)
            continue
        with progress.stage("seam"):
            takes.append(join_candidate(studio, gap, candidate, surroundings, judge, crossing))
        if listener is not None and (early is None or (candidate.method, candidate.seed) != (early.method, early.seed)):
            listener(takes[-1])
    if not takes:
        raise failed[0] if failed else _nothing(studio.method)
    takes.sort(key=lambda take: take.scores.total)
    ranked = distinct_first(takes, song.gain)
    return RenderedRegion(gap, Recallable.of(pair), ranked, tuple(str(f) for f in failed), _notes(studio, region))


SAME_DB = 1.0
"""Takes whose log-mels differ by less on average sound the same: one place of the song, or two that repeat each other.
On held-out songs takes of one place differ by 0 to 0.1, of a repeated one by 0.7 to 0.9, others by 1.4 and more."""


def distinct_first(takes: Sequence[Take], gain: float) -> tuple[Take, ...]:
    """In their order, but those that sound like a better one at the end; ``gain`` brings them to the reference level.

    The song vouches for some music in many ways: the splice, and units that follow the prior, may all be one place.
    """
    heard: list[Float[np.ndarray, "frames bands"]] = []
    new: list[Take] = []
    again: list[Take] = []
    for take in takes:
        sound = song_features(take.audio * np.float32(gain))
        if any(float(np.abs(sound - other).mean()) < SAME_DB for other in heard):
            again.append(take)
        else:
            new.append(take)
            heard.append(sound)
    return (*new, *again)


def _ear(studio: Studio, region: Region, song: Song) -> Ear | None:
    """What a wish hears of this gap; none where nothing is sampled for it."""
    steering = studio.steering
    if steering is None or not steering.guides or is_short(region):
        return None
    original = None if region.x_bar is None else (region.x_bar * np.float32(song.gain)).astype(np.float32)
    return Ear.of(steering, song, region.gap, layout_of(studio, region.gap), original)


def _notes(studio: Studio, region: Region) -> tuple[str, ...]:
    steered = studio.steering is not None and studio.steering.guides
    if steered and studio.ear is None:
        return (f"a gap of {1000 * region.gap.length / MODEL_RATE:.0f} ms is interpolated, which no style can steer",)
    return ()


def _nothing(method: str | None) -> InvalidRequest:
    return InvalidRequest(
        f"no candidate of method {method!r} can be made for this gap: name another "
        "(splice, mean, generated, regenerated splice; reshaped, regenerated; in a planned transition: cross-fade, "
        "eq fade; in a style: splice, steered, steered splice; janssen), or none for the best of all"
    )


def _asks_for_splice(studio: Studio, region: Region) -> bool:
    return region.x_bar is None and not is_short(region) and studio.wants("splice")


def _candidates(
    studio: Studio, region: Region, turns: Sequence[Turn], seeds: tuple[int, ...]
) -> Iterator[Candidate | NonFinite]:
    if region.x_bar is not None:
        return varied(studio, region, turns[0].pair, seeds)
    if is_short(region):
        return iter((interpolated(studio, region),) if studio.wants("janssen") else ())
    return infilled(studio, region, turns)


@dataclass(frozen=True)
class Surroundings:
    """What all candidates for a gap are joined to and measured against; found once."""

    known: Span
    reference: SeamReference | None


_SEAM = SeamSettings(margin=MARGIN)

_found: WeakKeyDictionary[Song, dict[Span, Surroundings]] = WeakKeyDictionary()  # kept as long as the song is


def surroundings_of(song: Song, gap: Span) -> Surroundings:
    """The known stretch around a gap, and what is usual in the track; found once for each song."""
    gaps = _found.setdefault(song, {})
    if gap not in gaps:
        gaps[gap] = _listen(song, gap)
    return gaps[gap]


def _listen(song: Song, gap: Span) -> Surroundings:
    timeline = song.audio[:, : song.timeline]
    left, right = song.context(gap, song.timeline)
    known = Span(gap.start - left.shape[1], gap.stop + right.shape[1])
    return Surroundings(known, reference_of(timeline, song.blocked, gap))


def join_candidate(
    studio: Studio,
    gap: Span,
    candidate: Candidate,
    around: Surroundings,
    judge: Judge | None = None,
    crossing: Crossing | None = None,
) -> Take:
    """A candidate in its place: aligned, levelled, faded in, scored; by ``judge`` and ``crossing`` too if there are."""
    song, expected = studio.song, candidate.expected
    timeline = song.audio[:, : song.timeline]
    covers = Span(gap.start - MARGIN, gap.stop + MARGIN)
    joined = join(timeline, gap, candidate.audio, covers, _SEAM, known=around.known)
    surprise = None
    if expected is not None and expected.mean is not None:
        surprise = surprise_of(studio.codec, expected.scene, expected.mean, timeline, joined.samples, gap)
    wish = None if studio.ear is None else studio.ear.distance(joined.samples)
    real = None if judge is None else judge.realism(joined.samples)
    strays = None if crossing is None else crossing.strays(joined.samples)
    scores = score(
        timeline,
        joined.samples,
        gap,
        around.known,
        around.reference,
        surprise=surprise,
        credit=candidate.credit,
        wish=wish,
        realism=real,
        strays=strays,
    )
    audio = _finished(studio, gap, joined.samples) * np.float32(1.0 / song.gain)
    return Take(candidate.method, candidate.how, candidate.seed, audio, scores)


def _finished(studio: Studio, gap: Span, samples: Stereo) -> Stereo:
    """The take after the style's effects, which come in and go out within the gap.

    They are the same for all candidates, so that what they do to the measures says nothing of one against another.
    """
    steering = studio.steering
    if steering is None or not steering.chain:
        return samples
    timeline = studio.song.audio[:, : studio.song.timeline]
    wet = processed(timeline, samples, gap, steering.chain, keep_level=steering.keep_level)
    return mixed(samples, wet, gap, steering.amount)
