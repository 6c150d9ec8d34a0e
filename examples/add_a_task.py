"""Add a task of one's own: a fill that starts from the gap's own music, played backwards.

A task is a frozen dataclass with a ``name`` and a ``plan``; samplers, guidance, seams and reports need not know of it.
In Segue itself it would be tasks/reverse.py and one line in tasks/registry.py; here, TASKS.register does the same.

Run it: python examples/add_a_task.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.tasks.holes import in_order, one_source, silenced
from segue.tasks.plan import Plan, Region, Stereo
from segue.tasks.registry import TASKS


@dataclass(frozen=True)
class Reverse:
    """As regenerate, but x_bar is the original played backwards. ``gaps`` in samples at 44.1 kHz."""

    name: ClassVar[str] = "reverse"

    gaps: tuple[Span, ...]
    freedom: Freedom = field(default_factory=lambda: Freedom(Curve.constant(0.6)))

    def plan(self, sources: Sequence[Stereo], songs: Sequence[Stereo] = ()) -> Plan:
        track = one_source(self.name, sources)
        gaps = in_order(self.gaps, track, songs)
        regions = tuple(Region(gap, track[:, gap.start : gap.stop][:, ::-1].copy(), self.freedom) for gap in gaps)
        return Plan(self.name, silenced(track, gaps), regions, tuple(songs))


TASKS.register(Reverse.name, Reverse)


def main() -> None:
    seconds = np.arange(8 * MODEL_RATE) / MODEL_RATE
    sweep = np.sin(2.0 * np.pi * (200.0 + 50.0 * seconds) * seconds)  # rises, so that backwards it falls
    track = (0.1 * np.stack([sweep, sweep])).astype(np.float32)
    task = TASKS.make("reverse", gaps=(Span(3 * MODEL_RATE, 5 * MODEL_RATE),))
    plan = task.plan([track])
    for region in plan.regions:
        gap, x_bar = region.gap, region.x_bar
        assert x_bar is not None
        kept = np.array_equal(plan.timeline[:, : gap.start], track[:, : gap.start])
        reversed_ = np.array_equal(x_bar[:, ::-1], track[:, gap.start : gap.stop])
        print(f"{plan.task}: {gap.start / MODEL_RATE:.1f}:{gap.stop / MODEL_RATE:.1f} s to render")
        print(f"context kept: {kept}; starts from the reversed original: {reversed_}")


if __name__ == "__main__":
    main()
