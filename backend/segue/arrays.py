"""The verbs on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32

from segue.clip.clip import Clip
from segue.clip.files import AudioFile, Excerpt
from segue.clip.gaps import seconds_to_samples
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.render import jobs
from segue.render.jobs import Piece
from segue.render.run import Done, FreedomLike, freedom_of, run_job
from segue.render.settings import ProgressCallback, RenderSettings
from segue.result import GapsLike, Result, gaps_of
from segue.tasks.regenerate import PAPER_K

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


def _result(done: Done) -> Result:
    candidates = tuple(_assembled(done.pieces(rank), done.job.source) for rank in range(len(done.recipes)))
    return Result(candidates[0], done.job.source.rate, done.report, done.recipes[0], candidates)


def fill(
    audio: Audio,
    rate: int,
    gap: GapsLike,
    *,
    song: Sequence[tuple[Audio, int]] = (),
    settings: RenderSettings | None = None,
    callback: ProgressCallback | None = None,
) -> Result:
    """Fill one gap, (start, stop) in seconds, or several; everything else is returned bit for bit.

    ``audio`` (channels, samples), mono or stereo, at ``rate`` hertz; what stands in the gaps is not looked at.
    ``song``: further (audio, rate) to recall from. ``callback`` hears progress and may return False to stop.

    Raises:
        InvalidRequest: gaps out of range, empty, overlapping; unusable audio or settings.
        Cancelled, NonFinite, ResourceError, BundleRejected: see :mod:`segue.errors`.
    """
    source, songs = _source(audio, rate), [_source(a, r) for a, r in song]
    job = jobs.infill(source, gaps_of(gap, rate), songs)
    return _result(run_job(job, songs, settings or RenderSettings(), callback))


def regenerate(
    audio: Audio,
    rate: int,
    gap: GapsLike,
    *,
    freedom: FreedomLike = PAPER_K,
    song: Sequence[tuple[Audio, int]] = (),
    settings: RenderSettings | None = None,
    callback: ProgressCallback | None = None,
) -> Result:
    """Vary what stands in the gaps: ``freedom`` from 0 (keep) to 1 (invent), a number or points (seconds, value).

    The rest as :func:`fill`.
    """
    source, songs = _source(audio, rate), [_source(a, r) for a, r in song]
    job = jobs.regenerate(source, gaps_of(gap, rate), freedom_of(freedom), songs)
    return _result(run_job(job, songs, settings or RenderSettings(), callback))


def extend(
    audio: Audio,
    rate: int,
    seconds: float,
    *,
    backward: bool = False,
    song: Sequence[tuple[Audio, int]] = (),
    settings: RenderSettings | None = None,
    callback: ProgressCallback | None = None,
) -> Result:
    """Continue ``audio`` by ``seconds`` after its end, or ``backward`` before its start. The rest as :func:`fill`."""
    source, songs = _source(audio, rate), [_source(a, r) for a, r in song]
    job = jobs.extend(source, seconds_to_samples(seconds, rate, "the continuation"), backward, songs)
    return _result(run_job(job, songs, settings or RenderSettings(), callback))


def transition(
    left: Audio,
    right: Audio,
    rate: int,
    *,
    overlap: float = 2.5,
    freedom: FreedomLike = PAPER_K,
    song: Sequence[tuple[Audio, int]] = (),
    settings: RenderSettings | None = None,
    callback: ProgressCallback | None = None,
) -> Result:
    """``left`` flows into ``right``, which overlap by ``overlap`` seconds. The rest as :func:`regenerate`."""
    songs = [_source(a, r) for a, r in song]
    spanned = seconds_to_samples(overlap, rate, "the overlap")
    job = jobs.transition(_source(left, rate), _source(right, rate), spanned, freedom_of(freedom), songs)
    return _result(run_job(job, songs, settings or RenderSettings(), callback))
