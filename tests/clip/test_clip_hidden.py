from __future__ import annotations

import numpy as np
import pytest

from segue.clip.clip import Clip
from segue.clip.hidden import hidden
from segue.clip.resample import model_span, to_model
from segue.clip.span import Span


def tones(rate: int, seconds: float = 1.5) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    left = 0.4 * np.sin(2 * np.pi * 220.0 * time + 1.0) + 0.2 * np.sin(2 * np.pi * 5000.0 * time)
    return np.stack([left, 0.5 * left[::-1]]).astype(np.float32)


@pytest.mark.parametrize("rate", [32000, 48000, 96000, 192000])
def test_known_music_beside_a_gap_is_resampled_as_if_the_gap_were_not_there(rate: int) -> None:
    clip, gap = Clip(tones(rate), rate), Span(rate // 2 + 13, rate + 7)
    whole, heard, inner = to_model(clip), to_model(hidden(clip, [gap])), model_span(gap, rate)
    for side in (slice(0, inner.start), slice(inner.stop, None)):
        assert np.abs(heard[:, side] - whole[:, side]).max() < 1e-3, "a silent gap rings: 0.01 to 0.1"


@pytest.mark.parametrize("rate", [44100, 48000])
def test_nothing_of_what_stands_in_a_gap_is_left(rate: int) -> None:
    gaps = [Span(0, 100), Span(9000, 9001), Span(9003, 9100), Span(30000, 66150)]
    samples = tones(rate)[:, :66150]
    noisy = samples.copy()
    for gap in gaps:
        noisy[:, gap.start : gap.stop] = 9.0
    one, two = (hidden(Clip(audio, rate), gaps).samples for audio in (samples, noisy))
    assert np.array_equal(one, two)
    known = np.ones(66150, bool)
    for gap in gaps:
        known[gap.start : gap.stop] = False
    assert np.array_equal(one[:, known], samples[:, known])
    assert not one[:, 40000:].any()
    assert rate != 44100 or not one[:, ~known].any()
