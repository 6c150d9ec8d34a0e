"""What a wish means at a place: the values that are gone for, against music in which they are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segue.clip.span import Span
from segue.guidance.operators.within import Within
from segue.prior.bundle import Bundle
from segue.prior.codecs.mel import MelCodec
from segue.recall.song import Song
from segue.style.aims.contract import Ground
from segue.style.aims.follow import aim_follow
from segue.style.features import ONSET_FLOOR
from segue.style.terms import Follow
from tests.quality.bench_loop_case import clicks

RATE = 44100
GAP = Span(5 * RATE, 7 * RATE)


@pytest.mark.parametrize("period", [0.25, 1.0])
def test_the_usual_number_of_onsets_is_that_of_the_song_also_where_they_are_far_apart(period: float) -> None:
    """The song goes on as it is: its gap has as many as are usual. At most times a stroke a second is none at all."""
    audio = clicks(period, 12.0)
    codec = Bundle.open(None).codec()
    assert isinstance(codec, MelCodec)
    heard = Span(GAP.start - RATE // 2, GAP.stop + RATE // 2)
    ground = Ground(Song.of(audio, [GAP], codec), GAP, heard, GAP, None, ())
    term = aim_follow(Follow(feature="onsets", points=((0.0, 1.0),)), ground)
    assert isinstance(term.operator, Within)
    with torch.no_grad():
        real = term.operator(torch.from_numpy(audio[None, :, heard.start : heard.stop].copy()))[0]
    there, wanted = (float((values.exp2() - ONSET_FLOOR).mean()) for values in (real, term.target[0]))
    assert wanted == pytest.approx(there, rel=0.25)
    assert float(np.ptp(term.target.numpy())) == 0.0
