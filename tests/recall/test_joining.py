from __future__ import annotations

import numpy as np
import pytest

from segue.errors import InvalidRequest
from segue.recall.joining import JoinSettings, Run, join
from tests.recall.material import notes, repeating

SETTINGS = JoinSettings()
FADE = SETTINGS.fade


def test_runs_that_continue_each_other_are_the_song() -> None:
    song = notes(1, 2.0)
    made, _ = join(song, [Run(0, 9000, 20_000), Run(9000, 21_001, 29_000)], SETTINGS)
    np.testing.assert_allclose(made, song[:, 20_000 - FADE : 41_001 + FADE], atol=1e-5)


@pytest.mark.parametrize("off", [-300, -57, 0, 113, 300])
def test_a_run_a_little_off_is_moved_into_place(off: int) -> None:
    period = 30_011
    song = repeating(2, period, 4)
    made, runs = join(song, [Run(0, 9000, 5000), Run(9000, 20_000, 14_000 + 2 * period + off)], SETTINGS)
    assert runs[1].place == 14_000 + 2 * period
    np.testing.assert_allclose(made, song[:, 5000 - FADE : 25_000 + FADE], atol=1e-5)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_ends_are_aligned_to_what_is_known_beside_the_target(side: str) -> None:
    song = notes(3, 2.0)
    known = {"left": song[:, 10_000:20_000], "right": song[:, 40_000:50_000]}
    _, runs = join(song, [Run(0, 20_000, 20_000 + 99)], SETTINGS, **{side: known[side]})
    assert runs[0].place == 20_000


def test_joins_closer_than_a_fade_are_crossed_in_order() -> None:
    song = notes(4, 2.0)
    runs = [Run(0, 600, 10_000), Run(600, 1200, 40_600), Run(1200, 9000, 61_200)]
    made, moved = join(song, runs, SETTINGS)
    assert made.shape == (2, 9000 + 2 * FADE)
    assert np.isfinite(made).all()
    last = moved[-1].place - moved[-1].start
    tail = slice(1200 + FADE, 9000 + FADE)
    np.testing.assert_allclose(made[:, FADE:][:, tail], song[:, last:][:, tail], atol=1e-6)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="fade"):
        JoinSettings(fade=0)
    with pytest.raises(InvalidRequest, match="align"):
        JoinSettings(align=-1)
