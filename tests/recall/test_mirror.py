from __future__ import annotations

import numpy as np
import pytest

from segue.errors import InvalidRequest
from segue.recall.mirror import mirror


def stereo(*values: float) -> np.ndarray:
    return np.array([values, values], np.float32)


EMPTY = np.zeros((2, 0), np.float32)


def test_one_context_is_mirrored_back_and_forth() -> None:
    after = mirror(stereo(1, 2, 3), EMPTY, 8)
    assert after.audio[0].tolist() == [3, 2, 1, 1, 2, 3, 3, 2]
    before = mirror(EMPTY, stereo(1, 2, 3), 8)
    assert before.audio[1].tolist() == [2, 1, 1, 2, 3, 3, 2, 1]


def test_beyond_the_gap_the_context_itself_is_heard() -> None:
    made = mirror(stereo(1, 2, 3), stereo(7, 8, 9), 5, 2)
    assert made.audio[0, :2].tolist() == [2, 3]
    assert made.audio[0, -2:] == pytest.approx([7, 8])


def test_both_contexts_fade_into_each_other_at_constant_power() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((2, 2, 60_000)).astype(np.float32)
    power = (mirror(left, right, 60_000).audio ** 2).mean(0).reshape(10, -1).mean(1)
    np.testing.assert_allclose(power, 1.0, atol=0.06)


def test_a_gap_longer_than_its_contexts_is_filled_to_the_end() -> None:
    made = mirror(stereo(1), stereo(1, 1), 1000)
    assert made.audio.shape == (2, 1000)
    assert (made.audio >= 0.99).all()


def test_silent_contexts_give_silence_and_the_report_says_so() -> None:
    made = mirror(np.zeros((2, 50), np.float32), EMPTY, 100)
    assert made.silent
    assert not made.audio.any()
    assert "silent" in made.note
    assert not mirror(stereo(0.5), EMPTY, 100).silent


def test_no_context_at_all_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="at least one sample"):
        mirror(EMPTY, EMPTY, 10)
    with pytest.raises(InvalidRequest, match="0 samples or more"):
        mirror(stereo(1), EMPTY, -1)
