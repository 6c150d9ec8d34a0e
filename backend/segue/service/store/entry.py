"""One result as one file: safetensors.

Float32 as it is, since a hit must be bit-identical: FLAC holds integers, and a WAV one array where a result is
several gaps of several candidates. The format is a JSON header and raw numbers: nothing in it can run, its reader
checks all sizes, and equal results are equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from segue.clip.recipe import Recipe
from segue.errors import SegueError
from segue.service.events import Rendition

_ABOUT = "about"
_FORMAT = 1


class Damaged(SegueError):
    """A file of the store is not what was written."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A job's result: ``renditions`` best first, and the ``report``, ready for JSON."""

    renditions: tuple[Rendition, ...]
    report: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> str:
        """Its address: the digest of the best rendition's recipe, which says how many there are."""
        return self.renditions[0].recipe.digest

    def to_bytes(self) -> bytes:
        """The file's content."""
        about = {
            "format": _FORMAT,
            "recipes": [rendition.recipe.to_json() for rendition in self.renditions],
            "report": self.report,
        }
        text = json.dumps(about, sort_keys=True, allow_nan=False)
        tensors: dict[str, Any] = {_ABOUT: np.frombuffer(text.encode(), np.uint8)}
        for rank, rendition in enumerate(self.renditions):
            for gap, audio in enumerate(rendition.audio):
                tensors[f"{rank}.{gap}"] = np.ascontiguousarray(audio)
        return bytes(save(tensors))

    @staticmethod
    def from_bytes(content: bytes) -> Entry:
        """Inverse of :meth:`to_bytes`.

        Raises:
            Damaged: not such a file.
        """
        try:
            tensors = load(content)
            about = json.loads(tensors.pop(_ABOUT).tobytes())
            if about["format"] != _FORMAT:
                raise Damaged(f"expected an entry of format {_FORMAT}, got {about['format']}: render it again")
            gaps = len(tensors) // len(about["recipes"])
            renditions = tuple(
                Rendition(tuple(tensors[f"{rank}.{gap}"] for gap in range(gaps)), Recipe.from_json(recipe))
                for rank, recipe in enumerate(about["recipes"])
            )
            return Entry(renditions, about["report"])
        except (SafetensorError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
            raise Damaged(f"not an entry of the store ({type(error).__name__}: {error}): render it again") from error
