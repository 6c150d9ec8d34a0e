"""A prior that is told nothing: what the network sees, and what holds the context instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

from segue.clip.span import Span
from segue.guidance.guided import guided
from segue.guidance.objective import Objective
from segue.prior.contract import Denoiser
from segue.render.generate import SampleSettings, kept_context, sample_latents
from segue.render.run import warm_renderer
from segue.render.scene import Scene
from segue.render.settings import RenderSettings
from segue.render.studio import Studio, prepare
from segue.sampling.contract import Prior, Step
from segue.sampling.noise import start_noise
from segue.sampling.schedule import alpha, sigma
from segue.tasks.infill import Infill
from tests.songs import loop_song

GAP = Span(6 * 44100, 7 * 44100)
TOLD = SampleSettings("ddim", 2)
UNTOLD = replace(TOLD, conditioned=False)


class Listening:
    """The denoiser itself; remembers what was bound."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser, self.inputs, self.device = denoiser, denoiser.inputs, denoiser.device
        self.bound: dict[str, Tensor] = {}

    def bind(self, conditioning: Mapping[str, Tensor]) -> Prior:
        self.bound = dict(conditioning)
        return self.denoiser.bind(conditioning)


@pytest.fixture(scope="module")
def studio() -> Studio:
    plan = Infill((GAP,)).plan([loop_song(44100, 12.0)])
    return warm_renderer(None).studio(plan, RenderSettings())


@pytest.fixture(scope="module")
def scene(studio: Studio) -> Scene:
    plan = Infill((GAP,)).plan([loop_song(44100, 12.0)])
    return prepare(studio, plan.regions[0], studio.song.donors(GAP), None)


def test_the_network_is_shown_zeros_for_all_it_takes(studio: Studio, scene: Scene) -> None:
    denoiser = Listening(studio.denoiser)
    sample_latents(denoiser, scene, TOLD, (0,))
    assert set(denoiser.bound) == {"mask", "context", "donors", "presence", "consensus", "agreed"}
    shapes = {name: tensor.shape for name, tensor in denoiser.bound.items()}
    assert all(bool(tensor.any()) for tensor in denoiser.bound.values())
    sample_latents(denoiser, scene, UNTOLD, (0,))
    assert not any(bool(tensor.any()) for tensor in denoiser.bound.values())
    assert {name: tensor.shape for name, tensor in denoiser.bound.items()} == shapes


@pytest.mark.parametrize("sampler", ["ddpm", "dpmpp", "ding"])
def test_known_frames_come_back_as_the_context_and_the_gap_is_another(
    studio: Studio, scene: Scene, sampler: str
) -> None:
    told, untold = (sample_latents(studio.denoiser, scene, replace(s, sampler=sampler), (0,)) for s in (TOLD, UNTOLD))
    known = scene.mask[0, 0] > 0.5
    assert torch.equal(untold[..., known], scene.context[..., known])
    assert bool(torch.isfinite(untold).all())
    assert float((told - untold)[..., ~known].abs().max()) > 0.1


def test_the_context_is_held_on_its_noised_course(studio: Studio, scene: Scene) -> None:
    """x_s = alpha_s y + sigma_s eps on known frames after every step, eps the noise the run began with."""
    eps = start_noise([torch.Generator().manual_seed(4)], scene.context.shape[1], scene.layout.frames)
    known = scene.mask[0, 0] > 0.5
    seen: list[float] = []

    def check(step: Step) -> None:
        if step.index >= 0:
            course = alpha(step.s) * scene.context + sigma(step.s) * eps
            assert torch.allclose(step.x_s[..., known].float(), course[..., known], atol=1e-5)
            seen.append(step.s)

    sample_latents(studio.denoiser, scene, UNTOLD, (4,), callback=check)
    assert len(seen) == UNTOLD.steps


def test_the_papers_term_is_l1_over_known_frames(scene: Scene) -> None:
    term = kept_context(scene, 2)
    y = scene.context.expand(2, -1, -1)
    assert term(y).tolist() == [0.0, 0.0]
    moved = y + torch.tensor([0.5, -2.0])[:, None, None]
    entries = float(scene.mask.sum()) * y.shape[1]
    assert torch.allclose(term(moved), torch.tensor([0.5, 2.0]) * entries, rtol=1e-4)


def test_the_papers_guidance_moves_the_gap_and_strength_0_does_not(studio: Studio, scene: Scene) -> None:
    objective = Objective((kept_context(scene, 1),))

    def sample(xi: float) -> Tensor:
        guidance = partial(guided, objective=objective, xi=xi)
        return sample_latents(studio.denoiser, scene, UNTOLD, (0,), guidance=guidance)

    plain = sample_latents(studio.denoiser, scene, UNTOLD, (0,))
    assert torch.equal(sample(0.0), plain)
    gap = scene.mask[0, 0] < 0.5
    assert float((sample(3e-2) - plain)[..., gap].abs().max()) > 1e-3
