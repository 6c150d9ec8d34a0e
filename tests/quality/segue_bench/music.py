"""The bench's music: Debian packages fetched by apt, and their tracks, decoded and known by their digest.

Every track is brought to an RMS of 0.1 over its whole length, as in training (``segue_export.train.corpus``): a
method's output and the truth are compared at that level.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from segue.clip.atomic import replacing
from segue.errors import AudioFileError, ResourceError
from segue.tasks.plan import Stereo
from segue_bench.contract import Excerpt
from segue_bench.manifest import Manifest, load
from segue_export.train.corpus import read_track
from segue_export.train.music import gather_package

Loader = Callable[[Excerpt], Stereo]
"""The whole track an excerpt is of; the array is shared and must not be changed."""

DECODED = "decoded"
"""Folder, below that of the music, of tracks as float32 .npy under their file's digest; may be deleted at any time.

2.4 GB for the whole manifest; a case then costs a tenth of a second of computing instead of a whole one.
"""


def ensure(folder: Path, packages: Iterable[str]) -> None:
    """Fetch and extract the packages that are not below ``folder`` yet; needs apt with Debian's own sources.

    Raises:
        ResourceError: a package cannot be had, or holds no audio; the rest of the message is apt's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        try:
            gather_package(package, folder)
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            raise ResourceError(
                f"expected to fetch {package} with apt-get download, on Debian {load().suite}: {error}; "
                f"run apt-get update there, or bring {folder / package} from a machine that has it"
            ) from error


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def track(excerpt: Excerpt, folder: Path, manifest: Manifest | None = None) -> Stereo:
    """The excerpt's whole track, (2, samples) at 44.1 kHz and an RMS of 0.1.

    Decoded once and kept below ``folder/decoded``; the file's digest is checked each time.

    Raises:
        AudioFileError: no such file, other content than the manifest's, or another length once decoded.
    """
    path = folder / excerpt.package / excerpt.file
    versions = (manifest or load()).versions
    expected = f"{excerpt.package} {versions.get(excerpt.package, '')}".strip()
    if not path.is_file():
        raise AudioFileError(f"expected {path}, from the package {expected}: fetch it, or name another music folder")
    found = digest_of(path)
    if found != excerpt.sha256:
        raise AudioFileError(
            f"{path} is not the track the bench was made with: expected that of {expected} (SHA-256 "
            f"{excerpt.sha256[:16]}...), got {found[:16]}...; fetch that version, scores of another mean nothing here"
        )
    audio = _decoded(path, folder / DECODED / f"{found}.npy")
    if audio.shape[1] != excerpt.samples:
        raise AudioFileError(
            f"{path} decodes to {audio.shape[1]} samples, the manifest expects {excerpt.samples}: "
            f"update libsndfile and soxr, or delete {folder / DECODED}"
        )
    return audio


def _decoded(path: Path, kept: Path) -> Stereo:
    if kept.is_file():
        try:
            audio: Stereo = np.load(kept, allow_pickle=False)
            return audio
        except (OSError, EOFError, ValueError) as error:
            raise AudioFileError(f"{kept} cannot be read ({error}): delete it, it will be made again") from error
    fresh = read_track(path)
    if fresh is None:
        raise AudioFileError(f"{path} holds no music: expected 40 s to 20 minutes of sound at 32 kHz or more")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as part, part.open("wb") as f:
        np.save(f, fresh)
    return fresh


def loader(folder: Path, manifest: Manifest | None = None, keep: int = 3) -> Loader:
    """:func:`track` below ``folder``, with the last ``keep`` tracks kept in memory (about 90 MB each)."""

    @lru_cache(maxsize=keep)
    def recent(excerpt: Excerpt) -> Stereo:
        return track(excerpt, folder, manifest)

    first: dict[tuple[str, str], Excerpt] = {}
    return lambda excerpt: recent(first.setdefault((excerpt.package, excerpt.file), excerpt))
