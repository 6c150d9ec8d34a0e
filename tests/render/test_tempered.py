"""A take kept as near to what is expected as likely places of the song are to each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from segue.clip.span import Span
from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.recall.song import Song
from segue.render.scene import Scene, cut, encode, make_scene, paste, widened, with_consensus
from segue.render.sound import HOLES, MARGIN, PEAKS, Sound, tempered
from segue.render.windows import lay_out
from tests.recall.material import repeating

PERIOD = 2 * 44100 + 123
GAP = Span(5 * PERIOD, 5 * PERIOD + 44100)


@pytest.fixture(scope="module")
def codec() -> MelCodec:
    settings = MelSettings()
    return MelCodec(settings, torch.full((settings.bands,), -1.0), torch.full((settings.bands,), 1.0))


@pytest.fixture(scope="module")
def song(codec: MelCodec) -> Song:
    return Song.of(repeating(3, PERIOD, 10), [GAP], codec)


@pytest.fixture(scope="module")
def scene(codec: MelCodec, song: Song) -> Scene:
    """x_bar: what stood in the gap; every other period is a place for it."""
    x_bar = song.audio[:, GAP.start - PERIOD : GAP.stop - PERIOD]
    blank = make_scene(lay_out(GAP, codec.token, 96, 20), codec, song.audio, song.blocked, None, x_bar, GAP)
    pair = song.donors(GAP)
    assert pair is not None
    assert pair.consensus is not None
    return with_consensus(blank, codec, song, GAP, pair.consensus)


def heard(sound: Sound, scene: Scene, song: Song, codec: MelCodec) -> torch.Tensor:
    span, margin = widened(scene.layout, codec)
    audio = cut(song.audio, span)
    paste(audio, span, sound.audio, Span(GAP.start - MARGIN, GAP.stop + MARGIN))
    return encode(codec, audio[None], margin)


def apart(one: torch.Tensor, other: torch.Tensor, scene: Scene) -> float:
    """Mean difference over the unknown frames, dB (a standard deviation is 10)."""
    return float(10.0 * ((one - other).abs() * (1.0 - scene.mask)).sum() / (1.0 - scene.mask).sum() / one.shape[1])


def test_places_that_repeat_agree_on_what_stood_in_the_gap(scene: Scene) -> None:
    assert scene.consensus is not None
    assert scene.agreed is not None
    assert scene.spread is not None
    assert scene.x_bar is not None
    unknown = scene.mask < 0.5
    assert bool((scene.agreed[unknown] > 0.5).all())
    assert apart(scene.consensus, scene.x_bar, scene) < 2.0  # frames are up to half a hop away
    assert float(scene.spread[..., unknown[0, 0]].mean()) < 0.2


def test_what_sticks_out_comes_back_to_what_is_expected(codec: MelCodec, song: Song, scene: Scene) -> None:
    """The right music 12 dB too loud, of a song whose places agree: nearly all of the 12 dB are taken back."""
    assert scene.x_bar is not None
    start = GAP.start - PERIOD
    real = song.audio[:, start - MARGIN : start + GAP.length + MARGIN]
    loud = Sound(np.asarray(4.0 * real, np.float32), "too loud")
    before = apart(heard(loud, scene, song, codec), scene.x_bar, scene)
    made = tempered(loud, scene, scene.x_bar, song, GAP, codec)
    assert before > 10.0
    assert apart(heard(made, scene, song, codec), scene.x_bar, scene) < 2.5
    assert made.how == "too loud, kept likely"


def test_what_lies_within_the_spread_is_left_alone(codec: MelCodec, song: Song, scene: Scene) -> None:
    """Where places differ by more than the take does, gains are 0 dB: its own latents stay."""
    assert scene.x_bar is not None
    assert scene.spread is not None
    start = GAP.start - PERIOD + 700
    other = Sound(song.audio[:, start - MARGIN : start + GAP.length + MARGIN].copy(), "elsewhere")
    latents = heard(other, scene, song, codec)
    room = (latents - scene.x_bar).abs() / min(HOLES, PEAKS) + 0.1
    wide = replace(scene, spread=room)
    made = tempered(other, wide, scene.x_bar, song, GAP, codec)
    assert apart(heard(made, scene, song, codec), latents, scene) < 0.1


def test_without_likely_places_nothing_is_moved(codec: MelCodec, song: Song, scene: Scene) -> None:
    assert scene.x_bar is not None
    sound = Sound(np.ones((2, GAP.length + 2 * MARGIN), np.float32), "anything")
    alone = replace(scene, consensus=None, agreed=None, spread=None)
    assert tempered(sound, alone, scene.x_bar, song, GAP, codec) is sound
