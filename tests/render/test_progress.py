"""Progress of a render whose candidates take turns at its stages."""

from __future__ import annotations

import pytest

from segue.render.progress import Progression
from segue.render.settings import Progress

TURNS = ["recall", "seam", "seam", "sample", "recall", "seam", "decode", "seam", *["sample", "decode", "seam"] * 3]


@pytest.mark.parametrize("regions", [1, 3])
def test_progress_rises_with_every_turn_and_is_whole_at_the_end_alone(regions: int) -> None:
    seen: list[Progress] = []

    def hear(progress: Progress) -> bool:
        seen.append(progress)
        return True

    progression = Progression(hear, regions)
    for region in range(1, regions + 1):
        for name in TURNS:
            with progression.stage(name):
                pass
        assert (region - 0.2) / regions < seen[-1].fraction < region / regions
        progression.next_region()
        assert seen[-1].fraction == pytest.approx(region / regions)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    first = next(progress.fraction for progress in seen if progress.stage == "sample")
    assert first < 0.4 / regions, "a render that has not sampled yet is not nearly done"
