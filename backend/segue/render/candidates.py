"""The candidates for a gap: recalled, generated, or both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.clip.clip import MODEL_RATE
from segue.clip.janssen import MAX_SECONDS, interpolate
from segue.clip.span import Span
from segue.errors import NonFinite
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.prior.contract import Codec, Denoiser
from segue.recall.donors import DonorPair
from segue.recall.loop import find_loop, looped
from segue.recall.song import HARD_DB, Song
from segue.recall.splice import donor_audio, splice
from segue.render.crossing import Crossing
from segue.render.generate import Guidance, SampleSettings, posterior_mean, sample_latents
from segue.render.progress import Progression
from segue.render.scene import DonorWindow, Scene, cut, encode, make_scene, paste, widened, with_consensus
from segue.render.sound import MARGIN, Sound, decode, recalled, shape, tempered
from segue.render.windows import Layout, WindowRange
from segue.sampling.contract import Latents
from segue.sampling.isolate import sample_each
from segue.style.ear import Ear
from segue.style.steering import Steering
from segue.tasks.plan import Region, Stereo

DONOR_SECONDS = 0.3
"""Gaps over this look for donors."""

DISTILLED = ("pingpong",)
"""Samplers of priors that answer noise with a sample, not with a mean."""

UNASKED = -2.5
"""Credit of what needs no prior: it is not what was asked for, and goes first only where that is plainly worse."""

SHAPED = 1.0
"""Credit of the cross-fade that is shaped over units between both tracks: on 74 pairs these kept less to the beat and
to an even course, and sounded less like music.
"""

MOSAICS = ("mean", "generated", "regenerated splice", "regenerated", "steered")
"""Methods whose sound is a mosaic; the others' is the song's own, and not wanted where another song is to sound."""

VOUCHED = 0.1
"""Credit of a splice for each dB by which its donors fit better than those of a song that can hardly be recalled."""

SPLICE_FREEDOM = Freedom(Curve.constant(0.7))
"""How far a regenerated splice may leave the splice."""


@dataclass(frozen=True)
class Expected:
    """What the prior takes a gap for on average: the posterior mean, in the latents of a scene; None where no one
    knows.
    """

    scene: Scene
    mean: Latents | None


@dataclass(frozen=True)
class Candidate:
    """One way to fill a gap: ``audio`` (2, gap + 2 MARGIN) at reference level; ``method`` and ``how`` it is made.

    ``expected``: what the prior expects there, which ranks candidates; None where it was not asked. ``credit``: what
    speaks for it before it is heard.
    """

    method: str
    audio: Stereo
    how: str
    seed: int | None = None
    expected: Expected | None = None
    credit: float = 0.0


@dataclass(frozen=True)
class Studio:
    """What candidates are made with: the song, the bundle's parts and how to sample.

    ``guidance``: a guide of one's own, which knows no scene. ``steering``: a wish, for which each gap has its ``ear``.
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


