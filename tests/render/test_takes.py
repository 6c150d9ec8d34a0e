"""What a musician may choose from: takes of one render, and renders of several seeds."""

from __future__ import annotations

import functools

import numpy as np

import segue
from segue.render.rank import Scores
from segue.render.region import Take, distinct_first
from tests.recall.material import RATE, phrases

SONG, BEGINS = phrases()
GAP = (BEGINS[3] / RATE + 1.0, BEGINS[3] / RATE + 2.0)


@functools.cache
def spliced(seed: int) -> bytes:
    settings = segue.RenderSettings(seed=seed, method="splice")
    return segue.fill(SONG, RATE, GAP, settings=settings).audio.tobytes()


def test_another_seed_is_another_fill_where_several_places_fit_even_of_recall_alone() -> None:
    assert len({spliced(seed) for seed in range(3)}) > 1
    assert spliced(0) == spliced.__wrapped__(0)


def test_where_all_places_have_been_heard_another_seed_prefers_what_is_new() -> None:
    settings = segue.RenderSettings(seed=100, steps=2)
    told = segue.fill(SONG, RATE, GAP, settings=settings).report["gaps"][0]["candidates"]
    assert told[0]["method"] != "splice"
    (again,) = (one for one in told if one["method"] == "splice")
    assert "as before" in again["how"]
    assert again["total"] == max(one["total"] for one in told)


def test_takes_asked_for_together_hear_the_places_of_their_own_seeds() -> None:
    settings = segue.RenderSettings(method="splice", candidates=3)
    together = {one.tobytes() for one in segue.fill(SONG, RATE, GAP, settings=settings).candidates}
    assert together == {spliced(seed) for seed in range(3)}
    assert len(together) > 1


def generated(seed: int, candidates: int) -> dict[int, bytes]:
    """Samples by seed."""
    settings = segue.RenderSettings(seed=seed, candidates=candidates, steps=2, method="generated")
    result = segue.fill(SONG, RATE, GAP, settings=settings)
    told = result.report["gaps"][0]["candidates"]
    return {one["seed"]: audio.tobytes() for one, audio in zip(told, result.candidates, strict=True)}


def test_a_seed_that_hears_places_of_its_own_has_the_same_samples_whichever_others_are_asked_for() -> None:
    one, other = generated(0, 2), generated(1, 2)
    assert (set(one), set(other)) == ({0, 1}, {1, 2})
    assert other[1] == one[1]


def test_a_take_that_sounds_like_a_better_one_comes_last() -> None:
    scores = Scores(0.0, *[None] * 8, total=0.0)
    one, other = (0.1 * np.random.default_rng(seed).standard_normal((2, 20_000)).astype(np.float32) for seed in (0, 1))
    like = one + 0.001 * other
    tone = np.tile(0.1 * np.sin(np.arange(20_000) / 7.0), (2, 1)).astype(np.float32)
    takes = [Take("generated", name, 0, 3.0 * audio, scores) for name, audio in (("a", one), ("b", like), ("c", tone))]
    assert [take.how for take in distinct_first(takes, 1.0 / 3.0)] == ["a", "c", "b"]
