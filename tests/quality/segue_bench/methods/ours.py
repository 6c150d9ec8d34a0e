"""Segue: what a musician gets, and the parts it is chosen from, one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from segue.errors import InvalidRequest
from segue.render.candidates import SPLICE_FREEDOM
from segue.render.generate import posterior_mean
from segue.render.region import render_region
from segue.render.settings import RenderSettings
from segue.render.sound import Sound, shape
from segue.render.studio import between
from segue_bench.methods.filling import ALL, GAPS, UNKNOWN, VARIED, Filling
from segue_bench.workbench import Made, Workbench, first_seed


@dataclass(frozen=True)
class Chosen:
    """The first of all takes, as the verbs return it."""

    candidates: int = 1
    steps: int | None = None

    def __call__(self, bench: Workbench, seed: int) -> Made:
        settings = RenderSettings(seed=first_seed(seed), candidates=self.candidates, steps=self.steps)
        studio = replace(bench.fresh, sampling=bench.renderer.sampling(settings), candidates=self.candidates)
        best = render_region(studio, bench.region, bench.renderer.seeds(settings)).takes[0]
        return Made(best.audio, f"{best.method}: {best.how}")


@dataclass(frozen=True)
class Generated:
    """One sample of the prior, sounded by the mosaic; ``sampler`` and ``steps`` None for the bundle's own."""

    sampler: str | None = None
    steps: int | None = None
    conditioned: bool = True

    def __call__(self, bench: Workbench, seed: int) -> Made:
        own = bench.renderer.sampling(RenderSettings(sampler=self.sampler, steps=self.steps))
        return bench.sounded(bench.sample(replace(own, conditioned=self.conditioned), seed))


def _mean(bench: Workbench, seed: int) -> Made:
    studio = bench.studio
    return bench.sounded(posterior_mean(studio.denoiser, bench.scene, studio.sampling, first_seed(seed)))


def _regenerated_splice(bench: Workbench, seed: int) -> Made:
    settings = bench.studio.sampling
    return bench.sounded(bench.sample(settings, seed, scene=bench.spliced_scene, freedom=SPLICE_FREEDOM))


def _reshaped(bench: Workbench, seed: int) -> Made:
    """The sample's course given to x_bar's own sound."""
    x_bar, codec, song, gap = bench.region.x_bar, bench.studio.codec, bench.song, bench.gap
    if x_bar is None or not codec.needs_excitation:
        raise InvalidRequest("reshaping needs something to start from and a codec that shapes: take another method")
    latents = bench.sample(bench.studio.sampling, seed)
    start = Sound(between(song, gap, bench.heard(x_bar)), "the original")
    return bench.joined(shape(latents, bench.scene, song, gap, start, codec))


OURS = (
    Filling("default", "what segue gives: all takes ranked, the first", Chosen(), ALL),
    Filling("default of 4", "the same with 4 candidates asked for", Chosen(4), GAPS),
    Filling("mean", "the posterior mean, one evaluation, sounded by the mosaic", _mean, UNKNOWN),
    Filling("generated-5", "one sample of the conditioned prior, 5 steps", Generated(steps=5), GAPS),
    Filling("generated-10", "one sample of the conditioned prior, 10 steps", Generated(steps=10), GAPS),
    Filling("generated-14", "one sample of the conditioned prior, 14 steps", Generated(steps=14), GAPS),
    Filling("generated-20", "one sample of the conditioned prior, 20 steps", Generated(steps=20), GAPS),
    Filling("ding-10", "delayed DING over the conditioned prior, 10 steps", Generated("ding", 10), GAPS),
    Filling("ding-20", "delayed DING over the conditioned prior, 20 steps", Generated("ding", 20), GAPS),
    Filling(
        "ding-20 unconditional",
        "delayed DING over the unconditional prior, 20 steps",
        Generated("ding", 20, conditioned=False),
        GAPS,
    ),
    Filling("regenerated splice", "a sample from the noised splice", _regenerated_splice, UNKNOWN),
    Filling("reshaped", "a sample from the noised original, given to the original's sound", _reshaped, VARIED),
)