def is_short(region: Region) -> bool:
    """Whether a gap is one that is interpolated and needs no network."""
    return region.x_bar is None and region.gap.length <= MAX_SECONDS * MODEL_RATE


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
    """For a gap nothing is known of: splice, posterior mean, samples from noise, and samples from the noised splice.

    With a wish: the splice as it is, and guided samples, each as the song's units and as the splice, both shaped to it.
    """
    gap, progress = region.gap, studio.progress
    scene = prepare(studio, region, pair, None)
    with progress.stage("sample"):
        foretold = studio.foretells
        mean = posterior_mean(studio.denoiser, scene, studio.sampling, seeds[0]) if foretold else None
    expected = Expected(scene, mean)
    spliced = None
    if pair is not None:
        with progress.stage("recall"):
            spliced, switch = splice(studio.song, pair, gap, MARGIN)
        how = "one place of the song" if pair.left == pair.right else f"switched {switch / MODEL_RATE:.2f} s in"
        credit = VOUCHED * max(0.0, HARD_DB - pair.distance_db)
        if pair.period is not None:
            how = f"contexts looped every {pair.period / MODEL_RATE:.3f} s, {how}"
            credit = 0.0  # the song does not vouch for a loop
        if studio.asks_for_more:
            credit = 0.0  # the song vouches for what stood here, which is not what is asked for
        if studio.wants("splice"):
            yield Candidate("splice", spliced, how, None, expected, credit)
    if studio.ear is not None:
        yield from _steered(studio, region, expected, pair, seeds)
        return
    sounds = studio.codec.needs_excitation  # what a decoder makes of a mean is dull
    if mean is not None and sounds and studio.guidance is None and studio.wants("mean"):  # it knows nothing of a guide
        yield _sounded(studio, region, expected, mean, "mean", seeds[0])
    if studio.wants("generated"):
        yield from _sampled(studio, region, expected, "generated", seeds, None)
    if spliced is not None and studio.wants("regenerated splice"):
        inner = spliced[:, MARGIN : MARGIN + gap.length]
        begun = replace(expected, scene=replace(scene, x_bar=prepare(studio, region, None, inner).x_bar))
        yield from _sampled(studio, region, begun, "regenerated splice", seeds[:1], SPLICE_FREEDOM)


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
    heard = _excitation(studio, scene, gap, scene.x_bar, original)
    latents, failures = _latents(studio, scene, seeds, region.freedom, studio.guide(scene, heard))
    for index, seed in enumerate(seeds):
        if index in failures:
            yield failures[index]
            continue
        item = latents[index]
        if studio.codec.needs_excitation and studio.wants("reshaped"):
            with studio.progress.stage("decode"):
                made = _reshaped(studio, scene, gap, item, original)
            yield Candidate("reshaped", made.audio, made.how, seed)
        own_alone = region.own_sound and studio.codec.needs_excitation and studio.method is None
        if studio.wants("regenerated") and song.units.known and (studio.transfers or not own_alone):
            with studio.progress.stage("decode"):
                made = _voiced(studio, scene, gap, item)
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
        heard = _excitation(studio, begun, gap, begun.x_bar, original)
        latents, failures = _latents(studio, begun, seeds, region.freedom, studio.guide(begun, heard))
        yield from failures.values()
        for index, item in latents.items():
            with studio.progress.stage("decode"):
                make = _reshaped(studio, begun, gap, item, original) if shaped else _voiced(studio, begun, gap, item)
                inner = make.audio[:, MARGIN : MARGIN + gap.length]
                fitted = between(song, gap, crossing.levelled(inner) if shaped else crossing.woven(inner))
            how, credit = (make.how, SHAPED) if shaped else (f"{make.how}, between both tracks", 0.0)
            yield Candidate(method, fitted, how, seeds[index], credit=credit)


def _steered(
    studio: Studio, region: Region, expected: Expected, pair: DonorPair | None, seeds: tuple[int, ...]
) -> Iterator[Candidate | NonFinite]:
    """Guided samples, heard as the recalled sound shaped to them: as that, and as the song's units shaped to them."""
    assert studio.ear is not None
    scene, gap = expected.scene, region.gap
    excitation = _excitation(studio, scene, gap, expected.mean, recalled(studio.song, gap, pair))
    latents, failures = _latents(studio, scene, seeds, None, studio.guide(scene, excitation))
    for index, seed in enumerate(seeds):
        if index in failures:
            yield failures[index]
            continue
        item = latents[index]
        if studio.wants("steered"):
            with studio.progress.stage("decode"):
                made = _voiced(studio, scene, gap, item)
            yield Candidate("steered", made.audio, made.how, seed, expected)
        again = index > 0 and studio.ear.is_measured  # the samples have no part in it
        if studio.codec.needs_excitation and studio.wants("steered splice") and not again:
            with studio.progress.stage("decode"):
                made = _as_wished(studio, scene, gap, item, excitation)
            yield Candidate("steered splice", made.audio, made.how, seed, expected)


def _excitation(studio: Studio, scene: Scene, gap: Span, likely: Latents | None, own: Sound) -> Sound:
    """What an ear hears samples with: the song's ``own`` sound, or another song's units, along ``likely`` latents."""
    if studio.ear is None or likely is None or not studio.transfers:
        return own
    return decode(likely, scene, studio.song, gap, studio.codec)


