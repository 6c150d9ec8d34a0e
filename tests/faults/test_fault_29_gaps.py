"""Fault 29: gaps at the edges, the whole clip, empty, overlapping; silence; one sample."""

from __future__ import annotations

import numpy as np
import pytest

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.tasks.continuation import Continuation
from segue.tasks.infill import Infill
from segue.tasks.regenerate import Regenerate


def noise(samples: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1.0, 1.0, (2, samples)).astype(np.float32)


def test_fault_29_gaps_at_the_edges_silent_and_tiny_tracks_give_plans_or_refusals() -> None:
    track = noise(100)
    for gap in (Span(0, 30), Span(70, 100), Span(0, 99), Span(1, 100)):
        plan = Infill((gap,)).plan([track])
        assert plan.regions[0].gap == gap
    silent = np.zeros((2, 100), np.float32)
    assert not Infill((Span(40, 60),)).plan([silent]).timeline.any()
    single = noise(1)
    assert Continuation(1.0).plan([single]).timeline.shape == (2, MODEL_RATE + 1)
    for refused in (Infill((Span(0, 1),)), Regenerate((Span(0, 1),))):
        with pytest.raises(InvalidRequest):
            refused.plan([single])
    with pytest.raises(InvalidRequest, match="empty"):
        Continuation(1.0).plan([noise(0)])
