from __future__ import annotations

import numpy as np
import pytest

from segue.recall.foretold import CELLS, PARTS, TIME_EDGES, Side, differences, fitted, foretell

RNG = np.random.default_rng(4)
FEATURES = RNG.uniform(-60.0, 0.0, (400, 40))
TIME = TIME_EDGES[-1]
AFTER = Side(FEATURES[200 : 200 + TIME], 10, 1)


def test_a_place_whose_surroundings_are_the_gap_s_own_differs_nowhere() -> None:
    cells = differences(FEATURES, AFTER, np.array([190, 30]))
    assert not cells[0].any()
    assert cells[1].min() > 5.0


def test_a_context_before_the_gap_is_heard_from_the_gap_outwards() -> None:
    before = Side(FEATURES[200 - TIME : 200][::-1], -1, -1)
    louder = FEATURES.copy()
    louder[196:200] += 6.0  # the four frames nearest to the gap
    cells = differences(louder, before, np.array([200])).reshape(len(TIME_EDGES) - 1, -1)
    np.testing.assert_allclose(cells[0], 6.0)
    assert not cells[1:].any()


def test_where_nothing_is_known_the_nearer_neighbour_stands_for_it() -> None:
    frames = AFTER.frames.copy()
    frames[:2] = frames[20:] = np.nan
    louder = FEATURES.copy()
    louder[200:] += np.arange(200)[:, None]  # k dB in frame k of the context
    cells = differences(louder, Side(frames, 10, 1), np.array([190])).reshape(len(TIME_EDGES) - 1, -1)
    np.testing.assert_allclose(cells[:3, 0], [2.5, 7.0, 15.0])
    np.testing.assert_allclose(cells[3:, 0], 15.0)


@pytest.mark.parametrize("sides", ["both", "left", "right"])
def test_what_differs_more_beside_the_gap_is_never_foretold_to_differ_less_in_it(sides: str) -> None:
    near = RNG.uniform(0.0, 5.0, (20, CELLS))
    far = near + RNG.uniform(0.0, 5.0, near.shape)
    foretold = [foretell(None if sides == "right" else c, None if sides == "left" else c, 43) for c in (near, far)]
    assert foretold[0].shape == (20, 43)
    assert (foretold[1] >= foretold[0]).all()
    assert (foretold[1] > foretold[0]).any()


def test_a_context_says_most_about_the_part_of_the_gap_that_is_next_to_it() -> None:
    weights = fitted()["both"][:-1]
    left, right = weights[:CELLS].sum(0), weights[CELLS:].sum(0)
    assert left[0] > left[PARTS - 1]
    assert right[PARTS - 1] > right[0]
