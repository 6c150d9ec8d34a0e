"""Guidance inside a render: the gradient crosses the bundle's ONNX graphs."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from segue.clip.span import Span
from segue.guidance.guided import guided
from segue.guidance.objective import Objective, ObjectiveSpec, TermSpec
from segue.registry import Choice
from segue.render.generate import SampleSettings, sample_latents
from segue.render.renderer import Renderer
from segue.render.run import warm_renderer
from segue.render.settings import RenderSettings
from segue.render.studio import prepare
from segue.tasks.infill import Infill
from tests.songs import loop_song

GAP = Span(6 * 44100, 7 * 44100)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return warm_renderer(None)


def latents(renderer: Renderer, objective: Objective, xi: float, sampler: str) -> torch.Tensor:
    plan = Infill((GAP,)).plan([loop_song(44100, 12.0)])
    studio = renderer.studio(plan, RenderSettings())
    region = plan.regions[0]
    scene = prepare(studio, region, studio.song.donors(GAP), None)
    settings = SampleSettings(sampler, 4, 0.995)
    guidance = partial(guided, objective=objective, xi=xi, normalise="item")
    return sample_latents(studio.denoiser, scene, settings, (0, 1), guidance=guidance)


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp"])
def test_guidance_moves_the_result_down_its_objective(renderer: Renderer, sampler: str) -> None:
    """Asked for silence (every mel band 3 deviations down), the guided gap is quieter than the unguided one."""
    shape = (2, 576, 96)
    quiet = ObjectiveSpec((TermSpec(Choice("l2"), torch.full(shape, -3.0)),)).build()
    free, held = (latents(renderer, quiet, xi, sampler) for xi in (0.0, 0.2))
    assert float(quiet(held).sum()) < float(quiet(free).sum())


def test_strength_0_equals_unguided_bit_for_bit(renderer: Renderer) -> None:
    quiet = ObjectiveSpec((TermSpec(Choice("l2"), torch.zeros(2, 576, 96)),)).build()
    plan = Infill((GAP,)).plan([loop_song(44100, 12.0)])
    studio = renderer.studio(plan, RenderSettings())
    scene = prepare(studio, plan.regions[0], studio.song.donors(GAP), None)
    plain = sample_latents(studio.denoiser, scene, SampleSettings("ddim", 4, 0.995), (0, 1))
    assert torch.equal(latents(renderer, quiet, 0.0, "ddim"), plain)


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "dpmpp", "pingpong", "ding"])
def test_every_sampler_renders_the_same_way_twice_and_no_neighbour_changes_an_item(
    renderer: Renderer, sampler: str
) -> None:
    plan = Infill((GAP,)).plan([loop_song(44100, 12.0)])
    studio = renderer.studio(plan, RenderSettings())
    scene = prepare(studio, plan.regions[0], studio.song.donors(GAP), None)
    settings = SampleSettings(sampler, 3, 0.995)
    both = sample_latents(studio.denoiser, scene, settings, (5, 9))
    assert torch.equal(both, sample_latents(studio.denoiser, scene, settings, (5, 9)))
    alone = sample_latents(studio.denoiser, scene, settings, (9,))
    assert torch.allclose(alone[0], both[1], atol=1e-4)
    assert float((both[0] - both[1]).abs().max()) > 1e-3
