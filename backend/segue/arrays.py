"""The verbs on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32

from segue.clip.clip import Clip
from segue.clip.files import AudioFile, Excerpt
from segue.clip.gaps import seconds_to_samples
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.joint.job import transition_job
from segue.joint.plan import JoinPlan
from segue.joint.settings import JointSettings
from segue.render import jobs
from segue.render.jobs import Job, Piece
from segue.render.run import FreedomLike, freedom_of, run_job
from segue.render.settings import ProgressCallback, RenderSettings
from segue.result import GapsLike, Result, gaps_of
from segue.style.style import CurveLike, ReferenceLike, Style, TagsLike, wished

Audio = Float[np.ndarray, "_channels _samples"]


def _source(audio: Audio, rate: int) -> AudioFile:
    if audio.ndim != 2:
        raise InvalidRequest(f"expected audio as (channels, samples), got shape {audio.shape}")
    return AudioFile.of(Clip(np.asarray(audio, np.float32), rate))


def _assembled(pieces: Sequence[Piece], source: AudioFile) -> Float32[np.ndarray, "channels samples"]:
    parts = []
    for piece in pieces:
        if isinstance(piece, Span):
            parts.append(source.samples[:, piece.start : piece.stop])
        elif isinstance(piece, Excerpt):
            parts.append(piece.source.samples[:, piece.span.start : piece.span.stop])
        else:
            parts.append(piece)
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _rendered(
    job: Job,
    songs: Sequence[AudioFile],
    sound_from: tuple[Audio, int] | None,
    settings: RenderSettings | None,
    callback: ProgressCallback | None,
    style: Style | None,
) -> Result:
    sound = None if sound_from is None else _source(*sound_from)
    done = run_job(jobs.sounding_like(job, sound), songs, settings or RenderSettings(), callback, style=style)
    candidates = tuple(_assembled(done.pieces(rank), done.job.source) for rank in range(len(done.recipes)))
    return Result(candidates[0], done.job.source.rate, done.report, done.recipes[0], candidates)


def fill(
    audio: Audio,
    rate: int,
    gap: GapsLike,
    *,
    style: Style | None = None,
    song: Sequence[tuple[Audio, int]] = (),
    sound_from: tuple[Audio, int] | None = None,
    settings: RenderSettings | None = None,
    callback: ProgressCallback | None = None,
) -> Result:
    """Fill one gap, (start, stop) in seconds, or several; everything else is returned bit for bit.

    ``audio`` (channels, samples), mono or stereo, at ``rate`` hertz; what stands in the gaps is not looked at.
    ``song``: further (audio, rate) to recall from; ``sound_from``: a song, likewise, whose units sound what is made
    (sound transfer): it goes on as this one would, in the sound of that one. ``style``: a wish beyond fitting
    (:meth:`segue.Style.of`), or none.
    ``callback`` hears progress and may return False to stop.

    Raises:
        InvalidRequest: gaps out of range, empty, overlapping; unusable audio or settings.
        Cancelled, NonFinite, ResourceError, BundleRejected: see :mod:`segue.errors`.
    """
    source, songs = _source(audio, rate), [_source(a, r) for a, r in song]
    job = jobs.infill(source, gaps_of(gap, rate), songs)
    return _rendered(job, songs, sound_from, settings, callback, style)


def regenerate(
    audio: Audio,
    rate: int,
    gap: GapsLike,
    *,
    freedom: FreedomLike | None = None,
    style: Style | None = None,
    song: Sequence[tuple[Audio, int]] = (),
    sound_from: tuple[Audio, int] | None = None,
    settings: RenderSettings | None = None,
    callback: ProgressCallback | None = None,
) -> Result:
    """Vary what stands in the gaps: ``freedom`` from 0 (keep) to 1 (invent), a number or points (seconds, value); None
    for the style's own, else 0.85.

    The rest as :func:`fill`.
    """
    source, songs = _source(audio, rate), [_source(a, r) for a, r in song]
    job = jobs.regenerate(source, gaps_of(gap, rate), freedom_of(freedom, style), songs)
    return _rendered(job, songs, sound_from, settings, callback, style)


def extend(
    audio: Audio,
    rate: int,
    seconds: float,
    *,
    backward: bool = False,
    style: Style | None = None,
    song: Sequence[tuple[Audio, int]] = (),
    sound_from: tuple[Audio, int] | None = None,
    settings: RenderSettings | None = None,
    callback: ProgressCallback | None = None,
) -> Result:
    """Continue ``audio`` by ``seconds`` after its end, or ``backward`` before its start. The rest as :func:`fill`."""
    source, songs = _source(audio, rate), [_source(a, r) for a, r in song]
    job = jobs.extend(source, seconds_to_samples(seconds, rate, "the continuation"), backward, songs)
    return _rendered(job, songs, sound_from, settings, callback, style)


def transition(
    left: Audio,
    right: Audio,
    rate: int,
    *,
    overlap: float = 2.5,
    joint: JointSettings | JoinPlan | None = None,
    freedom: FreedomLike | None = None,
    style: Style | None = None,
    song: Sequence[tuple[Audio, int]] = (),
    sound_from: tuple[Audio, int] | None = None,
    settings: RenderSettings | None = None,
    callback: ProgressCallback | None = None,
) -> Result:
    """``left`` flows into ``right``, which overlap by ``overlap`` seconds. The rest as :func:`regenerate`.

    ``joint``: as in :func:`segue.transition_file`; None joins the end of the one and the start of the other.
    """
    songs = [_source(a, r) for a, r in song]
    tracks = _source(left, rate), _source(right, rate)
    job = transition_job(*tracks, overlap, freedom_of(freedom, style), joint, songs)
    return _rendered(job, songs, sound_from, settings, callback, style)


def restyle(
    audio: Audio,
    rate: int,
    gap: GapsLike | None = None,
    *,
    preset: str | Path | None = None,
    reference: ReferenceLike | Sequence[ReferenceLike] = (),
    tags: TagsLike = (),
    amount: CurveLike = 1.0,
    freedom: FreedomLike | None = None,
    style: Style | None = None,
    song: Sequence[tuple[Audio, int]] = (),
    sound_from: tuple[Audio, int] | None = None,
    settings: RenderSettings | None = None,
    callback: ProgressCallback | None = None,
) -> Result:
    """Give the music in the gaps, or all of it, another style: a preset's, a reference's, tags', or a whole ``style``.

    ``amount``: how much of it, 0 (as it was) to 1. ``freedom``: how far the original may be left; None for the
    preset's, less where less of the style is wanted. The rest as :func:`fill`.

    Raises:
        InvalidRequest: no style at all and no ``sound_from``, or a ``style`` and parts of another.
    """
    needed = sound_from is None
    asked = wished(style, preset=preset, reference=reference, tags=tags, amount=amount, needed=needed)
    source, songs = _source(audio, rate), [_source(a, r) for a, r in song]
    gaps = () if gap is None else gaps_of(gap, rate)
    job = jobs.restyle(source, gaps, freedom_of(freedom, asked), songs)
    return _rendered(job, songs, sound_from, settings, callback, asked)
