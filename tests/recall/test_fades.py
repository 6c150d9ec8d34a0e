from __future__ import annotations

import numpy as np
import pytest

from segue.recall.fades import best_shift, correlation, correlations, crossfade


def noise(seed: int, samples: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2, samples)).astype(np.float32)


def test_a_fade_between_equal_pieces_changes_nothing() -> None:
    piece = noise(0, 4000)
    np.testing.assert_allclose(crossfade(piece, piece), piece, atol=1e-5)


def test_a_fade_between_unlike_pieces_keeps_their_power() -> None:
    made = crossfade(noise(0, 200_000), noise(1, 200_000))
    power = (made**2).mean(0).reshape(20, -1).mean(1)
    np.testing.assert_allclose(power, 1.0, atol=0.06)


def test_correlations_peak_where_the_reference_was_cut() -> None:
    around = noise(0, 3000)
    found = correlations(around, 0.2 * around[:, 1200:2200])
    assert int(found.argmax()) == 1200
    assert found.max() == pytest.approx(1.0, abs=1e-3)
    assert best_shift(found) == 1200 - 1000


def test_silence_correlates_with_nothing_and_moves_nothing() -> None:
    silent = np.zeros((2, 500), np.float32)
    assert not correlations(silent, silent[:, :300]).any()
    assert best_shift(correlations(silent, silent[:, :300])) == 0
    assert correlation(silent, silent) == 0.0
    assert correlation(noise(0, 100), -noise(0, 100)) == 0.0
