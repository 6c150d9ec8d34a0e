"""The verbs as jobs: files at their own rate in, a plan at 44.1 kHz, and how the output is put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import numpy as np
from jaxtyping import Float

from segue.clip.clip import MODEL_RATE, Clip
from segue.clip.files import AudioFile, Excerpt
from segue.clip.gaps import check_gaps, kept_spans
from segue.clip.hidden import hidden, reach_of
from segue.clip.resample import (
    filter_margin,
    model_length,
    model_span,
    patch_from_model,
    to_channels,
    to_model,
)
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.freedom import Freedom
from segue.render.renderer import Rendered
from segue.tasks.continuation import Continuation
from segue.tasks.infill import Infill
from segue.tasks.plan import Plan, Stereo
from segue.tasks.regenerate import Regenerate
from segue.tasks.restyle import Restyle
from segue.tasks.transition import Transition

Patch = Float[np.ndarray, "_channels _samples"]
Piece = Span | Excerpt | Patch


@dataclass(frozen=True)
class Hole:
    """A stretch of the output that is rendered: ``at`` in native samples of the output's timeline."""

    at: Span


@dataclass(frozen=True)
class Job:
    """What to render and how to put it together.

    ``source`` gives the output its rate, channels and subtype; ``pieces`` in order are kept spans of it, excerpts of
    other files, audio made beforehand, and holes, one for each region of ``plan``. ``origin``: the native sample of the
    output that sample 0 of the plan's timeline stands at (negative for a continuation backwards, which needs whole
    periods of both rates).
    ``parameters``, ``digest`` and ``names`` go into the recipe.
    """

    plan: Plan
    source: AudioFile
    pieces: tuple[Span | Excerpt | Hole | Patch, ...]
    parameters: dict[str, Any]
    digest: str
    names: tuple[str, ...]
    origin: int = 0

    @property
    def holes(self) -> tuple[Span, ...]:
        """The rendered stretches of the output, native samples."""
        return tuple(p.at for p in self.pieces if isinstance(p, Hole))


def songs_of(songs: Sequence[AudioFile], channels: int) -> tuple[Stereo, ...]:
    """Further material for recall, as priors hear it, of as many channels as the output has: what cancels in mono must
    not be levelled and ranked before it does.
    """
    return tuple(_as_heard(song, channels) for song in songs)


def _as_heard(song: AudioFile, channels: int) -> Stereo:
    audio = to_model(song.clip())
    if channels > 1:
        return audio
    mono: Stereo = np.ascontiguousarray(np.broadcast_to(to_channels(audio, 1), audio.shape))
    return mono


def sounding_like(job: Job, sound: AudioFile | None) -> Job:
    """The job with what is generated sounded by another song's units; without one, the job as it is."""
    if sound is None:
        return job
    return replace(
        job,
        plan=replace(job.plan, sound=_as_heard(sound, job.source.channels)),
        parameters={**job.parameters, "sound_from": sound.digest},
        names=(*job.names, sound.name),
    )


def known_digest(source: AudioFile, gaps: Sequence[Span]) -> str:
    """Digest of all but the gaps: a filled file still has it, which is what lets it be rendered again from itself."""
    samples = source.samples.copy()
    for gap in gaps:
        samples[:, gap.start : gap.stop] = 0
    return replace(source, samples=samples).digest


def _spans(gaps: Sequence[Span]) -> list[Any]:
    return [[gap.start, gap.stop] for gap in gaps]


def _with_holes(gaps: Sequence[Span], length: int) -> tuple[Span | Hole, ...]:
    pieces: list[tuple[int, Span | Hole]] = [(span.start, span) for span in kept_spans(gaps, length)]
    pieces += [(gap.start, Hole(gap)) for gap in gaps]
    return tuple(piece for _, piece in sorted(pieces, key=lambda entry: entry[0]))


