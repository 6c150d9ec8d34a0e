"""The candidates for a gap: recalled, generated, or both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.clip.clip import MODEL_RATE
from segue.clip.janssen import interpolate
from segue.clip.span import Span
from segue.errors import NonFinite
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.prior.contract import Codec, Denoiser
from segue.recall.donors import DonorPair
from segue.recall.loop import find_loop, looped
from segue.recall.song import HARD_DB, Song
from segue.recall.splice import donor_audio, splice
from segue.render.generate import Guidance, SampleSettings, posterior_mean, sample_latents
from segue.render.progress import Progression
from segue.render.scene import DonorWindow, Scene, make_scene, widened
from segue.render.sound import MARGIN, Sound, decode, shape
from segue.render.windows import lay_out
from segue.sampling.contract import Latents
from segue.sampling.isolate import sample_each
from segue.tasks.plan import Region, Stereo

DONOR_SECONDS = 0.3
"""Gaps over this look for donors."""

SPLICE_FREEDOM = Freedom(Curve.constant(0.7))
"""How far a regenerated splice may leave the splice."""


@dataclass(frozen=True)
class Expected:
    """What the prior takes a gap for on average: the posterior mean, in the latents of a scene."""

    scene: Scene
    mean: Latents


@dataclass(frozen=True)
class Candidate:
    """One way to fill a gap: ``audio`` (2, gap + 2 MARGIN) at reference level; ``method`` and ``how`` it is made.

    ``expected``: what the prior expects there, which ranks candidates; None where it was not asked. ``credit``: dB by
    which donors fit better than those of a song that can hardly be recalled.
    """

    method: str
    audio: Stereo
    how: str
    seed: int | None = None
    expected: Expected | None = None
    credit: float = 0.0


@dataclass(frozen=True)
class Studio:
    """What candidates are made with: the song, the bundle's parts and how to sample."""

    song: Song
    denoiser: Denoiser
    codec: Codec
    window: int
    sampling: SampleSettings
    progress: Progression
    guidance: Guidance | None = None
    method: str | None = None

    def wants(self, method: str) -> bool:
        """Whether candidates of this method are asked for; all are, unless one is named."""
        return self.method in (None, method)


_CONTEXT_FRAMES = 20  # least latent frames beside a gap, about a second


