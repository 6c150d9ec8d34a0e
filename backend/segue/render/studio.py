"""What the candidates for a gap are made with, and the donors they hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.prior.contract import Codec, Denoiser
from segue.recall.donors import DonorPair
from segue.recall.loop import find_loop, looped
from segue.recall.song import Song
from segue.recall.splice import donor_audio
from segue.render.generate import Guidance, SampleSettings
from segue.render.progress import Progression
from segue.render.scene import DonorWindow, Scene, make_scene, widened, with_consensus
from segue.render.sound import MARGIN, Sound
from segue.render.windows import Layout, WindowRange
from segue.style.ear import Ear
from segue.style.steering import Steering
from segue.tasks.plan import Region, Stereo

DONOR_SECONDS = 0.3
"""Gaps over this look for donors."""

DISTILLED = ("pingpong",)
"""Samplers of priors that answer noise with a sample, not with a mean."""

MOSAICS = ("mean", "generated", "regenerated splice", "regenerated", "steered")
"""Methods whose sound is a mosaic; the others' is the song's own, and not wanted where another song is to sound."""


@dataclass(frozen=True)
class Studio:
    """What candidates are made with: the song, the bundle's parts and how to sample.

    ``guidance``: a guide of one's own, which knows no scene. ``steering``: a wish, for which each gap has its ``ear``.
    ``candidates``: how many takes are asked for.
    """

    song: Song
    denoiser: Denoiser
    codec: Codec
    window: WindowRange
    sampling: SampleSettings
    progress: Progression
    guidance: Guidance | None = None
    method: str | None = None
    steering: Steering | None = None
    ear: Ear | None = None
    prompt: str | None = None
    candidates: int = 1

    @property
    def asks_for_more(self) -> bool:
        """Whether a wish goes beyond what stood there: then the song does not vouch for it."""
        return self.ear is not None or self.prompt is not None

    @property
    def foretells(self) -> bool:
        """Whether one evaluation from noise is what the prior expects on average: of one that hears its context, and
        that was not distilled to answer with a sample.
        """
        return "mask" in self.denoiser.inputs and self.sampling.sampler not in DISTILLED

    def guide(self, scene: Scene, excitation: Sound) -> Guidance | None:
        """What guides the samples of a scene; an ear hears them with ``excitation``."""
        return self.guidance if self.ear is None else self.ear.guidance(scene, self.codec, excitation)

    def wants(self, method: str) -> bool:
        """Whether candidates of this method are asked for; all are, unless one is named or another song sounds."""
        return self.method in (None, method) and (method in MOSAICS or not self.transfers)

    @property
    def transfers(self) -> bool:
        """Whether another song's units sound what is generated."""
        return self.song.sound is not None


@dataclass(frozen=True)
class Turn:
    """The ``seeds`` that hear the same donors; ``pair``: those, None where the song has none."""

    pair: DonorPair | None
    seeds: tuple[int, ...]


def recall(song: Song, gap: Span, seeds: Sequence[int] = (0,), candidates: int = 1) -> tuple[Song, tuple[Turn, ...]]:
    """The song the donors are in (where it has no room for any, the one with looped contexts), and each seed's donors.

    A seed says whose turn it is among those that are nearly as good (:meth:`segue.recall.song.Song.turns`): 0 the
    likeliest's. Seeds beyond as many as there are ``candidates`` were not asked for: they hear what the first hears.
    """
    if gap.length <= DONOR_SECONDS * MODEL_RATE:
        return song, (Turn(None, tuple(seeds)),)
    pairs = song.turns(gap, [seed if i < candidates else seeds[0] for i, seed in enumerate(seeds)])
    if pairs:
        heard = tuple(zip(seeds, pairs, strict=True))
        return song, tuple(Turn(pair, tuple(s for s, own in heard if own == pair)) for pair in dict.fromkeys(pairs))
    loop = find_loop(song, gap)
    if loop is None:
        return song, (Turn(None, tuple(seeds)),)
    again, pair = looped(song, gap, loop)
    return again, (Turn(pair, tuple(seeds)),)


def layout_of(studio: Studio, gap: Span) -> Layout:
    """The latent frames a gap is rendered in."""
    return studio.window.lay_out(gap, studio.codec.token)


def prepare(studio: Studio, region: Region, pair: DonorPair | None, x_bar: Stereo | None) -> Scene:
    """The region in latent space; ``x_bar`` (2, gap) at the reference level."""
    codec, song, gap = studio.codec, studio.song, region.gap
    layout = layout_of(studio, gap)
    donors = None
    if pair is not None:
        donors = DonorWindow(*donor_audio(song, pair, gap, widened(layout, codec)[0]))
    timeline = song.audio[:, : song.timeline]
    scene = make_scene(layout, codec, timeline, song.blocked, donors, x_bar, gap)
    if pair is None or pair.consensus is None or "consensus" not in studio.denoiser.inputs:
        return scene
    return with_consensus(scene, codec, song, gap, pair.consensus)


def between(song: Song, gap: Span, middle: Stereo) -> Stereo:
    """``middle`` (2, gap) with what is known within MARGIN on both sides of it, zero where nothing is."""
    audio = np.zeros((2, gap.length + 2 * MARGIN), np.float32)
    before, after = song.context(gap, MARGIN)
    audio[:, MARGIN - before.shape[1] : MARGIN] = before
    audio[:, MARGIN : MARGIN + gap.length] = middle
    audio[:, MARGIN + gap.length : MARGIN + gap.length + after.shape[1]] = after
    return audio
