"""What a render of arrays gives back, here or from a renderer elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from segue.clip.gaps import seconds_to_samples
from segue.clip.recipe import Recipe
from segue.clip.span import Span
from segue.errors import InvalidRequest

Seconds = float | int
GapsLike = tuple[Seconds, Seconds] | Sequence[tuple[Seconds, Seconds]]
"""One gap or several, (start, stop) in seconds."""


@dataclass(frozen=True)
class Result:
    """``audio`` (channels, samples) float32 at ``rate`` is the best of ``candidates``, which come best first."""

    audio: Float32[np.ndarray, "channels samples"]
    rate: int
    report: dict[str, Any]
    recipe: Recipe
    candidates: tuple[Float32[np.ndarray, "channels samples"], ...]


def gaps_of(gap: GapsLike, rate: int) -> tuple[Span, ...]:
    """One gap or several as samples.

    Raises:
        InvalidRequest: not pairs of finite seconds, 0 or more.
    """
    several: list[Any] = [gap] if gap and isinstance(gap[0], int | float) else list(gap)
    spans = []
    for pair in several:
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise InvalidRequest(f"expected a gap as (start, stop) in seconds, or a list of such, got {gap!r}")
        start, stop = (seconds_to_samples(float(t), rate, "a gap's start and stop") for t in pair)
        spans.append(Span(start, stop))
    return tuple(spans)
