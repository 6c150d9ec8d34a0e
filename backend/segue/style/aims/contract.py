"""What an aim is: it makes a term of the objective from a term of the wish, for one stretch of a region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from segue.clip.span import Span
from segue.guidance.objective import Term
from segue.recall.song import Song
from segue.tasks.plan import Stereo


@dataclass(frozen=True, eq=False)
class Ground:
    """What an aim draws on; audio at the reference level.

    ``song`` and its ``gap``; ``heard``: the samples of the timeline the guide hears; ``inside``: those of them that are
    meant, a part of the gap. ``original``: what stood in the gap, (2, gap), None where nothing is known of it.
    ``references``: clips at 44.1 kHz.
    """

    song: Song
    gap: Span
    heard: Span
    inside: Span
    original: Stereo | None
    references: tuple[Stereo, ...]


Aim = Callable[[Any, Ground], Term]
"""A term of the objective on ``ground.heard`` samples of audio; its distance is about 1 where the wish is plainly
missed, so that terms can be weighed against one another.

Raises InvalidRequest where the wish cannot be measured there.
"""