def prepare(studio: Studio, region: Region, pair: DonorPair | None, x_bar: Stereo | None) -> Scene:
    """The region in latent space; ``x_bar`` (2, gap) at the reference level."""
    codec, song, gap = studio.codec, studio.song, region.gap
    layout = lay_out(gap, codec.token, studio.window, min(_CONTEXT_FRAMES, studio.window // 4))
    donors = None
    if pair is not None:
        donors = DonorWindow(*donor_audio(song, pair, gap, widened(layout, codec)[0]))
    timeline = song.audio[:, : song.timeline]
    return make_scene(layout, codec, timeline, song.blocked, donors, x_bar, gap)


def interpolated(studio: Studio, region: Region) -> Candidate:
    """Janssen's autoregressive interpolation; needs no network."""
    song, gap = studio.song, region.gap
    before, after = song.context(gap, MODEL_RATE)
    known = Span(gap.start - before.shape[1], gap.stop + after.shape[1])
    middle = interpolate(song.audio[:, : song.timeline], MODEL_RATE, gap, known=known)
    return Candidate("janssen", between(song, gap, middle), "autoregressive interpolation")


def between(song: Song, gap: Span, middle: Stereo) -> Stereo:
    """``middle`` (2, gap) with what is known within MARGIN on both sides of it, zero where nothing is."""
    audio = np.zeros((2, gap.length + 2 * MARGIN), np.float32)
    before, after = song.context(gap, MARGIN)
    audio[:, MARGIN - before.shape[1] : MARGIN] = before
    audio[:, MARGIN : MARGIN + gap.length] = middle
    audio[:, MARGIN + gap.length : MARGIN + gap.length + after.shape[1]] = after
    return audio


def infilled(
    studio: Studio, region: Region, pair: DonorPair | None, seeds: tuple[int, ...]
) -> Iterator[Candidate | NonFinite]:
    """For a gap nothing is known of: splice, posterior mean, samples from noise, and samples from the noised splice."""
    gap, progress = region.gap, studio.progress
    scene = prepare(studio, region, pair, None)
    with progress.stage("sample"):
        expected = Expected(scene, posterior_mean(studio.denoiser, scene, studio.sampling, seeds[0]))
    spliced = None
    if pair is not None:
        with progress.stage("recall"):
            spliced, switch = splice(studio.song, pair, gap, MARGIN)
        how = "one place of the song" if pair.left == pair.right else f"switched {switch / MODEL_RATE:.2f} s in"
        credit = max(0.0, HARD_DB - pair.distance_db)
        if pair.period is not None:
            how = f"contexts looped every {pair.period / MODEL_RATE:.3f} s, {how}"
            credit = 0.0  # the song does not vouch for a loop
        if studio.wants("splice"):
            yield Candidate("splice", spliced, how, None, expected, credit)
    if studio.guidance is None and studio.wants("mean"):  # the mean knows nothing of a guide
        yield _sounded(studio, region, expected, expected.mean, "mean", seeds[0])
    if studio.wants("generated"):
        yield from _sampled(studio, region, expected, "generated", seeds, None)
    if spliced is not None and studio.wants("regenerated splice"):
        inner = spliced[:, MARGIN : MARGIN + gap.length]
        begun = replace(expected, scene=replace(scene, x_bar=prepare(studio, region, None, inner).x_bar))
        yield from _sampled(studio, region, begun, "regenerated splice", seeds[:1], SPLICE_FREEDOM)


def varied(
    studio: Studio, region: Region, pair: DonorPair | None, seeds: tuple[int, ...]
) -> Iterator[Candidate | NonFinite]:
    """From x_bar (regenerate, transition): its own sound shaped to the sampled course, and the song's units."""
    assert region.x_bar is not None
    gap, song = region.gap, studio.song
    x_bar = (region.x_bar * np.float32(song.gain)).astype(np.float32)
    scene = prepare(studio, region, pair, x_bar)
    latents, failures = _latents(studio, scene, seeds, region.freedom)
    original = Sound(between(song, gap, x_bar), "the original")
    for index, seed in enumerate(seeds):
        if index in failures:
            yield failures[index]
            continue
        item = latents[index]
        if studio.codec.needs_excitation and studio.wants("reshaped"):
            with studio.progress.stage("decode"):
                made = shape(item, scene, song, gap, original, studio.codec)
            yield Candidate("reshaped", made.audio, made.how, seed)
        if studio.wants("regenerated"):
            with studio.progress.stage("decode"):
                made = decode(item, scene, song, gap, studio.codec)
            yield Candidate("regenerated", made.audio, made.how, seed)


def _latents(
    studio: Studio, scene: Scene, seeds: tuple[int, ...], freedom: Freedom | None
) -> tuple[dict[int, Latents], dict[int, NonFinite]]:
    """Latents and failures by item, one for each seed; one that fails costs the others nothing."""

    def run(items: Sequence[int]) -> Latents:
        chosen = [seeds[i] for i in items]
        return sample_latents(
            studio.denoiser,
            scene,
            studio.sampling,
            chosen,
            freedom=freedom,
            guidance=studio.guidance,
            callback=studio.progress.sampling,
        )

    with studio.progress.stage("sample"):
        return sample_each(run, len(seeds))


def _sampled(
    studio: Studio, region: Region, expected: Expected, method: str, seeds: tuple[int, ...], freedom: Freedom | None
) -> Iterator[Candidate | NonFinite]:
    latents, failures = _latents(studio, expected.scene, seeds, freedom)
    for index, seed in enumerate(seeds):
        if index in failures:
            yield failures[index]
        else:
            yield _sounded(studio, region, expected, latents[index], method, seed)


def _sounded(studio: Studio, region: Region, expected: Expected, latents: Latents, method: str, seed: int) -> Candidate:
    with studio.progress.stage("decode"):
        made = decode(latents, expected.scene, studio.song, region.gap, studio.codec)
    return Candidate(method, made.audio, made.how, seed, expected)


def donors_for(song: Song, gap: Span) -> DonorPair | None:
    """Donors where the gap is long enough to want them."""
    return song.donors(gap) if gap.length > DONOR_SECONDS * MODEL_RATE else None


def recall(song: Song, gap: Span) -> tuple[Song, DonorPair | None]:
    """The gap's donors and the song they are in: where it has no room for any, the song with looped contexts."""
    pair = donors_for(song, gap)
    if pair is not None or gap.length <= DONOR_SECONDS * MODEL_RATE:
        return song, pair
    loop = find_loop(song, gap)
    return (song, None) if loop is None else looped(song, gap, loop)
