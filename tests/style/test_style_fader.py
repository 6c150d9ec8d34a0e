"""The fader of a drawn loudness, over noise of which every level is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segue.clip.span import Span
from segue.guidance.descend import descend
from segue.guidance.objective import Objective
from segue.prior.bundle import Bundle
from segue.prior.codecs.mel import MelCodec
from segue.recall.song import Song
from segue.style.aims.contract import Ground
from segue.style.aims.feature_term import measured, operator_of
from segue.style.aims.follow import aim_follow
from segue.style.fader import EVERY, LEAST, Fader
from segue.style.features import FEATURES
from segue.style.terms import Follow
from segue.tasks.plan import Stereo

RATE = 44100
GAP = Span(5 * RATE, 9 * RATE)
MARGIN = 1000
AROUND = Span(GAP.start - MARGIN, GAP.stop + MARGIN)


def fader_over(audio: Stereo, *decibels: float) -> Fader:
    """One that is to go through these levels, evenly spaced over the gap, against the audio's own."""
    codec = Bundle.open(None).codec()
    assert isinstance(codec, MelCodec)
    song = Song.of(audio, [GAP], codec)
    heard = Span(GAP.start - RATE // 2, GAP.stop + RATE // 2)
    ground = Ground(song, GAP, heard, GAP, None, ())
    lufs = float(measured(operator_of(FEATURES["loudness"].drawn), audio).mean())
    seconds = np.linspace(GAP.start, GAP.stop, len(decibels)) / RATE
    points = tuple((float(t), lufs + level) for t, level in zip(seconds, decibels, strict=True))
    objective = Objective((aim_follow(Follow(feature="loudness", points=points), ground),))
    at_reference = audio * np.float32(song.gain)
    return Fader(GAP, at_reference, at_reference[:, AROUND.start : AROUND.stop], ((heard, objective),), 1)


def moved(fader: Fader) -> torch.Tensor:
    where = torch.ones(1, 1, len(fader.places))
    where[..., 0] = where[..., -1] = 0.0
    return descend(fader, torch.zeros_like(where), 1.0, 40.0, 16, 0.001, where)


@pytest.fixture(scope="module")
def noise() -> Stereo:
    return np.random.default_rng(0).normal(0.0, 0.1, (2, 14 * RATE)).astype(np.float32)


def test_noise_goes_through_the_levels_that_are_drawn(noise: Stereo) -> None:
    fader = fader_over(noise, 0.0, -12.0, 0.0)
    gains = moved(fader)
    asked = np.interp(fader.places, [GAP.start, (GAP.start + GAP.stop) / 2, GAP.stop], [0.0, -12.0, 0.0])
    assert float(fader(torch.zeros_like(gains))) > 1.0
    assert float(fader(gains)) < 0.02
    assert np.abs(gains.numpy()[0, 0] - asked).max() < 1.5


def test_it_is_a_gain_alike_on_both_channels_and_none_outside_of_the_gap(noise: Stereo) -> None:
    fader = fader_over(noise, 0.0, -12.0, 0.0)
    gains = moved(fader)
    faded = fader.faded(gains)[0].numpy()
    inside = slice(MARGIN, MARGIN + GAP.length)
    course = np.interp(np.linspace(0, 1, GAP.length), np.linspace(0, 1, len(fader.places)), gains.numpy()[0, 0])
    np.testing.assert_allclose(faded[:, inside], fader.audio[:, inside] * 10.0 ** (course / 20.0), rtol=1e-4)
    for outside in (slice(0, MARGIN), slice(MARGIN + GAP.length, None)):
        np.testing.assert_array_equal(faded[:, outside], fader.audio[:, outside])


def test_what_is_as_loud_as_it_should_be_is_left_alone(noise: Stereo) -> None:
    fader = fader_over(noise, 0.0, 0.0)
    assert float(fader(torch.zeros(1, 1, len(fader.places)))) < 0.02
    assert moved(fader).abs().max() < 1.0


def test_it_moves_no_faster_than_loudness_is_measured_but_in_a_short_gap(noise: Stereo) -> None:
    long = fader_over(noise, 0.0, 0.0)
    assert np.diff(long.places) == pytest.approx(EVERY, rel=0.05)
    short = Fader(Span(0, RATE // 2), long.timeline, long.audio, long.moments, 1)
    assert np.diff(short.places) == pytest.approx(np.full(LEAST, RATE / 2 / LEAST))


def test_its_gradient_is_the_slope_of_its_loss(noise: Stereo) -> None:
    fader = fader_over(noise, -3.0, -6.0)
    gains = torch.full((1, 1, len(fader.places)), -1.0, requires_grad=True)
    fader(gains).backward()
    assert gains.grad is not None
    step = torch.zeros_like(gains)
    step[0, 0, 4] = 0.05
    with torch.no_grad():
        slope = float(fader(gains + step) - fader(gains - step)) / 0.1
    assert float(gains.grad[0, 0, 4]) == pytest.approx(slope, rel=0.02)


def test_stretches_that_are_heard_one_by_one_add_up_in_loss_and_gradient(noise: Stereo) -> None:
    fader = fader_over(noise, -3.0, -6.0)
    ((heard, objective),) = fader.moments
    twice = Fader(GAP, fader.timeline, fader.audio, ((heard, objective), (heard, objective)), 2)
    gains = [torch.full((1, 1, len(fader.places)), -1.0, requires_grad=True) for _ in range(2)]
    losses = [each(own) for each, own in zip((fader, twice), gains, strict=True)]
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(gains[0].grad, gains[1].grad)
