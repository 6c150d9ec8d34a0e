"""Embedder and classifier guidance: the gap is to sound, to the guiding ear, as what really stands there.

The ear is musicnn with the MSD weights; the one that scores has others. It hears the latents through the codec's
decoder with a fixed excitation, the spliced donors, over the 3 s around the gap that the scores are of. What was
steered is sounded just as it was heard, and so is the same method without the wish, which stands beside it: the mosaic,
which looks for the nearest sound of the song, undoes most of what a wish asks for (one row shows it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from segue.clip.span import Span
from segue.guidance.curve import Curve
from segue.guidance.distances import L2, BinaryCrossEntropy
from segue.guidance.embedders.musicnn import MusicnnEmbedding, MusicnnTags
from segue.guidance.guided import guided
from segue.guidance.mean_step import Jitter, mean_step
from segue.guidance.objective import Objective, Term
from segue.guidance.operators.identity import Identity
from segue.render.generate import SampleSettings, kept_context
from segue.render.scene import cut
from segue.render.settings import RenderSettings
from segue.render.sound import SceneDecoder, bind_decoder, recalled, shape
from segue.sampling.contract import Latents
from segue.sampling.schedule import sigma
from segue_bench.contract import RATE
from segue_bench.methods.filling import STEERED, Filling
from segue_bench.methods.paper import STEPS, XI, paper_settings
from segue_bench.workbench import Made, Workbench, first_seed

HEARD = 3 * RATE
"""Samples centred on the gap that the ear hears."""


def ear_at(bench: Workbench) -> SceneDecoder:
    """What the ear hears of the case's latents.

    Raises:
        InvalidRequest: the scene is shorter than 3 s.
    """
    start = (bench.gap.start + bench.gap.stop - HEARD) // 2
    excitation = recalled(bench.song, bench.gap, bench.pair)
    span = Span(start, start + HEARD)
    return bind_decoder(bench.scene, bench.song, bench.gap, bench.studio.codec, excitation, span)


def wish(bench: Workbench, span: Span) -> Term:
    """The distance to what the ear makes of the original: L2 of embeddings, or the cross-entropy of its tags."""
    original = torch.from_numpy(bench.heard(cut(bench.case.original, span)))[None]
    if bench.case.task == "embedder":
        embedder = MusicnnEmbedding()
        return Term(Identity(), L2(), embedder(original), on="audio", embedder=embedder)
    tags = MusicnnTags()
    return Term(Identity(), BinaryCrossEntropy(), torch.sigmoid(tags(original)), on="audio", embedder=tags)


def as_heard(bench: Workbench, latents: Latents) -> Made:
    """The latents as the ear heard them, joined by the seam."""
    song, gap = bench.song, bench.gap
    return bench.joined(shape(latents, bench.scene, song, gap, recalled(song, gap, bench.pair), bench.studio.codec))


@dataclass(frozen=True)
class SteeredPaper:
    """Algorithm 1 or 2 over the unconditional prior, down L1 to the context and, if ``wished``, the wish, at ``xi``."""

    sampler: str
    steps: int = STEPS
    xi: float = XI
    wished: bool = True

    def __call__(self, bench: Workbench, seed: int) -> Made:
        ear = ear_at(bench)
        terms = (kept_context(bench.scene, 1), *((wish(bench, ear.span),) if self.wished else ()))
        guidance = partial(guided, objective=Objective(terms), xi=self.xi, decode=ear)
        return as_heard(bench, bench.sample(paper_settings(self.sampler, self.steps), seed, guidance=guidance))


@dataclass(frozen=True)
class MeanSteps:
    """Mean steps on x0_hat over the conditioned prior, RMS ``kappa`` sigma_t each, while t is above ``until``.

    The gradient is the mean of ``copies``, each moved by ``scale`` sigma_t of noise; ``mosaic``: sounded by the mosaic.
    """

    kappa: float = 0.05
    iterations: int = 1
    copies: int = 1
    scale: float = 0.1
    until: float = 0.5
    sampler: str = "ding"
    steps: int = 20
    mosaic: bool = False

    def __call__(self, bench: Workbench, seed: int) -> Made:
        ear, level = ear_at(bench), sigma(self.until)
        guidance = partial(
            mean_step,
            objective=Objective((wish(bench, ear.span),)),
            kappa=Curve(((level, 0.0), (level, self.kappa))),
            decode=ear,
            iterations=self.iterations,
            jitter=Jitter(self.copies, self.scale, [torch.Generator().manual_seed(first_seed(seed) + 1)]),
            where=1.0 - bench.scene.mask,
        )
        latents = bench.sample(_settings(bench, self.sampler, self.steps), seed, guidance=guidance)
        return bench.sounded(latents) if self.mosaic else as_heard(bench, latents)


@dataclass(frozen=True)
class ExactGradient:
    """The gradient through the conditioned denoiser, normalised: RMS ``kappa`` sigma_t over the gap."""

    kappa: float = 0.03
    sampler: str = "ding"
    steps: int = 20

    def __call__(self, bench: Workbench, seed: int) -> Made:
        ear = ear_at(bench)
        guidance = partial(
            guided,
            objective=Objective((wish(bench, ear.span),)),
            xi=self.kappa,
            decode=ear,
            normalise="item",
            where=1.0 - bench.scene.mask,
        )
        latents = bench.sample(_settings(bench, self.sampler, self.steps), seed, guidance=guidance)
        return as_heard(bench, latents)


@dataclass(frozen=True)
class Unsteered:
    """The same sampler with no wish, sounded the same way."""

    sampler: str = "ding"
    steps: int = 20

    def __call__(self, bench: Workbench, seed: int) -> Made:
        return as_heard(bench, bench.sample(_settings(bench, self.sampler, self.steps), seed))


def _settings(bench: Workbench, sampler: str, steps: int) -> SampleSettings:
    return bench.renderer.sampling(RenderSettings(sampler=sampler, steps=steps))


def _steered(name: str, about: str, fill: Callable[[Workbench, int], Made]) -> Filling:
    return Filling(name, about, fill, STEERED)


STEERED_PAPER = (
    _steered("ddpm-50 unsteered", "Algorithm 1 down L1 to the context alone", SteeredPaper("ddpm", wished=False)),
    _steered("ddpm-50 steered", "Algorithm 1 down L1 to the context and the wish", SteeredPaper("ddpm")),
    _steered("ddim-50 unsteered", "Algorithm 2 down L1 to the context alone", SteeredPaper("ddim", wished=False)),
    _steered("ddim-50 steered", "Algorithm 2 down L1 to the context and the wish", SteeredPaper("ddim")),
)

STEERED_OURS = (
    _steered("unsteered", "ding-20 over the conditioned prior, no wish", Unsteered()),
    _steered("mean step", "ding-20 with mean steps down the wish", MeanSteps()),
    _steered("mean step, mosaic", "the same, sounded by the mosaic", MeanSteps(mosaic=True)),
    _steered("exact gradient", "ding-20 with the gradient of the wish through the denoiser", ExactGradient()),
)
