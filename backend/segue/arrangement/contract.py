"""What a project format is: a file that reads one, says where its audio is, and writes it anew with clips added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from segue.arrangement.model import Project, Track
from segue.clip.files import AudioFile
from segue.clip.recipe import Recipe
from segue.clip.span import Span

OURS = "Segue "
"""Before the name of a track, on the track that is added for it."""


@dataclass(frozen=True, eq=False)
class Filled:
    """One place that was rendered. ``span`` and ``audio``: what takes the place, in samples at ``rate``.

    ``path``: the file of the clip to add to the arrangement, which starts at ``start`` (samples) and has ``length``:
    played together with the track as it is, the result.
    """

    track: Track
    name: str
    rate: int
    span: Span
    audio: Float32[np.ndarray, "_channels _samples"] = field(repr=False)
    recipe: Recipe
    path: Path
    start: int
    length: int

    @property
    def channels(self) -> int:
        """Of the audio."""
        return int(self.audio.shape[0])


@runtime_checkable
class Opened(Protocol):
    """A project that was read."""

    @property
    def project(self) -> Project:
        """What it holds."""

    def audio(self, source: str) -> AudioFile:
        """The source of a clip.

        Raises:
            AudioFileError, InvalidRequest: missing, broken, or outside of where the project may read.
        """

    def check_out(self, out: Path) -> None:
        """Refuse a place where the new project would not find its audio, before anything is rendered.

        Raises:
            InvalidRequest, AudioFileError: it says what to name instead.
        """

    def write(self, out: Path, filled: Sequence[Filled]) -> None:
        """Write a new project with the clips in place; the old one is untouched."""


@runtime_checkable
class Format(Protocol):
    """One format by its file endings; "" for a folder."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings in lower case."""

    def open(self, path: Path, pattern: str) -> Opened:
        """Read a project; ``pattern``: which files, where it is a folder.

        Raises:
            InvalidRequest, AudioFileError: broken, unsafe, or of a kind that cannot be played as the DAW would.
        """
