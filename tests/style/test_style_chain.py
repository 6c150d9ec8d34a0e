"""The post-chain: it acts in the gap alone, remembers what came before, and never clicks at the edges."""

from __future__ import annotations

import numpy as np
import pytest

from segue.clip.span import Span
from segue.guidance.curve import Curve
from segue.style.chain import mixed, processed, share
from segue.style.effects import EFFECTS, Effect
from tests.songs import loop_song

RATE = 44100
GAP = Span(2 * RATE, 3 * RATE)
ONE = Curve.constant(1.0)


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    return loop_song(RATE, 4.0)


def hidden(song: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    timeline, take = song.copy(), song[:, GAP.start : GAP.stop].copy()
    timeline[:, GAP.start : GAP.stop] = 0.0
    return timeline, take


def test_without_effects_the_take_comes_back_bit_for_bit(song: np.ndarray) -> None:
    timeline, take = hidden(song)
    wet = processed(timeline, take, GAP, [Effect("gain", {"gain_db": 0.0})], keep_level=False)
    assert mixed(take, wet, GAP, ONE).tobytes() == take.tobytes()


@pytest.mark.parametrize("kind", sorted(EFFECTS))
def test_every_effect_leaves_the_edges_of_the_gap_as_they_were(song: np.ndarray, kind: str) -> None:
    """At both edges the effect's share is 0 with a slope of 0: not a sample's step more than the take had."""
    timeline, take = hidden(song)
    wet = processed(timeline, take, GAP, [Effect(kind)], keep_level=False)
    out = mixed(take, wet, GAP, ONE)
    assert np.isfinite(out).all() and out.shape == take.shape
    for edge in (slice(0, 8), slice(-8, None)):
        assert np.abs(out[:, edge] - take[:, edge]).max() < 1e-3 * max(1.0, float(np.abs(wet - take).max()))


def test_the_fade_is_monotone_inside_the_gap_and_reaches_the_amount() -> None:
    weights = share(GAP, Curve.constant(0.6))
    fade = int(0.03 * RATE)
    assert weights[0] == 0.0 and weights[-1] == 0.0
    assert (np.diff(weights[:fade]) >= 0.0).all() and (np.diff(weights[-fade:]) <= 0.0).all()
    assert weights[fade:-fade] == pytest.approx(0.6)
    assert len(share(Span(0, 3), ONE)) == 3


def test_the_amount_is_mixed_as_it_is_drawn(song: np.ndarray) -> None:
    timeline, take = hidden(song)
    wet = processed(timeline, take, GAP, [Effect("gain", {"gain_db": 6.0})], keep_level=False)
    out = mixed(take, wet, GAP, Curve(((2.4, 0.0), (2.4, 1.0))))
    early, late = slice(0, int(0.39 * RATE)), slice(int(0.41 * RATE), int(0.96 * RATE))
    assert out[:, early].tobytes() == take[:, early].tobytes()
    np.testing.assert_allclose(out[:, late], take[:, late] * 10 ** (6 / 20), rtol=1e-4, atol=1e-6)


def test_an_echo_of_what_came_before_is_heard_in_the_gap(song: np.ndarray) -> None:
    timeline, take = np.zeros_like(song), np.zeros((2, GAP.length), np.float32)
    timeline[:, GAP.start - RATE // 4] = 0.5
    echo = Effect("delay", {"delay_seconds": 0.5, "feedback": 0.0, "mix": 0.5})
    wet = processed(timeline, take, GAP, [echo], keep_level=False)
    assert int(np.abs(wet[0]).argmax()) == pytest.approx(RATE // 4, abs=2)


def test_the_level_is_kept_where_asked_and_moved_where_not(song: np.ndarray) -> None:
    timeline, take = hidden(song)
    loud = [Effect("gain", {"gain_db": 12.0})]
    rms = float(np.sqrt(np.mean(take**2)))
    kept = processed(timeline, take, GAP, loud, keep_level=True)
    moved = processed(timeline, take, GAP, loud, keep_level=False)
    assert float(np.sqrt(np.mean(kept**2))) == pytest.approx(rms, rel=1e-4)
    assert float(np.sqrt(np.mean(moved**2))) == pytest.approx(rms * 10 ** (12 / 20), rel=1e-3)


def test_silence_stays_silent(song: np.ndarray) -> None:
    nothing = np.zeros((2, GAP.length), np.float32)
    wet = processed(np.zeros_like(song), nothing, GAP, [Effect("distortion"), Effect("reverb")], keep_level=True)
    assert not wet.any()
