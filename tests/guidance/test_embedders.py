"""The log-mel statistics and the linear probe, and that guidance by them moves what they hear."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.distances import BinaryCrossEntropy
from segue.guidance.embedders.contract import Classifier, Embedder
from segue.guidance.embedders.linear_probe import LinearProbe
from segue.guidance.embedders.log_mel_statistics import LogMelStatistics
from segue.guidance.embedders.registry import EMBEDDERS
from segue.guidance.guided import guided
from segue.guidance.objective import Objective, ObjectiveSpec, Term, TermSpec
from segue.guidance.operators.identity import Identity
from segue.registry import Choice
from segue.sampling.contract import Latents
from segue.sampling.ddpm import DDPM
from segue.sampling.schedule import Schedule

SAMPLES = 8192
SMALL = {"n_fft": 1024, "hop": 512, "bands": 16}


def noise(seed: int, batch: int = 1) -> Tensor:
    return 0.1 * torch.randn(batch, 2, SAMPLES, generator=torch.Generator().manual_seed(seed))


def dull(audio: Tensor) -> Tensor:
    """A running mean over 16 samples: little is left of the highs."""
    return torch.nn.functional.avg_pool1d(audio, 16, 1, 8)[..., :SAMPLES]


def test_a_gain_shifts_the_means_by_its_log_and_leaves_the_deviations() -> None:
    embed = LogMelStatistics(floor=1e-12)
    soft, loud = embed(noise(0)), embed(10.0 * noise(0))
    bands = embed.bands
    torch.testing.assert_close(loud[:, :bands] - soft[:, :bands], torch.full((1, bands), 2.0), rtol=0, atol=1e-3)
    torch.testing.assert_close(loud[:, bands:], soft[:, bands:], rtol=0, atol=1e-3)


def test_a_tone_that_comes_and_goes_has_a_greater_deviation_than_a_steady_one() -> None:
    embed = LogMelStatistics(**SMALL)
    steady = noise(0)
    pulsed = steady * (torch.arange(SAMPLES) // 2048 % 2)
    assert float((embed(pulsed) - embed(steady))[:, embed.bands :].min()) > 0.5


def test_silence_embeds_to_the_floor_with_a_finite_gradient() -> None:
    audio = torch.zeros(1, 2, SAMPLES, requires_grad=True)
    embedding = LogMelStatistics()(audio)
    embedding.sum().backward()
    assert audio.grad is not None
    assert bool(torch.isfinite(audio.grad).all())
    torch.testing.assert_close(embedding[:, :64], torch.full((1, 64), -5.0), rtol=0, atol=1e-4)


def small_prior(x_t: Latents, t: Tensor) -> Latents:
    """White noise of standard deviation 0.1 as the music: E[x_0 | x_t] in closed form."""
    a = torch.cos(torch.pi * t / 2)[:, None, None]
    return a * 0.01 * x_t / (a**2 * 0.01 + 1.0 - a**2)


def sample(objective: Objective, kappa: float) -> Tensor:
    seeded = [torch.Generator().manual_seed(i) for i in range(2)]
    x_T = torch.stack([torch.randn(2, SAMPLES, generator=g) for g in seeded])
    steered = guided(small_prior, objective, kappa, normalise="item", decode=lambda latents: latents)
    return DDPM()(steered, Schedule.linear(12), x_T, seeded)


def test_embedder_guidance_brings_the_embedding_nearer_to_the_reference() -> None:
    reference = EMBEDDERS.make("log_mel_statistics", **SMALL)(dull(noise(5, batch=2)))
    spec = ObjectiveSpec((TermSpec(Choice("l2"), reference, embedder=Choice("log_mel_statistics", SMALL), on="audio"),))
    objective = spec.build()
    before, after = (objective(sample(objective, kappa), lambda x: x) for kappa in (0.0, 0.1))
    assert bool((after < 0.6 * before).all())


def test_classifier_guidance_raises_the_probability_of_the_class_asked_for() -> None:
    """A probe for "dull" against "bright": the weight is the difference of two embeddings."""
    embed = LogMelStatistics(**SMALL)
    bright_at, dull_at = embed(noise(1))[0], embed(dull(noise(1)))[0]
    weight = (dull_at - bright_at)[:, None]
    probe = LinearProbe(embed, weight, -((dull_at + bright_at) / 2) @ weight, ("dull",))
    assert isinstance(probe, Classifier)
    objective = Objective((Term(Identity(), BinaryCrossEntropy(), torch.ones(2, 1), on="audio", embedder=probe),))
    free, steered = (probe(sample(objective, kappa)).sigmoid() for kappa in (0.0, 0.1))
    assert float(free.max()) < 0.1
    assert float(steered.min()) > 0.9


def test_what_embedders_refuse() -> None:
    with pytest.raises(InvalidRequest, match="two frames"):
        LogMelStatistics()(torch.zeros(1, 2, 2048))
    embed = LogMelStatistics(**SMALL)
    assert isinstance(embed, Embedder)
    assert not isinstance(embed, Classifier)
    with pytest.raises(InvalidRequest, match=r"columns of weight \(3\), got 2"):
        LinearProbe(embed, torch.zeros(32, 3), torch.zeros(3), ("a", "b"))
