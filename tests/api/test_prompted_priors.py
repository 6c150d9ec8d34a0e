"""Every verb on priors of each way to know a gap, by the public API: tiny random networks make noise.

What counts is that the same calls work, keep what is known to the bit, come out the same twice and can be stopped.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import torch
from jaxtyping import Float32

import segue
from segue.errors import Cancelled, InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.embedders.log_mel_statistics import LogMelStatistics
from segue.prior.bundle import Bundle
from segue.prior.runtime import SessionSettings
from segue.render.renderer import Renderer
from segue.render.settings import Progress
from segue.result import Result
from tests.songs import loop_song
from tests.tiny_models import CACHE
from tests.tiny_priors import told_bundle, untold_bundle

GAP, PROMPT = (2.5, 2.65), "dusty upright piano"
PIANO = segue.Style.of(prompt=PROMPT)
Audio = Float32[np.ndarray, "2 samples"]


@pytest.fixture(autouse=True)
def _one_trial_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: CACHE)


@functools.cache
def song(rate: int, seconds: float = 4.0) -> Audio:
    return loop_song(rate, seconds)


def settings(path: Path, **changes: object) -> segue.RenderSettings:
    return segue.RenderSettings(**{"bundle": path, "steps": 2, "candidates": 2, **changes})  # type: ignore[arg-type]


def assert_filled(result: Result, clip: Audio, rate: int, gap: tuple[float, float] = GAP) -> None:
    start, stop = (round(t * rate) for t in gap)
    assert result.audio.shape == clip.shape and bool(np.isfinite(result.audio).all())
    assert result.audio[:, :start].tobytes() == clip[:, :start].tobytes()
    assert result.audio[:, stop:].tobytes() == clip[:, stop:].tobytes()
    assert float(np.abs(result.audio[:, start:stop]).max()) > 1e-4


def methods(result: Result) -> set[str]:
    return {take["method"] for gap in result.report["gaps"] for take in gap["candidates"]}


KINDS = {"told": told_bundle, "untold": untold_bundle}
FAMILIES = ["stable_audio_open", "stable_audio_3", "ace_step"]


def bundle_of(kind: str) -> Path:
    """A tiny bundle by its kind, or of a tiny model of an open family, imported."""
    if kind in KINDS:
        return KINDS[kind]()
    pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")
    from tests.export.tiny_bundles import imported

    return imported(kind).bundle.folder


@pytest.mark.parametrize("kind", [*KINDS, *(pytest.param(family, marks=pytest.mark.nightly) for family in FAMILIES)])
def test_every_verb_runs_on_priors_told_their_context_and_not_and_on_each_imported_family(kind: str) -> None:
    rate, own = 44100, settings(bundle_of(kind))
    clip = song(rate)
    filled = segue.fill(clip, rate, GAP, style=PIANO, settings=own)
    assert_filled(filled, clip, rate)
    assert methods(filled) == {"generated"}  # too short for donors, and no decoder's mean
    varied = segue.regenerate(clip, rate, GAP, freedom=0.6, style=PIANO, settings=own)
    assert_filled(varied, clip, rate)
    restyled = segue.restyle(clip, rate, GAP, style=PIANO, settings=own)
    assert_filled(restyled, clip, rate)
    longer = segue.extend(clip, rate, 0.15, settings=own)
    assert longer.audio.shape[1] == clip.shape[1] + round(0.15 * rate)
    assert longer.audio[:, : clip.shape[1]].tobytes() == clip.tobytes() and bool(np.isfinite(longer.audio).all())
    joined = segue.transition(clip[:, :88200], clip[:, 88200:], rate, overlap=0.15, settings=own)
    overlap = round(0.15 * rate)
    assert joined.audio.shape[1] == clip.shape[1] - overlap and bool(np.isfinite(joined.audio).all())
    assert joined.audio[:, : 88200 - overlap].tobytes() == clip[:, : 88200 - overlap].tobytes()


def test_a_prior_that_cannot_be_told_is_sampled_by_the_papers_algorithm_unless_another_is_named() -> None:
    untold, told = Renderer(untold_bundle()), Renderer(told_bundle())
    assert untold.sampling(segue.RenderSettings()).sampler == "ddpm"
    assert untold.sampling(segue.RenderSettings()).spacing.kind == "linear"
    assert untold.sampling(segue.RenderSettings(sampler="dpmpp", steps=3)).spacing.kind == "edm"
    sampling = told.sampling(segue.RenderSettings())
    assert (sampling.sampler, sampling.steps, sampling.spacing.kind, sampling.spacing.shift) == ("ddim", 8, "flow", 3.0)
    assert (untold.window.least, untold.window.most) == (64, 64)


def test_a_prior_at_48_khz_fills_beside_recall_and_leaves_the_rest_to_the_bit() -> None:
    rate, gap = 48000, (2.5, 2.9)
    clip, own = song(rate), settings(told_bundle())
    first = segue.fill(clip, rate, gap, style=PIANO, settings=own)
    assert_filled(first, clip, rate, gap)
    assert {"splice", "generated", "regenerated splice"} == methods(first)
    again = segue.fill(clip, rate, gap, style=PIANO, settings=own)
    assert again.audio.tobytes() == first.audio.tobytes()


def test_another_prompt_makes_another_render_and_the_recipe_names_it() -> None:
    rate, own = 44100, settings(untold_bundle(), method="generated")
    by_name, by_text, none = (
        segue.fill(song(rate), rate, GAP, style=style, settings=own)
        for style in (segue.Style.of(prompt="rain"), segue.Style.of(prompt="slow drums in the rain"), None)
    )
    assert by_name.audio.tobytes() == by_text.audio.tobytes() != none.audio.tobytes()
    assert by_name.recipe.parameters["prompt"] == "rain"


def test_a_wish_reaches_the_samples_through_decoder_and_resampler() -> None:
    rate, clip, own = 44100, song(44100), settings(told_bundle(), steps=3)
    louder = segue.Style.of(follow={"loudness": Curve.constant(-12.0)}, strength=1.0)
    guided = segue.fill(clip, rate, GAP, style=louder, settings=own)
    alike = segue.Style.of(prompt=PROMPT, match="loudness", mode="exact")
    exact = segue.fill(clip, rate, GAP, style=alike, settings=own)
    for result in (guided, exact):
        assert_filled(result, clip, rate)
        assert methods(result) == {"steered"}


@pytest.mark.parametrize("kind", [*KINDS, *(pytest.param(family, marks=pytest.mark.nightly) for family in FAMILIES)])
def test_an_embedders_gradient_reaches_the_samples_through_the_bundles_own_decoder(kind: str) -> None:
    """Denoiser, decoder and, at 48 kHz, the change of rate, all in graphs: against a difference along the gradient."""
    bundle, threads = Bundle.open(bundle_of(kind), cache=CACHE), SessionSettings(threads=1)
    codec, draws = bundle.codec(threads), torch.Generator().manual_seed(3)
    multiple = bundle.manifest.latent_multiple
    frames = -(-8192 // codec.token // multiple) * multiple
    specs = [spec for spec in bundle.manifest.denoiser().others if spec.name != "time"]
    given = {spec.name: torch.rand(spec.sizes(1, frames, 5), generator=draws) for spec in specs}
    prior, embed = bundle.denoiser(threads).bind(given), LogMelStatistics(n_fft=1024, hop=512, bands=16)
    x_t, t = torch.randn(1, codec.channels, frames, generator=draws), torch.tensor([0.6])
    reference = embed(0.1 * torch.randn(1, 2, frames * codec.token, generator=draws))

    def distance(x: torch.Tensor) -> torch.Tensor:
        return (embed(codec.decode(prior(x, t), None)) - reference).square().sum()

    variable = x_t.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(distance(variable), variable)
    along, small = gradient / gradient.norm(), 0.02
    with torch.no_grad():
        slope = (distance(x_t + small * along) - distance(x_t - small * along)) / (2 * small)
    assert float(gradient.norm()) > 0
    assert float(slope) == pytest.approx(float(gradient.norm()), rel=0.03)


def test_a_render_can_be_stopped_while_it_samples() -> None:
    stages: list[str] = []

    def stop(progress: Progress) -> bool:
        stages.append(progress.stage)
        return progress.stage != "sample"

    with pytest.raises(Cancelled):
        segue.fill(song(44100), 44100, GAP, settings=settings(untold_bundle()), callback=stop)
    assert stages[-1] == "sample"


@pytest.mark.parametrize(
    ("kind", "prompt", "message"),
    [("told", " ".join(["piano"] * 7), "at most 6"), ("untold", "warm pads", "it has 'rain', 'piano'")],
)
def test_a_prompt_that_cannot_be_read_is_refused_before_any_work(kind: str, prompt: str, message: str) -> None:
    stages: list[str] = []

    def watch(progress: Progress) -> None:
        stages.append(progress.stage)

    own, style = settings(KINDS[kind]()), segue.Style.of(prompt=prompt)
    with pytest.raises(InvalidRequest, match=message):
        segue.fill(song(44100), 44100, GAP, style=style, settings=own, callback=watch)
    assert not stages
