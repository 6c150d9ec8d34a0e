"""What a wish means at a place: the values that are gone for, against music in which they are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segue.clip.span import Span
from segue.guidance.objective import Term
from segue.guidance.operators.within import Within
from segue.prior.bundle import Bundle
from segue.prior.codecs.mel import MelCodec
from segue.recall.song import Song
from segue.style.aims.contract import Ground
from segue.style.aims.feature_term import feature_term, measured, operator_of
from segue.style.aims.follow import aim_follow
from segue.style.features import FEATURES, ONSET_FLOOR
from segue.style.terms import Follow
from segue.tasks.plan import Stereo
from tests.quality.bench_loop_case import clicks

RATE = 44100
GAP = Span(5 * RATE, 7 * RATE)


def ground_in(audio: Stereo, heard: Span | None = None) -> Ground:
    codec = Bundle.open(None).codec()
    assert isinstance(codec, MelCodec)
    inside = GAP if heard is None else heard
    around = Span(GAP.start - RATE // 2, GAP.stop + RATE // 2) if heard is None else heard
    return Ground(Song.of(audio, [GAP], codec), GAP, around, inside, None, ())


def misses(term: Term, audio: Stereo, ground: Ground) -> float:
    """How far audio is from what the term wants; about 1 is plain."""
    with torch.no_grad():
        return float(term(torch.from_numpy(audio[None, :, ground.heard.start : ground.heard.stop].copy())))


@pytest.mark.parametrize("period", [0.25, 1.0])
def test_the_usual_number_of_onsets_is_that_of_the_song_also_where_they_are_far_apart(period: float) -> None:
    """The song goes on as it is: its gap has as many as are usual. At most times a stroke a second is none at all."""
    audio = clicks(period, 12.0)
    ground = ground_in(audio)
    term = aim_follow(Follow(feature="onsets", points=((0.0, 1.0),)), ground)
    assert isinstance(term.operator, Within)
    with torch.no_grad():
        real = term.operator(torch.from_numpy(audio[None, :, ground.heard.start : ground.heard.stop].copy()))[0]
    there, wanted = (float((values.exp2() - ONSET_FLOOR).mean()) for values in (real, term.target[0]))
    assert wanted == pytest.approx(there, rel=0.25)
    assert float(np.ptp(term.target.numpy())) == 0.0


def test_strokes_that_come_steadily_fulfil_a_steady_line_and_half_as_many_do_not() -> None:
    """A line says how much there is. Where it were measured stroke by stroke, real strokes would miss it."""
    audio = clicks(0.25, 12.0)
    ground = ground_in(audio)
    line = Follow(feature="onsets", points=((0.0, 1.0),))
    term = aim_follow(line, ground)
    assert misses(term, audio, ground) < 0.05
    assert misses(term, clicks(0.5, 12.0), ground) > 0.5
    fine = feature_term(FEATURES["onsets"], ground, term.target, 1.0)
    assert misses(fine, audio, ground) > 0.5


def test_noise_of_the_loudness_that_is_drawn_fulfils_the_curve_and_6_db_less_does_not() -> None:
    audio = np.random.default_rng(0).normal(0.0, 0.1, (2, 12 * RATE)).astype(np.float32)
    ground = ground_in(audio)
    lufs = float(measured(operator_of(FEATURES["loudness"].drawn), audio).mean())
    at_reference = audio * np.float32(ground.song.gain)
    term = aim_follow(Follow(feature="loudness", points=((0.0, lufs),)), ground)
    assert misses(term, at_reference, ground) < 0.02
    assert misses(term, np.float32(0.5) * at_reference, ground) == pytest.approx(4.0, rel=0.2)


def test_a_stretch_shorter_than_the_features_frame_is_measured_whole() -> None:
    """Half a frame of drawn loudness: a window of a bundle, or a clip, may be that short."""
    audio = np.random.default_rng(0).normal(0.0, 0.1, (2, 12 * RATE)).astype(np.float32)
    half = FEATURES["loudness"].drawn.n_fft // 2
    ground = ground_in(audio, Span(GAP.start, GAP.start + half))
    lufs = float(measured(operator_of(FEATURES["loudness"]), audio).mean())
    term = aim_follow(Follow(feature="loudness", points=((0.0, lufs),)), ground)
    at_reference = audio * np.float32(ground.song.gain)
    assert misses(term, at_reference, ground) < 0.05
    assert misses(term, np.float32(0.5) * at_reference, ground) == pytest.approx(4.0, rel=0.3)
