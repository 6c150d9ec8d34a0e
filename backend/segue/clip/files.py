"""Audio files in and out. What is kept of a file is kept bit for bit; what is new is quantised once, and said so."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Float

from segue.clip import chunks
from segue.clip.atomic import replacing
from segue.clip.clip import Clip
from segue.clip.gaps import check_gaps, kept_spans
from segue.clip.header import Header, inspect
from segue.clip.quantise import BITS, Native, to_float, to_native
from segue.clip.recipe import Recipe
from segue.clip.resample import check_format
from segue.clip.span import Span
from segue.clip.tags import carry, extra_chunks, family, read_recipe, recipe_comment, text_tags
from segue.errors import AudioFileError, InvalidRequest, ResourceError

__all__ = [
    "AudioFile",
    "Excerpt",
    "WriteReport",
    "read_audio",
    "read_recipe",
    "target_of",
    "write_assembled",
    "write_filled",
]

Patch = Float[np.ndarray, "channels _samples"]

LOSSLESS = frozenset(BITS) | {"FLOAT", "DOUBLE"}
LOSSY = frozenset({"VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III", "ULAW", "ALAW"})
EXTENSIONS = {".wav": "WAV", ".flac": "FLAC", ".aiff": "AIFF", ".aif": "AIFF", ".w64": "W64", ".caf": "CAF"}
"""What can be written, by extension."""

READABLE = (*EXTENSIONS, ".ogg", ".opus", ".mp3")
"""Extensions of what can be read."""

_BLOCK = 1 << 18  # frames read or written at once: all that a lying header can make us allocate
_MAX_RIFF = (1 << 32) - (1 << 25)  # sizes have 32 bits; the rest is room for chunks


@dataclass(frozen=True)
class AudioFile:
    """A file as it is: (channels, samples) native samples and all that must survive a rewrite.

    ``samples``: int32, left-justified, for integer subtypes; float32 for FLOAT and lossy ones; float64 for DOUBLE.
    ``subtype`` and ``container`` by libsndfile's names; ``tags``: its text tags; ``extra``: further chunks (id, bytes)
    of WAV, AIFF, CAF and W64 files, such as markers and broadcast time stamps. Not to be changed in place.
    """

    samples: Native
    rate: int
    subtype: str
    container: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def length(self) -> int:
        """Samples per channel."""
        return int(self.samples.shape[1])

    @property
    def stored_subtype(self) -> str:
        """The subtype its samples are written in: its own, or FLOAT for what was decoded from a lossy one."""
        return self.subtype if self.subtype in LOSSLESS else "FLOAT"

    @property
    def digest(self) -> str:
        """SHA-256 of rate, shape, type and native samples."""
        head = f"{self.rate} {self.samples.shape} {self.samples.dtype.str}".encode()
        return hashlib.sha256(head + np.ascontiguousarray(self.samples).tobytes()).hexdigest()

    def clip(self) -> Clip:
        """The samples as float32, full scale 1.0."""
        return Clip(to_float(self.samples), self.rate)

    @staticmethod
    def of(clip: Clip, name: str = "clip") -> AudioFile:
        """A clip from memory as if read from a float WAV file."""
        _check_finite(clip.samples, name)
        return AudioFile(clip.samples.astype(np.float32), clip.rate, "FLOAT", "WAV", name)


def read_audio(path: Path) -> AudioFile:
    """Read a mono or stereo WAV, RF64, AIFF, FLAC, CAF, W64, Ogg (Vorbis, Opus) or MP3 file.

    Raises:
        AudioFileError: missing, broken, cut off, lying about its size, of a subtype Segue cannot keep, or not finite.
        InvalidRequest: more than two channels, or a rate outside 8 to 768 kHz.
    """
    path = Path(path)
    header = inspect(path)
    try:
        with soundfile.SoundFile(path) as file:
            check_format(file.channels, file.samplerate)
            samples = _decode(path, file, header)
            tags = text_tags(file)
            described = (file.samplerate, file.subtype, file.format)
    except soundfile.LibsndfileError as error:
        raise AudioFileError(f"{path} is damaged or cut off ({error}): copy or export it again") from error
    _check_finite(samples, path)
    return AudioFile(samples, *described, path.name, tags, extra_chunks(path, header))


def _decode(path: Path, file: Any, header: Header) -> Native:
    if file.subtype not in LOSSLESS | LOSSY:
        raise AudioFileError(
            f"{path} holds {file.subtype} audio, which Segue cannot keep exactly: convert it to WAV or FLAC"
        )
    frames = file.frames if header.frames is None else header.frames
    # libsndfile takes what stands behind the audio of a W64 file for audio
    if frames > file.frames or (frames < file.frames and header.container != "W64"):
        raise AudioFileError(f"{path} declares {frames} samples, its audio has {file.frames}: it is cut off or damaged")
    kind = "int32" if file.subtype in BITS else "float64" if file.subtype == "DOUBLE" else "float32"
    blocks, count = [], 0
    while len(block := file.read(min(_BLOCK, frames - count), dtype=kind, always_2d=True)):
        blocks.append(block.T)
        count += len(block)
    if header.counted and count != frames:
        raise AudioFileError(f"{path} declares {frames} samples, {count} could be read: it is cut off or damaged")
    if count == 0:
        raise AudioFileError(f"{path} holds no samples: record or export it again")
    return np.ascontiguousarray(np.concatenate(blocks, axis=1))


def _check_finite(samples: Native, name: Path | str) -> None:
    if samples.dtype == np.int32 or np.isfinite(samples).all():
        return
    channel, sample = np.argwhere(~np.isfinite(samples))[0]
    raise AudioFileError(
        f"{name} has a {samples[channel, sample]} at sample {sample} of channel {channel + 1}: expected finite "
        "numbers; repair the file, for instance by exporting it as 24 bit"
    )


@dataclass(frozen=True)
class Excerpt:
    """A stretch of another file, to be copied bit for bit: the second track of a transition."""

    source: AudioFile
    span: Span


@dataclass(frozen=True)
class WriteReport:
    """What a write did. ``over``: samples of the patches beyond full scale, limited to it in an integer ``subtype``.

    ``peak_db``: the patches' highest sample in dBFS (-inf for silence); ``dithered``: whether any was; ``dropped``:
    tags and chunks of the file that the new one cannot hold, or that pointed at samples which have moved; "recipe"
    with W64, which has no place for it.
    """

    path: Path
    subtype: str
    over: int
    peak_db: float
    dithered: bool
    dropped: tuple[str, ...]


def write_filled(
    path: Path,
    source: AudioFile,
    gaps: Sequence[Span],
    patches: Sequence[Patch],
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
) -> WriteReport:
    """Write ``source`` with ``patches`` in its ``gaps``; all else is bit-identical, in its rate, channels and subtype.

    ``gaps`` in native samples; ``patches`` (channels, gap samples) each. All else as :func:`write_assembled`.
    """
    ordered = check_gaps(gaps, source.length, rate=source.rate, elsewhere=True)
    if len(patches) != len(gaps):
        raise InvalidRequest(f"expected a patch for each of {len(gaps)} gaps, got {len(patches)}")
    for gap, patch in zip(gaps, patches, strict=True):
        if patch.shape[1] != gap.length:
            raise InvalidRequest(f"expected a patch of {gap.length} samples for {gap}, got {patch.shape[1]}")
    timeline: list[tuple[int, Span | Patch]] = [(g.start, p) for g, p in zip(gaps, patches, strict=True)]
    timeline += [(span.start, span) for span in kept_spans(ordered, source.length)]
    pieces = [piece for _, piece in sorted(timeline, key=lambda entry: entry[0])]
    return write_assembled(path, source, pieces, recipe, seed=seed)


def write_assembled(
    path: Path,
    source: AudioFile,
    pieces: Sequence[Span | Excerpt | Patch],
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
) -> WriteReport:
    """Write ``pieces`` one after the other: spans of ``source`` and excerpts bit for bit, patches quantised.

    Patches are (channels, samples), full scale 1.0, quantised as :func:`segue.clip.quantise.to_native` says, with
    dither from ``seed``. The container follows the extension. What was written is read back and compared before it
    takes the place of an older file; on any error the older file is untouched.

    Raises:
        InvalidRequest: spans outside their source, patches of a wrong shape or not finite, excerpts of another format.
        AudioFileError: the container cannot hold the subtype, or the length; the folder cannot be written.
        ResourceError: the disk is full.
    """
    path = Path(path)
    container, subtype = target_of(path, source), source.stored_subtype
    parts, over, peak, dithered = _parts(source, pieces, subtype, seed)
    frames = sum(part.shape[1] for part in parts)
    if frames == 0:
        raise InvalidRequest("expected something to write, got pieces without samples")
    stored = BITS[subtype] // 8 if subtype in BITS else parts[0].dtype.itemsize
    if container in ("WAV", "WAVEX", "AIFF") and frames * source.channels * stored > _MAX_RIFF:
        raise AudioFileError(f"{path.name} would outgrow the 4 GiB of its container: write .w64 or .caf")
    carried = carry(
        source.tags, source.extra, family(source.container), family(container), moved=_moved(source, pieces)
    )
    comment = recipe_comment(carried.tags.get("comment", ""), recipe) if recipe and container == "FLAC" else {}
    with replacing(path) as part:
        try:
            with soundfile.SoundFile(part, "w", source.rate, source.channels, subtype, format=container) as file:
                for name, text in (carried.tags | comment).items():
                    setattr(file, name, text)
                _write(file, parts)
        except soundfile.LibsndfileError as error:
            raise ResourceError(
                f"{path} could not be written ({error}): is the disk full? The old file is whole"
            ) from error
        for chunk_id, content in carried.chunks:
            chunks.append(part, chunk_id, content)
        if recipe is not None and container not in ("FLAC", "W64"):
            chunks.append_recipe(part, recipe.to_json())
        _compare(part, parts, source.rate, subtype)
    peak_db = 20.0 * math.log10(peak) if peak > 0 else -math.inf
    dropped = (*carried.dropped, "recipe") if recipe is not None and container == "W64" else carried.dropped
    return WriteReport(path, subtype, over, peak_db, dithered, dropped)


def target_of(path: Path, source: AudioFile) -> str:
    """The container ``path`` would be written in, once it is known to hold the source's subtype; nothing is written.

    Raises:
        AudioFileError: another extension is needed; the message names those that fit.
    """
    subtype, container = source.stored_subtype, EXTENSIONS.get(path.suffix.lower())
    fitting = [e for e, c in EXTENSIONS.items() if soundfile.check_format(c, subtype)]
    if source.subtype not in LOSSLESS:
        fitting = [".wav"]  # a decoded file has no exact form of its own: plain float WAV, and no second loss
    if container is None or path.suffix.lower() not in fitting:
        raise AudioFileError(
            f"{path.name} cannot hold the {source.subtype} audio of {source.name} unchanged: "
            f"give the output one of the extensions {', '.join(fitting)}"
        )
    return source.container if container == "WAV" and family(source.container) == "WAV" else container


def _parts(
    source: AudioFile, pieces: Sequence[Span | Excerpt | Patch], subtype: str, seed: int
) -> tuple[list[Native], int, float, bool]:
    """Native samples of every piece; how many samples are over, the highest one, and whether dither was added."""
    parts: list[Native] = []
    over, peak, dithered = 0, 0.0, False
    for index, piece in enumerate(pieces):
        if isinstance(piece, np.ndarray):
            _check_patch(piece, index, source.channels)
            new = to_native(piece, subtype, seed + index)
            parts.append(new.samples)
            over, dithered = over + new.over, dithered or new.dithered
            peak = max(peak, float(np.abs(piece).max(initial=0.0)))
        else:
            parts.append(_kept(source, piece))
    return parts, over, peak, dithered


def _check_patch(patch: Patch, index: int, channels: int) -> None:
    if patch.shape[0] != channels:
        raise InvalidRequest(f"expected {channels} channels in piece {index}, got {patch.shape[0]}")
    if not np.isfinite(patch).all():
        raise InvalidRequest(f"piece {index} is not finite: nothing was written; render it again")


def _kept(source: AudioFile, piece: Span | Excerpt) -> Native:
    origin, span = (source, piece) if isinstance(piece, Span) else (piece.source, piece.span)
    forms = [(f.rate, f.channels, f.stored_subtype) for f in (source, origin)]
    if forms[0] != forms[1]:
        raise InvalidRequest(
            f"expected an excerpt in rate, channels and subtype {forms[0]}, got {forms[1]}: pass it as a patch"
        )
    if not 0 <= span.start <= span.stop <= origin.length:
        raise InvalidRequest(f"expected a span within {origin.length} samples of {origin.name}, got {span}")
    return origin.samples[:, span.start : span.stop]


def _moved(source: AudioFile, pieces: Sequence[Span | Excerpt | Patch]) -> bool:
    """Whether any sample of the source ends up at another place, or the length differs."""
    at = 0
    for piece in pieces:
        if isinstance(piece, Span) and piece.start != at:
            return True
        at += (
            piece.shape[1]
            if isinstance(piece, np.ndarray)
            else piece.length
            if isinstance(piece, Span)
            else piece.span.length
        )
    return at != source.length


def _write(file: Any, parts: Sequence[Native]) -> None:
    for part in parts:
        for first in range(0, part.shape[1], _BLOCK):
            file.write(np.ascontiguousarray(part[:, first : first + _BLOCK].T))


def _compare(path: Path, parts: list[Native], rate: int, subtype: str) -> None:
    """Read back what was written; a difference is an error of the disk or of libsndfile, and never kept."""
    same = True
    with soundfile.SoundFile(path) as file:
        same &= (file.samplerate, file.subtype, file.frames) == (rate, subtype, sum(p.shape[1] for p in parts))
        for part in parts:
            for first in range(0, part.shape[1], _BLOCK):
                block = part[:, first : first + _BLOCK].T
                same = same and np.array_equal(file.read(len(block), dtype=part.dtype.name, always_2d=True), block)
    if not same:
        raise AudioFileError(
            f"{path.name} reads back differently from what was written: check the disk; nothing was replaced"
        )
