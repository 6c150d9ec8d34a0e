"""A folder of audio files with silences: each file is a track, what sounds in it its clips; written filled, whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segue.arrangement.contract import Filled
from segue.arrangement.model import AudioClip, Project, Tempo, Track
from segue.arrangement.places import beside
from segue.clip.files import AudioFile, read_audio, write_filled
from segue.clip.gaps import SILENCE
from segue.errors import InvalidRequest

MIN_SILENCE = 0.1
"""Seconds; shorter silences are part of the music."""


@dataclass(frozen=True)
class Folder:
    """Audio files by a pattern."""

    suffixes: tuple[str, ...] = ("",)

    def open(self, path: Path, pattern: str) -> OpenedFolder:
        """See :meth:`segue.arrangement.contract.Format.open`."""
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise InvalidRequest(f"expected a pattern inside of the folder, such as '*.wav', got {pattern!r}")
        names = sorted(p.relative_to(path).as_posix() for p in path.glob(pattern) if p.is_file())
        if not names:
            raise InvalidRequest(f"no file in {path} fits the pattern {pattern!r}: give another with --pattern")
        tracks = tuple(Track(name, name, _clips(name, read_audio(beside(path, name)))) for name in names)
        return OpenedFolder(path, Project(path.name, "folder", Tempo.constant(120.0), tracks))


@dataclass(frozen=True)
class OpenedFolder:
    """See :class:`segue.arrangement.contract.Opened`."""

    folder: Path
    project: Project

    def audio(self, source: str) -> AudioFile:
        """A file of the folder."""
        return read_audio(beside(self.folder, source))

    def check_out(self, out: Path) -> None:
        """A folder of its own."""
        if out.exists() and not out.is_dir():
            raise InvalidRequest(f"expected a folder to write into, {out} is a file: name another")
        if out.resolve() == self.folder.resolve() or out.resolve().is_relative_to(self.folder.resolve()):
            raise InvalidRequest(f"{out} lies in the folder that is read: name one outside of it")

    def write(self, out: Path, filled: Sequence[Filled]) -> None:
        """Each file that has something new, bit for bit outside of its gaps."""
        for name in dict.fromkeys(one.track.id for one in filled):
            own = [one for one in filled if one.track.id == name]
            source, path = self.audio(name), out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_filled(path, source, [one.span for one in own], [_fitted(one, source) for one in own])


def _fitted(one: Filled, source: AudioFile) -> np.ndarray:
    if (one.channels, one.rate) != (source.channels, source.rate):
        raise InvalidRequest(f"{source.name} changed while it was rendered: render it again")
    return one.audio


def _clips(name: str, file: AudioFile) -> tuple[AudioClip, ...]:
    """What lies between silences of :data:`MIN_SILENCE` and more."""
    loud = np.flatnonzero((np.abs(file.clip().samples) > SILENCE).any(axis=0))
    if not loud.size:
        return ()
    breaks = np.flatnonzero(np.diff(loud) > MIN_SILENCE * file.rate)
    starts = np.concatenate([[loud[0]], loud[breaks + 1]])
    stops = np.concatenate([loud[breaks], [loud[-1]]]) + 1
    return tuple(
        AudioClip(name, name, int(a) / file.rate, int(b) / file.rate, int(a) / file.rate)
        for a, b in zip(starts, stops, strict=True)
    )
