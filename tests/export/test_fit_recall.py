from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segue.recall.donors import DonorSearch
from segue.recall.features import song_features
from segue.recall.foretold import CELLS, PARTS
from segue_export.train import corpus, fit_recall
from segue_export.train.fit_recall import METHODS, Lesson, fit, lessons, measure, tracks_of
from tests.recall.material import notes

RNG = np.random.default_rng(11)


def lesson_of(apart_of: np.ndarray, left: np.ndarray, right: np.ndarray) -> Lesson:
    places = np.arange(len(left))
    search = DonorSearch(np.zeros((500, 40)), (None, None), (None, None), places, (left, right))
    return Lesson(search, apart_of)


def test_weights_that_made_the_differences_are_found() -> None:
    left, right = RNG.uniform(0.0, 10.0, (2, 400, CELLS))
    apart = np.repeat((0.5 * left[:, 3] + 0.25 * right[:, 7] + 1.5)[:, None], 2 * PARTS, 1)
    weights = fit([lesson_of(apart, left, right)])
    expected = np.zeros((2 * CELLS + 1, PARTS))
    expected[3], expected[CELLS + 7], expected[-1] = 0.5, 0.25, 1.5
    np.testing.assert_allclose(weights["both"], expected, atol=1e-5)
    assert all((w >= 0.0).all() for w in weights.values())


def test_a_song_teaches_and_its_own_repeat_is_chosen() -> None:
    once = notes(3, 20.0)
    features = song_features(np.concatenate([once] * 3, 1))
    taught = lessons(features, 6, 1, 2.0)
    assert len(taught) == 6
    weights = fit(taught)
    measured = np.stack([measure(lesson, weights) for lesson in taught])
    assert measured.shape == (6, len(METHODS))
    chosen, best = measured[:, METHODS.index("copy")], measured[:, METHODS.index("best place")]
    np.testing.assert_allclose(chosen, best, atol=0.5)
    assert (best < 4.0).all(), "each third repeats the others, but not on the grid of frames"


def test_a_copy_of_a_withheld_track_teaches_nothing_under_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {
        split: [n for i in range(100) if corpus.split_of("pack", n := f"{i}.wav") == split]
        for split in ("train", "validation")
    }
    (tmp_path / "pack").mkdir()
    copied, own, withheld = *names["train"][:2], names["validation"][0]
    for name, content in ((copied, b"one"), (withheld, b"one"), (own, b"two")):
        (tmp_path / "pack" / name).write_bytes(content)
    read: list[str] = []
    monkeypatch.setattr(fit_recall, "read_track", lambda path: read.append(path.name))
    assert not list(tracks_of(tmp_path, "train", 9))
    assert read == [own]
    read.clear()
    assert not list(tracks_of(tmp_path, "validation", 9))
    assert set(read) == {copied, withheld}
