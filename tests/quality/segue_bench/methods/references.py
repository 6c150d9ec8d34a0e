"""What the scores of the others are read against: the real gap, the ceiling of our sound, the floor, noise."""

from __future__ import annotations

import numpy as np
from numpy.random import default_rng

from segue.errors import InvalidRequest
from segue.prior.contract import REFERENCE_RMS
from segue.recall.blocked import clear_frames
from segue.recall.features import HOP
from segue.render.sound import Sound, bind_decoder, decode
from segue.sampling.contract import Latents
from segue_bench.methods.filling import ALL, Filling
from segue_bench.workbench import Made, Workbench


def _real(bench: Workbench, seed: int) -> Made:
    return Made(bench.case.truth.copy(), "the original")


def _true_latents(bench: Workbench) -> Latents:
    latents = bench.true_scene.x_bar
    assert latents is not None  # a scene made from audio has them
    return latents


def _round_trip(bench: Workbench, seed: int) -> Made:
    """The mosaic of the true latents, its spectrum moved to theirs."""
    latents, song, gap, codec = _true_latents(bench), bench.song, bench.gap, bench.studio.codec
    sound = decode(latents, bench.scene, song, gap, codec)
    if codec.needs_excitation:
        decoder = bind_decoder(bench.scene, song, gap, codec, sound)
        sound = Sound(decoder(latents)[0].numpy(), f"{sound.how}, gain")
    return bench.joined(sound)


def _true_mosaic(bench: Workbench, seed: int) -> Made:
    return bench.sounded(_true_latents(bench))


def _other(bench: Workbench, seed: int) -> Made:
    return Made(bench.case.other.copy(), "another track")


def _elsewhere(bench: Workbench, seed: int) -> Made:
    """As much of the song from any place of it: real music of the same kind, here by chance."""
    song, length = bench.song, bench.gap.length
    clear = clear_frames(song.samples // HOP, HOP, 0, length, song.samples, song.blocked)
    places = HOP * np.flatnonzero(clear)
    if not len(places):
        raise InvalidRequest("expected a place of the song as long as the gap, got none: give a longer song")
    start = int(default_rng(seed).choice(places))
    return bench.inside(song.audio[:, start : start + length].copy(), f"what stands at sample {start} of the song")


def _noise(bench: Workbench, seed: int) -> Made:
    white = default_rng(seed).standard_normal((2, bench.gap.length))
    return bench.inside((REFERENCE_RMS * white).astype(np.float32), "white noise")


REFERENCES = (
    Filling("real", "what really stands in the gap (transition: the cross-fade)", _real, ALL, seeded=False),
    Filling(
        "round trip",
        "the real gap encoded and decoded, mosaic and gain: the ceiling",
        _round_trip,
        ALL,
        seeded=False,
    ),
    Filling(
        "round trip, mosaic",
        "the real gap encoded and sounded as every sample is: the ceiling of a perfect prior",
        _true_mosaic,
        ALL,
        seeded=False,
    ),
    Filling("other", "as much of another held-out track: the floor", _other, ALL, seeded=False),
    Filling("elsewhere", "as much of the same track, from anywhere: what its diversity could be", _elsewhere, ALL),
    Filling("noise", "white noise at the song's level", _noise, ALL),
)