def infill(source: AudioFile, gaps: Sequence[Span], songs: Sequence[AudioFile] = ()) -> Job:
    """Fill ``gaps`` (native samples); what stands in them is not looked at.

    Raises:
        InvalidRequest: see :func:`segue.clip.gaps.check_gaps`.
    """
    ordered = check_gaps(gaps, source.length, rate=source.rate, elsewhere=bool(songs))
    spans = tuple(model_span(gap, source.rate) for gap in ordered)
    heard = to_model(hidden(source.clip(), ordered))
    plan = Infill(spans).plan([heard], songs_of(songs, source.channels))
    return Job(
        plan,
        source,
        _with_holes(ordered, source.length),
        {"gaps": _spans(ordered)},
        known_digest(source, ordered),
        (source.name, *(s.name for s in songs)),
    )


def regenerate(source: AudioFile, gaps: Sequence[Span], freedom: Freedom, songs: Sequence[AudioFile] = ()) -> Job:
    """Vary what stands in ``gaps`` (native samples), as far as ``freedom`` (seconds of the file) lets.

    Raises:
        InvalidRequest: see :func:`segue.clip.gaps.check_gaps`.
    """
    ordered = check_gaps(gaps, source.length, rate=source.rate, elsewhere=bool(songs))
    spans = tuple(model_span(gap, source.rate) for gap in ordered)
    plan = Regenerate(spans, freedom).plan([to_model(source.clip())], songs_of(songs, source.channels))
    return Job(
        plan,
        source,
        _with_holes(ordered, source.length),
        {"gaps": _spans(ordered), "freedom": [list(p) for p in freedom.curve.points]},
        source.digest,
        (source.name, *(s.name for s in songs)),
    )


def restyle(source: AudioFile, gaps: Sequence[Span], freedom: Freedom, songs: Sequence[AudioFile] = ()) -> Job:
    """Give what stands in ``gaps`` (native samples; none for the whole file) another style, as far as ``freedom`` lets.

    Raises:
        InvalidRequest: see :func:`segue.clip.gaps.check_gaps`.
    """
    whole = (Span(0, source.length),)
    ordered = check_gaps(gaps or whole, source.length, rate=source.rate, elsewhere=True)
    spans = tuple(model_span(gap, source.rate) for gap in ordered)
    plan = Restyle(spans, freedom).plan([to_model(source.clip())], songs_of(songs, source.channels))
    return Job(
        plan,
        source,
        _with_holes(ordered, source.length),
        {"gaps": _spans(ordered), "freedom": [list(p) for p in freedom.curve.points]},
        source.digest,
        (source.name, *(s.name for s in songs)),
    )