def _voiced(studio: Studio, scene: Scene, gap: Span, latents: Latents) -> Sound:
    """The latents as sound. The mosaic, which looks for the nearest sound of the song, undoes most of a wish: where
    there is one, what it made is shaped once more.
    """
    made = decode(latents, scene, studio.song, gap, studio.codec)
    if studio.ear is None:
        return made
    return _as_wished(studio, scene, gap, latents, made)


def _as_wished(studio: Studio, scene: Scene, gap: Span, latents: Latents, made: Sound) -> Sound:
    """Sound as it is wished for; its spectrum is left alone where a fader does all that is asked, or it was decoded."""
    assert studio.ear is not None
    if studio.ear.is_faded or not studio.codec.needs_excitation:
        return studio.ear.levelled(made)
    return _reshaped(studio, scene, gap, _course(studio, scene, gap, latents, made), made)


def _course(studio: Studio, scene: Scene, gap: Span, latents: Latents, made: Sound) -> Latents:
    """What recalled sound is shaped to: the samples where a network was pleased by them, else its own course, from
    which formulas find their way alone: shaping to samples costs more of what makes it music than it gains.
    """
    assert studio.ear is not None
    if not studio.ear.is_measured:
        return latents
    span, margin = widened(scene.layout, studio.codec)
    audio = cut(studio.song.audio[:, : studio.song.timeline], span)
    paste(audio, span, made.audio, Span(gap.start - MARGIN, gap.stop + MARGIN))
    return encode(studio.codec, audio[None], margin)


def _reshaped(studio: Studio, scene: Scene, gap: Span, latents: Latents, excitation: Sound) -> Sound:
    """``excitation`` with the latents' spectrum, its features as they are wished for."""
    ear = studio.ear
    if ear is not None:
        latents = ear.settled(latents, scene, studio.codec, excitation)
    made = shape(latents, scene, studio.song, gap, excitation, studio.codec)
    return made if ear is None else ear.levelled(made)


def _latents(
    studio: Studio, scene: Scene, seeds: tuple[int, ...], freedom: Freedom | None, guidance: Guidance | None
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
            guidance=guidance,
            callback=studio.progress.sampling,
        )

    with studio.progress.stage("sample"):
        return sample_each(run, len(seeds))


def _sampled(
    studio: Studio, region: Region, expected: Expected, method: str, seeds: tuple[int, ...], freedom: Freedom | None
) -> Iterator[Candidate | NonFinite]:
    latents, failures = _latents(studio, expected.scene, seeds, freedom, studio.guidance)
    for index, seed in enumerate(seeds):
        if index in failures:
            yield failures[index]
        else:
            yield _sounded(studio, region, expected, latents[index], method, seed)


def _sounded(studio: Studio, region: Region, expected: Expected, latents: Latents, method: str, seed: int) -> Candidate:
    with studio.progress.stage("decode"):
        scene = expected.scene
        made = decode(latents, scene, studio.song, region.gap, studio.codec)
        asked = studio.guidance is not None or studio.asks_for_more or studio.transfers
        if expected.mean is not None and not asked:
            made = tempered(made, scene, expected.mean, studio.song, region.gap, studio.codec)
    return Candidate(method, made.audio, made.how, seed, expected)


def donors_for(song: Song, gap: Span, turn: int = 0) -> DonorPair | None:
    """Donors where the gap is long enough to want them."""
    return song.donors(gap, turn) if gap.length > DONOR_SECONDS * MODEL_RATE else None


def recall(song: Song, gap: Span, turn: int = 0) -> tuple[Song, DonorPair | None]:
    """The gap's donors and the song they are in: where it has no room for any, the song with looped contexts.

    ``turn``: whose of the donors that are as good, see :meth:`segue.recall.song.Song.donors`.
    """
    pair = donors_for(song, gap, turn)
    if pair is not None or gap.length <= DONOR_SECONDS * MODEL_RATE:
        return song, pair
    loop = find_loop(song, gap)
    return (song, None) if loop is None else looped(song, gap, loop)
