from __future__ import annotations

import numpy as np

from segue.recall.choose import choices, choose

LENGTH = 40
PLACES = np.array([0, 100, 200])


def song(of: tuple[float, float, float]) -> np.ndarray:
    """Three places that sound the same for their whole length, at these levels in dB."""
    features = np.zeros((300, 40))
    for place, level in zip(PLACES, of, strict=True):
        features[place : place + LENGTH] = level
    return features


def foretold(*levels: float) -> np.ndarray:
    return np.repeat(np.array(levels)[:, None], LENGTH, 1)


def test_the_place_that_is_foretold_to_be_nearest_stands_alone_where_no_pair_is_better() -> None:
    chosen = choose(song((0.0, 0.0, 0.0)), PLACES, foretold(4.0, 2.0, 3.0))
    assert (chosen.left, chosen.right, chosen.copy) == (100, 100, 100)
    assert chosen.expected == 2.0


def test_a_pair_switches_where_the_second_becomes_the_nearer_one() -> None:
    ahead = foretold(2.0, 6.0, 5.0)
    ahead[:, 25:] = [[6.0], [2.0], [5.0]]
    chosen = choose(song((0.0, 0.0, 0.0)), PLACES, ahead)
    assert (chosen.left, chosen.right, chosen.switch) == (0, 100, 25)
    np.testing.assert_allclose(chosen.expected, 2.0)


def test_a_switch_that_would_be_heard_is_put_where_the_donors_are_alike() -> None:
    ahead = foretold(2.0, 3.0, 9.0)
    ahead[:, 20:] = [[3.0], [2.0], [9.0]]
    features = song((0.0, -40.0, 0.0))
    features[100 + 10 : 100 + 19] = 0.0  # nine frames in which the second sounds like the first
    chosen = choose(features, PLACES, ahead)
    assert (chosen.left, chosen.right, chosen.switch) == (0, 100, 14)


def test_donors_that_are_nowhere_alike_are_not_joined_for_little() -> None:
    ahead = foretold(2.0, 2.3, 9.0)
    ahead[:, 20:] = [[2.3], [2.0], [9.0]]
    chosen = choose(song((0.0, -40.0, 0.0)), PLACES, ahead)
    assert chosen.left == chosen.right


def test_turns_are_taken_by_places_apart_that_are_foretold_nearly_as_well_and_by_no_others() -> None:
    features = song((0.0, 0.0, 0.0))
    best, second = choices(features, PLACES, foretold(3.2, 2.0, 3.3))
    assert best == choose(features, PLACES, foretold(3.2, 2.0, 3.3))
    assert (best.left, best.right, second.left, second.right) == (100, 100, 0, 0)
    near = np.array([100, 103, 200])  # 70 ms from the best: the same place
    assert [chosen.copy for chosen in choices(features, near, foretold(2.0, 2.1, 2.2))] == [100, 200]
    assert [chosen.copy for chosen in choices(features, PLACES, foretold(2.0, 3.3, 3.3))] == [0]