def extend(source: AudioFile, added: int, backward: bool, songs: Sequence[AudioFile] = ()) -> Job:
    """Continue ``source`` by ``added`` native samples after its end, or before its start.

    Raises:
        InvalidRequest: ``added`` is not positive.
    """
    if added < 1:
        raise InvalidRequest(f"expected at least one sample more, got {added}: ask for a longer continuation")
    length, rate = source.length, source.rate
    parameters: dict[str, Any] = {"added": added, "backward": backward}
    names = (source.name, *(s.name for s in songs))
    if backward:
        # whole periods of both rates in front: every sample of the source keeps its place on the 44.1 kHz grid
        native, model = rate // gcd(rate, MODEL_RATE), MODEL_RATE // gcd(rate, MODEL_RATE)
        periods, before = -(-added // native), -(-reach_of(rate) // native)
        audio = _led_on(source, before * native, 0)[:, before * model :]
        plan = Continuation(periods * model / MODEL_RATE, "backward").plan([audio], songs_of(songs, source.channels))
        pieces: tuple[Span | Hole, ...] = (Hole(Span(0, added)), Span(0, length))
        return Job(plan, source, pieces, parameters, source.digest, names, added - periods * native)
    whole = length * MODEL_RATE // rate
    audio = _led_on(source, 0, reach_of(rate))
    seconds = (model_length(length + added, rate) - whole) / MODEL_RATE
    plan = Continuation(seconds, "forward").plan([audio[:, :whole]], songs_of(songs, source.channels))
    pieces = (Span(0, length), Hole(Span(length, length + added)))
    return Job(plan, source, pieces, parameters, source.digest, names)


def _led_on(source: AudioFile, before: int, after: int) -> Stereo:
    """A track with so many samples more on each side, into which it goes on as into a gap."""
    samples = np.pad(source.clip().samples, ((0, 0), (before, after)))
    ends = (Span(0, before), Span(before + source.length, before + source.length + after))
    return to_model(hidden(Clip(samples, source.rate), [end for end in ends if end.length]))


def check_alike(left: AudioFile, right: AudioFile) -> None:
    """Refuse two tracks of which one would have to be converted.

    Raises:
        InvalidRequest: the files differ in rate or channels.
    """
    if (left.rate, left.channels) != (right.rate, right.channels):
        raise InvalidRequest(
            f"a transition copies both tracks bit for bit, so they need one rate and channel count: "
            f"{left.name} has {left.rate} Hz and {left.channels} channels, "
            f"{right.name} {right.rate} Hz and {right.channels}: convert one"
        )


def transition(
    left: AudioFile, right: AudioFile, overlap: int, freedom: Freedom, songs: Sequence[AudioFile] = ()
) -> Job:
    """``left`` flows into ``right`` over ``overlap`` native samples; the output has the format of ``left``.

    Raises:
        InvalidRequest: the files differ in rate or channels; the overlap is not shorter than both.
    """
    check_alike(left, right)
    if not 0 < overlap < min(left.length, right.length):
        shortest = min(left.length, right.length) / left.rate
        raise InvalidRequest(
            f"expected an overlap between 0 and the shorter track's {shortest:.3f} s, got {overlap / left.rate:.3f} s"
        )
    rate, start = left.rate, left.length - overlap
    native, model = rate // gcd(rate, MODEL_RATE), MODEL_RATE // gcd(rate, MODEL_RATE)
    # the right track enters anywhere between two samples of 44.1 kHz: silence before it puts it on the common grid
    lead = start % native
    first = -(-start * MODEL_RATE // rate)
    padded = np.pad(right.samples, ((0, 0), (lead, 0)))
    entering = to_model(replace(right, samples=padded).clip())[:, first - (start - lead) // native * model :]
    leaving = to_model(left.clip())[:, : left.length * MODEL_RATE // rate]
    seconds = (leaving.shape[1] - first) / MODEL_RATE
    plan = Transition(seconds, freedom).plan([leaving, entering], songs_of(songs, left.channels))
    return Job(
        plan,
        left,
        (Span(0, start), Hole(Span(start, left.length)), Excerpt(right, Span(overlap, right.length))),
        {"overlap": overlap, "entering": right.digest, "freedom": [list(p) for p in freedom.curve.points]},
        left.digest,
        (left.name, right.name, *(s.name for s in songs)),
    )


def pieces_of(job: Job, rendered: Rendered, rank: int) -> list[Piece]:
    """The output's pieces with the takes of this rank (from 0; a gap with fewer takes gives its last) in the holes."""
    takes = [region.takes[min(rank, len(region.takes) - 1)].audio for region in rendered.regions]
    filled = iter(_patch(job, rendered, takes, index) for index in range(len(takes)))
    return [next(filled) if isinstance(piece, Hole) else piece for piece in job.pieces]


def _patch(job: Job, rendered: Rendered, takes: Sequence[Stereo], index: int) -> Float[np.ndarray, "channels samples"]:
    """One hole's audio at the output's rate: the timeline around it with all takes in place, resampled where needed."""
    rate, timeline = job.source.rate, job.plan.timeline
    hole = Span(job.holes[index].start - job.origin, job.holes[index].stop - job.origin)
    margin = filter_margin(rate)
    inner = model_span(hole, rate)
    covers = Span(max(0, inner.start - margin), min(timeline.shape[1], inner.stop + margin))
    audio = timeline[:, covers.start : covers.stop].copy()
    for region, take in zip(rendered.regions, takes, strict=True):
        low, high = max(covers.start, region.gap.start), min(covers.stop, region.gap.stop)
        if low < high:
            audio[:, low - covers.start : high - covers.start] = take[
                :, low - region.gap.start : high - region.gap.start
            ]
    patch = patch_from_model(audio, covers, hole, rate, timeline.shape[1])
    return to_channels(patch, job.source.channels)
