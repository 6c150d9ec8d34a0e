"""The candidates for a gap nothing is known of: recalled, generated, or both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from segue.clip.clip import MODEL_RATE
from segue.clip.janssen import MAX_SECONDS, interpolate
from segue.clip.span import Span
from segue.errors import NonFinite
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.recall.donors import DonorPair
from segue.recall.song import HARD_DB
from segue.recall.splice import splice
from segue.render.generate import posterior_mean
from segue.render.scene import Scene
from segue.render.sound import MARGIN, decode, recalled, tempered
from segue.render.studio import Studio, Turn, between, prepare
from segue.render.voicing import as_wished, excitation_for, sampled, voiced
from segue.sampling.contract import Latents
from segue.tasks.plan import Region, Stereo

UNASKED = -2.5
"""Credit of what was not asked for: what needs no prior where one is wanted, a splice that a smaller seed has given.
It goes first only where all else is plainly worse.
"""

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


def infilled(studio: Studio, region: Region, turns: Sequence[Turn]) -> Iterator[Candidate | NonFinite]:
    """For a gap nothing is known of: splice, posterior mean, samples from noise, and samples from the noised splice.

    Seeds hear the donors of their turn; the mean and what starts from the splice are of the first turn alone. With a
    wish: the splice as it is, and guided samples, each as the song's units and as the splice, both shaped to it.
    """
    ranks: Expected | None = None
    for turn in turns:
        foretold = _foretold(studio, region, turn)
        ranks = ranks or foretold
        spliced = None
        if turn.pair is not None:
            with studio.progress.stage("recall"):
                spliced = replace(_spliced(studio, region.gap, turn.pair), seed=turn.seeds[0], expected=ranks)
            if studio.wants("splice"):
                yield spliced
        if studio.ear is not None:
            yield from _steered(studio, region, foretold, ranks, turn)
            continue
        if ranks is foretold:
            yield from _mean(studio, region, foretold, turn.seeds[0])
        if studio.wants("generated"):
            yield from _sampled(studio, region, foretold, ranks, "generated", turn.seeds, None)
        if ranks is foretold and spliced is not None and studio.wants("regenerated splice"):
            inner = spliced.audio[:, MARGIN : MARGIN + region.gap.length]
            scene = replace(foretold.scene, x_bar=prepare(studio, region, None, inner).x_bar)
            begun, seeds = replace(foretold, scene=scene), turn.seeds[:1]
            yield from _sampled(studio, region, begun, begun, "regenerated splice", seeds, SPLICE_FREEDOM)


def _foretold(studio: Studio, region: Region, turn: Turn) -> Expected:
    """What the prior expects of the gap, told of the turn's donors."""
    scene = prepare(studio, region, turn.pair, None)
    with studio.progress.stage("sample"):
        if not studio.foretells:
            return Expected(scene, None)
        return Expected(scene, posterior_mean(studio.denoiser, scene, studio.sampling, turn.seeds[0]))


def _spliced(studio: Studio, gap: Span, pair: DonorPair) -> Candidate:
    """The splice of two donors, and what the song vouches for it."""
    audio, switch = splice(studio.song, pair, gap, MARGIN)
    how = "one place of the song" if pair.left == pair.right else f"switched {switch / MODEL_RATE:.2f} s in"
    credit = VOUCHED * max(0.0, HARD_DB - pair.distance_db)
    if pair.period is not None:
        how = f"contexts looped every {pair.period / MODEL_RATE:.3f} s, {how}"
        credit = 0.0  # the song does not vouch for a loop
    if studio.asks_for_more:
        credit = 0.0  # the song vouches for what stood here, which is not what is asked for
    if pair.lap:
        how, credit = f"{how}, as before", UNASKED
    return Candidate("splice", audio, how, credit=credit)


def _mean(studio: Studio, region: Region, foretold: Expected, seed: int) -> Iterator[Candidate]:
    """The mean as the song sounds it: what a decoder makes of one is dull, and it knows nothing of a guide."""
    sounds = studio.codec.needs_excitation and studio.guidance is None
    if foretold.mean is not None and sounds and studio.wants("mean"):
        yield _sounded(studio, region, foretold, foretold, foretold.mean, "mean", seed)


def _steered(
    studio: Studio, region: Region, foretold: Expected, ranks: Expected, turn: Turn
) -> Iterator[Candidate | NonFinite]:
    """Guided samples, heard as the recalled sound shaped to them: as that, and as the song's units shaped to them."""
    assert studio.ear is not None
    scene, gap, seeds = foretold.scene, region.gap, turn.seeds
    excitation = excitation_for(studio, scene, gap, foretold.mean, recalled(studio.song, gap, turn.pair))
    latents, failures = sampled(studio, scene, seeds, None, studio.guide(scene, excitation))
    for index, seed in enumerate(seeds):
        if index in failures:
            yield failures[index]
            continue
        item = latents[index]
        if studio.wants("steered"):
            with studio.progress.stage("decode"):
                made = voiced(studio, scene, gap, item)
            yield Candidate("steered", made.audio, made.how, seed, ranks)
        again = index > 0 and studio.ear.is_measured  # the samples have no part in it
        if studio.codec.needs_excitation and studio.wants("steered splice") and not again:
            with studio.progress.stage("decode"):
                made = as_wished(studio, scene, gap, item, excitation)
            yield Candidate("steered splice", made.audio, made.how, seed, ranks)


def _sampled(
    studio: Studio,
    region: Region,
    foretold: Expected,
    ranks: Expected,
    method: str,
    seeds: tuple[int, ...],
    freedom: Freedom | None,
) -> Iterator[Candidate | NonFinite]:
    latents, failures = sampled(studio, foretold.scene, seeds, freedom, studio.guidance)
    for index, seed in enumerate(seeds):
        if index in failures:
            yield failures[index]
        else:
            yield _sounded(studio, region, foretold, ranks, latents[index], method, seed)


def _sounded(
    studio: Studio, region: Region, foretold: Expected, ranks: Expected, latents: Latents, method: str, seed: int
) -> Candidate:
    """Latents as the song sounds them, near to what was ``foretold``; ``ranks``: what all takes are ranked by."""
    with studio.progress.stage("decode"):
        scene = foretold.scene
        made = decode(latents, scene, studio.song, region.gap, studio.codec)
        asked = studio.guidance is not None or studio.asks_for_more or studio.transfers
        if foretold.mean is not None and not asked:
            made = tempered(made, scene, foretold.mean, studio.song, region.gap, studio.codec)
    return Candidate(method, made.audio, made.how, seed, ranks)
