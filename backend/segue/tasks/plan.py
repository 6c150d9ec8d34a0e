"""What a task hands to the renderer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import Float

from segue.clip.span import Span
from segue.guidance.freedom import Freedom

Stereo = Float[np.ndarray, "2 _samples"]
"""44.1 kHz audio; the underscore lets two of them in one signature differ in length."""


@dataclass(frozen=True)
class Region:
    """One stretch to render, in samples of the plan's 44.1 kHz timeline.

    ``x_bar``: what stood there or is to be started from, (2, gap samples), or None where nothing is known (infill,
    continuation).
    ``freedom``: how far the result may leave ``x_bar``; time 0 is the start of the timeline. None with ``x_bar`` None.
    ``own_sound``: the result is to be made of the sound of ``x_bar`` alone, not of other places of the song.
    ``made``: ways to fill the gap that need no prior, by name, (2, gap samples) each; where there are any, all ways are
    ranked by how much like real music of this timeline they sound.
    ``crossing``: two tracks that cross there, (2, gap samples) each, the one that leaves first: then all ways are also
    ranked by how evenly, and how much on the beat, they lead from the one to the other.
    """

    gap: Span
    x_bar: Stereo | None = None
    freedom: Freedom | None = None
    own_sound: bool = False
    made: tuple[tuple[str, Stereo], ...] = ()
    crossing: tuple[Stereo, Stereo] | None = None


@dataclass(frozen=True)
class Plan:
    """A task as the renderer sees it: a timeline with holes, and the song to recall from.

    ``timeline``: 44.1 kHz stereo, (2, samples), silent inside gaps. ``regions``: in order, not overlapping.
    ``songs``: further material for recall (other files, the second track of a transition), 44.1 kHz stereo.
    ``sound``: a song whose units sound what is generated, in the place of those of all the above; likewise.
    ``task``: the name it is registered under.
    """

    task: str
    timeline: Stereo
    regions: tuple[Region, ...]
    songs: tuple[Stereo, ...] = field(default=())
    sound: Stereo | None = None


class Task(Protocol):
    """Turns 44.1 kHz stereo material and its own settings into a :class:`Plan`."""

    @property
    def name(self) -> str:
        """The name in the registry, in recipes and in reports."""

    def plan(self, sources: Sequence[Stereo], songs: Sequence[Stereo] = ()) -> Plan:
        """The plan; ``sources`` is the track, or both tracks of a transition.

        Raises:
            InvalidRequest: gaps out of range, empty, overlapping; wrong number of sources; bad curves.
        """
