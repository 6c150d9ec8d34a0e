"""What a musician may choose from: takes of one render, and renders of several seeds."""

from __future__ import annotations

import functools

import numpy as np

import segue
from segue.recall.features import HOP
from segue.render.rank import Scores
from segue.render.region import Take, distinct_first
from tests.recall.material import RATE, notes

PHRASE, REST = 130 * HOP, 170 * HOP


@functools.cache
def song() -> np.ndarray:
    """A phrase of 3 s four times, with noise of its own each time, and something else between."""
    phrase, noise = notes(3, 3.1)[:, :PHRASE], np.random.default_rng(0)
    parts = []
    for seed in range(4):
        again = phrase + 0.01 * noise.standard_normal(phrase.shape).astype(np.float32)
        parts += [notes(10 + seed, 4.1)[:, :REST], again]
    return np.concatenate([*parts, notes(14, 4.1)[:, :REST]], 1)


@functools.cache
def spliced(seed: int) -> bytes:
    begin = (4 * REST + 3 * PHRASE) / RATE
    settings = segue.RenderSettings(seed=seed, method="splice")
    return segue.fill(song(), RATE, (begin + 1.0, begin + 2.0), settings=settings).audio.tobytes()


def test_another_seed_is_another_fill_where_several_places_fit_even_of_recall_alone() -> None:
    assert len({spliced(seed) for seed in range(3)}) > 1
    assert spliced(0) == spliced.__wrapped__(0)


def test_a_take_that_repeats_a_better_one_comes_last() -> None:
    scores = Scores(0.0, *[None] * 8, total=0.0)
    one, other = np.zeros((2, 4), np.float32), np.ones((2, 4), np.float32)
    takes = [Take("generated", name, 0, audio, scores) for name, audio in (("a", one), ("b", one.copy()), ("c", other))]
    assert [take.how for take in distinct_first(takes)] == ["a", "c", "b"]
