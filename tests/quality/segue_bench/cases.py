"""Excerpts to cases: what each method is given, what really stands there, and the floor.

The plans are the product's own (``segue.tasks``). With the whole song, a gap is centred on the excerpt's centre, and

- infill, regenerate, embedder, classifier: the whole track around the gap may be recalled;
- continuation ("extend from here"): the song so far, up to the gap; nothing after the gap is known or recalled;
- transition: the left track so far, up to 1.25 s after its centre, and the right one from 1.25 s before its centre:
  the cross-fade has both centres in its middle. Both parts may be recalled, as in the product.

Without it, as in the paper: the middle 2 s of 6 s alone; a continuation from the first 2.4 s of 6 s; a cross-fade of
2.5 s between two excerpts of 6 s. A gap other than 2 s is the middle of 6 s or, where it is longer, of three times its
length, so that a third on each side is known (4 s of 12 s).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.tasks.continuation import Continuation
from segue.tasks.holes import samples_of
from segue.tasks.infill import Infill
from segue.tasks.plan import Plan, Stereo, Task
from segue.tasks.regenerate import Regenerate
from segue.tasks.transition import Transition
from segue_bench.contract import RATE, Case, Excerpt, TaskName
from segue_bench.manifest import Manifest
from segue_bench.music import Loader

CLIP = 6 * RATE
"""Samples of the paper's excerpts."""

LONGEST = 4.0
"""Seconds of the longest gap that fits around every centre of the manifest with its clip."""


@dataclass(frozen=True)
class Setting:
    """What is asked at a place: the task, the gap in seconds, and the whole song or a clip of it."""

    task: TaskName
    seconds: float
    whole_song: bool = True

    def __post_init__(self) -> None:
        if self.task not in get_args(TaskName):
            raise InvalidRequest(f"expected a task among {', '.join(get_args(TaskName))}, got {self.task!r}")
        if not 0.0 < self.seconds <= LONGEST:
            raise InvalidRequest(f"the bench's gaps last up to {LONGEST:g} s, got {self.seconds} s")


class Maker:
    """Makes cases of one manifest's excerpts with tracks from ``tracks``."""

    def __init__(self, manifest: Manifest, tracks: Loader) -> None:
        self.manifest, self.tracks = manifest, tracks
        self._right = dict(manifest.pairs)

    def case(self, excerpt: Excerpt, setting: Setting) -> Case:
        """One case; a transition leaves from ``excerpt`` and enters its pair's right one.

        Raises:
            InvalidRequest: a transition from an excerpt that is the left one of no pair.
            AudioFileError: the track is missing, or another than the manifest's.
        """
        plan, original = self._planned(excerpt, setting)
        gap = plan.regions[0].gap
        floor = self.manifest.by_name[self.manifest.others[excerpt.name]]
        at = centred(floor.centre, gap.length)
        other = self.tracks(floor)[:, at.start : at.stop].copy()
        return Case(excerpt, setting.task, setting.seconds, setting.whole_song, plan, original, other)

    def _planned(self, excerpt: Excerpt, setting: Setting) -> tuple[Plan, Stereo]:
        """The plan, and its timeline with what stands in the gap."""
        track = self.tracks(excerpt)
        if setting.task == "transition":
            return self._transition(excerpt, track, setting)
        gap = centred(excerpt.centre, samples_of(setting.seconds, "the gap"))
        if setting.task == "continuation":
            begins = 0 if setting.whole_song else gap.stop - CLIP
            original = track[:, begins : gap.stop]
            return Continuation(setting.seconds).plan([original[:, : gap.start - begins]]), original
        around = Span(0, track.shape[1]) if setting.whole_song else clip_around(gap)
        original = track[:, around.start : around.stop]
        inside = (Span(gap.start - around.start, gap.stop - around.start),)
        task: Task = Regenerate(inside) if setting.task == "regenerate" else Infill(inside)
        return task.plan([original]), original

    def _transition(self, excerpt: Excerpt, leaving: Stereo, setting: Setting) -> tuple[Plan, Stereo]:
        if excerpt.name not in self._right:
            raise InvalidRequest(f"{excerpt.name} is the left excerpt of no pair: choose one of excerpts.toml's pairs")
        entering = self.manifest.by_name[self._right[excerpt.name]]
        overlap = samples_of(setting.seconds, "the overlap")
        out, into = centred(excerpt.centre, overlap), centred(entering.centre, overlap)
        left, right = leaving[:, : out.stop], self.tracks(entering)[:, into.start :]
        if not setting.whole_song:
            left, right = left[:, -CLIP:], right[:, :CLIP]
        plan = Transition(setting.seconds).plan([left, right])
        region = plan.regions[0]
        assert region.x_bar is not None
        gap, original = region.gap, plan.timeline.copy()
        original[:, gap.start : gap.stop] = region.x_bar
        return plan, original


def centred(centre: int, length: int) -> Span:
    """``length`` samples around a centre; of an odd length, the smaller half comes first."""
    start = centre - length // 2
    return Span(start, start + length)


def clip_around(gap: Span) -> Span:
    """6 s with the gap in its middle, or three times the gap where it is longer than 2 s."""
    length = max(CLIP, 3 * gap.length)
    start = gap.start - (length - gap.length) // 2
    return Span(start, start + length)
