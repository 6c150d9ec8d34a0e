"""The candidates where something is known of the gap: its own sound, or two tracks that cross in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from segue.errors import NonFinite
from segue.recall.donors import DonorPair
from segue.render.candidates import UNASKED, Candidate
from segue.render.crossing import Crossing
from segue.render.scene import Scene
from segue.render.sound import MARGIN, Sound
from segue.render.studio import Studio, between, prepare
from segue.render.voicing import excitation_for, reshaped, sampled, voiced
from segue.tasks.plan import Region

SHAPED = 1.0
"""Credit of the cross-fade that is shaped over units between both tracks: on 74 pairs these kept less to the beat and
to an even course, and sounded less like music.
"""


def varied(
    studio: Studio, region: Region, pair: DonorPair | None, seeds: tuple[int, ...]
) -> Iterator[Candidate | NonFinite]:
    """From x_bar: its own sound shaped to the sampled course, and the song's units where they are wanted too."""
    assert region.x_bar is not None
    gap, song = region.gap, studio.song
    x_bar = (region.x_bar * np.float32(song.gain)).astype(np.float32)
    scene = prepare(studio, region, pair, x_bar)
    original = Sound(between(song, gap, x_bar), "the original")
    for name, audio in region.made:
        if studio.wants(name):
            as_made = between(song, gap, (audio * np.float32(song.gain)).astype(np.float32))
            yield Candidate(name, as_made, "as it is", credit=UNASKED)
    crossing = Crossing.of(region, song)
    if crossing is not None:
        yield from _crossed(studio, region, scene, crossing, seeds)
        return
    heard = excitation_for(studio, scene, gap, scene.x_bar, original)
    latents, failures = sampled(studio, scene, seeds, region.freedom, studio.guide(scene, heard))
    for index, seed in enumerate(seeds):
        if index in failures:
            yield failures[index]
            continue
        item = latents[index]
        if studio.codec.needs_excitation and studio.wants("reshaped"):
            with studio.progress.stage("decode"):
                made = reshaped(studio, scene, gap, item, original)
            yield Candidate("reshaped", made.audio, made.how, seed)
        own_alone = region.own_sound and studio.codec.needs_excitation and studio.method is None
        if studio.wants("regenerated") and song.units.known and (studio.transfers or not own_alone):
            with studio.progress.stage("decode"):
                made = voiced(studio, scene, gap, item)
            yield Candidate("regenerated", made.audio, made.how, seed)


def _crossed(
    studio: Studio, region: Region, scene: Scene, crossing: Crossing, seeds: tuple[int, ...]
) -> Iterator[Candidate | NonFinite]:
    """Where tracks cross: the song's units, between both tracks; and the cross-fade, shaped to samples from an even
    course. Units that follow that course, which is neither track's, measure worse; so does the cross-fade shaped to
    samples from its own.
    """
    song, gap = studio.song, region.gap
    original = Sound(between(song, gap, crossing.faded), "the cross-fade")
    for method in ("regenerated", "reshaped"):
        shaped = method == "reshaped"
        if not studio.wants(method) or not (studio.codec.needs_excitation if shaped else song.units.known):
            continue
        timeline = song.audio[:, : song.timeline]
        begun = replace(scene, x_bar=crossing.course(scene, studio.codec, timeline, gap)) if shaped else scene
        heard = excitation_for(studio, begun, gap, begun.x_bar, original)
        latents, failures = sampled(studio, begun, seeds, region.freedom, studio.guide(begun, heard))
        yield from failures.values()
        for index, item in latents.items():
            with studio.progress.stage("decode"):
                make = reshaped(studio, begun, gap, item, original) if shaped else voiced(studio, begun, gap, item)
                inner = make.audio[:, MARGIN : MARGIN + gap.length]
                fitted = between(song, gap, crossing.levelled(inner) if shaped else crossing.woven(inner))
            how, credit = (make.how, SHAPED) if shaped else (f"{make.how}, between both tracks", 0.0)
            yield Candidate(method, fitted, how, seeds[index], credit=credit)
