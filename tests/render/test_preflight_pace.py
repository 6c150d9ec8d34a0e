"""What a bundle's network costs beside the embedded one, before a render starts."""

from __future__ import annotations

import pytest

from segue.errors import ResourceError
from segue.render.preflight import EMBEDDED, Pace, estimate


def sampling_seconds(pace: Pace) -> float:
    """What ten more steps of one seed add for a gap of a second."""
    few, many = (estimate(60.0, [1.0], steps, 1, pace=pace).seconds for steps in (10, 20))
    return many - few


def test_time_goes_with_weights_latent_rate_window_and_evaluations() -> None:
    own = sampling_seconds(EMBEDDED)
    assert sampling_seconds(Pace.of(int(22.9e6), 21.5, 0.0)) == pytest.approx(own)
    assert sampling_seconds(Pace.of(int(229e6), 43.0, 0.0)) == pytest.approx(20.0 * own)
    assert sampling_seconds(Pace.of(int(22.9e6), 21.5, 35.0, 2)) == pytest.approx(20.0 * own)


def test_weights_that_no_memory_holds_are_refused_before_they_are_read() -> None:
    with pytest.raises(ResourceError, match="close other programs"):
        estimate(60.0, [1.0], 1, 1, pace=Pace.of(10**15, 21.5, 6.0))
