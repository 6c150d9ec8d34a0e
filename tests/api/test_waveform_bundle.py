"""The packaged bundle of the waveform class, by name, through the public API."""

from __future__ import annotations

import functools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from jaxtyping import Float32

import segue
from segue.clip.span import Span
from segue.guidance.guided import guided
from segue.guidance.objective import Objective
from segue.prior.codecs.stft import StftCodec
from segue.prior.runtime import SessionSettings
from segue.render.generate import SampleSettings, kept_context, sample_latents
from segue.render.renderer import Renderer
from segue.render.studio import prepare
from segue.result import Result
from segue.tasks.infill import Infill
from tests.songs import loop_song

RATE = 44100
GAP = (2.5, 3.0)
SETTINGS = segue.RenderSettings(bundle="waveform", steps=3, candidates=1, method="generated")
Audio = Float32[np.ndarray, "2 samples"]


@functools.cache
def song() -> Audio:
    return loop_song(RATE, 6.0)


@functools.cache
def filled(seed: int = 0) -> Result:
    return segue.fill(song(), RATE, GAP, settings=replace(SETTINGS, seed=seed))


@functools.cache
def renderer() -> Renderer:
    return Renderer("waveform", SessionSettings(threads=1))


def test_it_fills_a_gap_and_touches_nothing_else() -> None:
    start, stop = (round(t * RATE) for t in GAP)
    audio = filled().audio
    assert audio[:, :start].tobytes() == song()[:, :start].tobytes()
    assert audio[:, stop:].tobytes() == song()[:, stop:].tobytes()
    made, around = audio[:, start:stop], song()[:, start:stop]
    assert 0.05 < float(np.sqrt((made**2).mean()) / np.sqrt((around**2).mean())) < 5.0


def test_the_same_seed_gives_the_same_samples_and_another_gives_others() -> None:
    again = segue.fill(song(), RATE, GAP, settings=SETTINGS)
    assert again.audio.tobytes() == filled().audio.tobytes()
    assert filled(10).audio.tobytes() != filled().audio.tobytes()


def test_it_is_of_the_waveform_class() -> None:
    bundle = renderer().bundle
    assert bundle.manifest.kind == "waveform"
    assert isinstance(bundle.codec(), StftCodec)
    assert not bundle.codec().needs_excitation


def test_the_gradient_through_the_network_is_that_of_finite_differences() -> None:
    channels, frames = renderer().bundle.manifest.channels, 8
    generator = torch.Generator().manual_seed(0)
    x_t, context, direction, weight = (torch.randn(1, channels, frames, generator=generator) for _ in range(4))
    mask = torch.zeros(1, 1, frames)
    mask[..., :3] = 1.0
    prior = renderer().denoiser.bind({"mask": mask, "context": context * mask})
    t = torch.tensor([0.7])

    def loss(at: torch.Tensor) -> torch.Tensor:
        return (prior(at, t) * weight).double().sum()

    (gradient,) = torch.autograd.grad(loss(x_t.requires_grad_()), x_t)
    with torch.no_grad():
        slope = (loss(x_t + 1e-2 * direction) - loss(x_t - 1e-2 * direction)) / 2e-2
    assert float((gradient * direction).sum()) == pytest.approx(float(slope), rel=1e-2)


@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
def test_the_papers_algorithms_run_on_it_without_conditioning(sampler: str) -> None:
    gap = Span(*(round(t * RATE) for t in GAP))
    plan = Infill((gap,)).plan([song()])
    studio = renderer().studio(plan, SETTINGS)
    scene = prepare(studio, plan.regions[0], None, None)
    guidance = partial(guided, objective=Objective((kept_context(scene, 1),)), xi=3e-3)
    settings = SampleSettings(sampler, 3, conditioned=False)
    latents = sample_latents(renderer().denoiser, scene, settings, (0,), guidance=guidance)
    unguided = sample_latents(renderer().denoiser, scene, settings, (0,))
    assert torch.equal(latents * scene.mask, scene.context * scene.mask)
    assert bool(torch.isfinite(latents).all()) and not torch.equal(latents, unguided)
