"""What the parts of the bench hand to each other: excerpts, cases, methods, renderings, scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from segue.clip.span import Span
from segue.recall.song import EASY_DB, HARD_DB
from segue.tasks.plan import Plan, Stereo

if TYPE_CHECKING:
    from segue_bench.workbench import Workbench

TaskName = Literal["infill", "regenerate", "continuation", "transition", "embedder", "classifier"]
Recall = Literal["easy", "middle", "hard"]
Split = Literal["test", "validation", "foreign"]
"""How a track was kept from training; foreign: its whole package was, being of another kind of music."""

RATE = 44100


@dataclass(frozen=True)
class Excerpt:
    """A place in a held-out track, as the manifest lists it.

    ``file`` below the folder of ``package``, with its ``sha256``; ``samples`` of the decoded track at 44.1 kHz;
    ``centre``: the sample all gaps are centred on; ``distance_db``: mean context distance of a 2 s gap there, which
    says how well the rest of the song can recall it; ``heard``: whether other tracks of this artist were trained on.
    """

    name: str
    package: str
    file: str
    sha256: str
    title: str
    artist: str
    licence: str
    split: Split
    heard: bool
    samples: int
    centre: int
    distance_db: float

    @property
    def recall(self) -> Recall:
        """Easy under 5 dB, hard from 7 dB on."""
        return "easy" if self.distance_db < EASY_DB else "middle" if self.distance_db < HARD_DB else "hard"


def condition_name(task: TaskName, seconds: float, whole_song: bool) -> str:
    """Task, gap and material in one word, such as infill-2s-song."""
    return f"{task}-{seconds:g}s-{'song' if whole_song else 'clip'}"


@dataclass(frozen=True, eq=False)
class Case:
    """One gap to fill under one task.

    ``plan``: what the renderer is given (one region; the timeline is silent in its gap). ``original``: the timeline
    with what really stands there, or, for a transition, with the constant-power cross-fade. Methods hear ``plan``; the
    truth in ``original`` is for scoring, for the targets of embedder and classifier guidance, and for the two rows
    that say so: the real gap and the codec's round trip. ``other``: an excerpt of another held-out track, as long as
    the gap (the floor). ``whole_song``: whether the plan holds the whole track or, as in the paper, 6 s alone.
    """

    excerpt: Excerpt
    task: TaskName
    seconds: float
    whole_song: bool
    plan: Plan
    original: Stereo
    other: Stereo

    @property
    def gap(self) -> Span:
        """The gap, in samples of the plan's timeline."""
        return self.plan.regions[0].gap

    @property
    def truth(self) -> Stereo:
        """(2, gap): what really stands in the gap."""
        return self.original[:, self.gap.start : self.gap.stop]

    @property
    def condition(self) -> str:
        """Task, gap and material in one word: the name of a table."""
        return condition_name(self.task, self.seconds, self.whole_song)

    @property
    def key(self) -> str:
        """Unique among all cases."""
        return f"{self.condition}/{self.excerpt.name}"


@dataclass(frozen=True, eq=False)
class Rendering:
    """What a method made: ``audio`` (2, margin + gap + margin) at the track's level.

    Only baselines that are pasted over the context have a ``margin`` (samples). ``forward`` and ``vjp``: evaluations
    of the network and of its gradient, batch items counted singly. ``how``: one line for the report.
    """

    audio: Stereo
    how: str
    margin: int = 0
    forward: int = 0
    vjp: int = 0


@runtime_checkable
class Method(Protocol):
    """One way to fill a gap, under one name."""

    @property
    def name(self) -> str:
        """Row of the tables, such as "default" or "ddpm-50 guided"."""

    @property
    def about(self) -> str:
        """One line: what it does, with its settings."""

    @property
    def tasks(self) -> frozenset[TaskName]:
        """The tasks it can do."""

    @property
    def seeded(self) -> bool:
        """Whether another seed makes another result; the rest is rendered once."""

    def render(self, bench: Workbench, seed: int) -> Rendering:
        """Fill the workbench's case.

        Raises:
            InvalidRequest: the method cannot do this case; the report counts it.
        """


@dataclass(frozen=True, eq=False)
class ClipScores:
    """Measures of one rendering against its case.

    ``values`` by score name; a score that is not defined for the case (no beat to be found, no song to copy from) is
    missing, never zero. ``embedding`` (200,) and ``tags`` (50,), probabilities: of the scoring embedder, over 3 s
    centred on the gap.
    """

    values: Mapping[str, float]
    embedding: Float[np.ndarray, " features"] = field(repr=False)
    tags: Float[np.ndarray, " tags"] = field(repr=False)
