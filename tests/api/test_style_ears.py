"""Tags and references in real renders: the guiding ear is pulled towards what was asked, both ways of guiding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from jaxtyping import Float32

import segue
from tests.songs import loop_song

RATE = 44100
GAP = (4.0, 4.8)
QUICK = segue.RenderSettings(steps=1, sampler="ding", method="steered splice")
Audio = Float32[np.ndarray, "2 samples"]


@pytest.fixture(scope="module")
def song() -> Audio:
    return loop_song(RATE, 9.0)


def wish(song: Audio, style: segue.Style) -> float:
    """How far the best take is from the style."""
    report = segue.fill(song, RATE, GAP, style=style, settings=QUICK).report
    return float(report["gaps"][0]["candidates"][0]["wish"])


@pytest.mark.parametrize("mode", ["fast", "exact"])
def test_tags_pull_the_guiding_ear_towards_what_was_asked(song: Audio, mode: str) -> None:
    style = segue.Style.of(tags={"ambient": 1.0, "rock": 0.0}, strength=0.3, mode=mode)  # type: ignore[arg-type]
    steered, off = (wish(song, style), wish(song, replace(style, strength=1e-6)))
    assert steered < off


def test_a_reference_pulls_towards_itself(song: Audio) -> None:
    other = np.random.default_rng(0).normal(0.0, 0.1, (2, 4 * RATE)).astype(np.float32)
    style = segue.Style.of(reference=(other, RATE), strength=0.3)
    assert wish(song, style) < wish(song, replace(style, strength=1e-6))
