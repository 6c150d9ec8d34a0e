"""Guidance gradients against finite differences in float64, through a real network, a decoder and an embedder."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.distances import L2
from segue.guidance.guided import Place, guided
from segue.guidance.objective import Objective, ObjectiveSpec, Term, TermSpec
from segue.guidance.operators.identity import Identity
from segue.registry import Choice
from segue.sampling.contract import Latents, Prediction
from segue.sampling.schedule import sigma

BATCH, CHANNELS, FRAMES = 2, 3, 8
SAMPLES = 4096


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Network(nn.Module):
    """A small convolutional denoiser in float64 that mixes channels and frames and reads t."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(
                nn.Conv1d(CHANNELS + 1, 16, 3, padding=1), nn.GELU(), nn.Conv1d(16, CHANNELS, 3, padding=1)
            ).double()

    def forward(self, x_t: Latents, t: Tensor) -> Latents:
        time = t.to(x_t)[:, None, None].expand(-1, 1, x_t.shape[-1])
        x0_hat: Latents = self.layers(torch.cat([x_t, time], 1))
        return x0_hat


class Decoder(nn.Module):
    """Latents to stereo audio, linear."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("basis", noise(1, 2, SAMPLES // FRAMES, CHANNELS) * 0.1)

    def forward(self, latents: Latents) -> Tensor:
        assert isinstance(self.basis, Tensor)
        return torch.einsum("ksc,bcf->bkfs", self.basis, latents).flatten(2)


MASK = torch.tensor([[1.0, 1, 1, 0, 0, 0, 1, 1], [1, 0, 0, 0, 0, 0, 0, 1]])[:, None]
ON_LATENTS = [
    TermSpec(Choice("l1"), noise(2, BATCH, CHANNELS, FRAMES) * MASK, Choice("keep", {"mask": MASK}), weight=0.5),
    TermSpec(Choice("l2"), noise(3, BATCH, CHANNELS, 2), Choice("block_mean", {"size": 4})),
    TermSpec(
        Choice("mahalanobis", {"sigma": 0.7}),
        noise(4, BATCH, CHANNELS, FRAMES),
        Choice("low_pass", {"cutoff": 2.0, "rate": 8.0}),
    ),
]
STATISTICS = Choice("log_mel_statistics", {"n_fft": 512, "hop": 256, "bands": 12})
ON_AUDIO = [
    TermSpec(Choice("l2"), noise(5, BATCH, 24), embedder=STATISTICS, on="audio"),
    TermSpec(
        Choice("l1"),
        noise(6, BATCH, 17),
        Choice("band_energy", {"rate": 44100.0, "low": 100.0, "high": 9000.0, "n_fft": 512, "hop": 256}),
        on="audio",
        weight=0.02,
    ),
]


def directional(predict_loss: object, x: Tensor, direction: Tensor, step: float = 1e-5) -> Tensor:
    """Central difference of each item's loss along its own direction."""
    assert callable(predict_loss)
    with torch.no_grad():
        forward, backward = (predict_loss(x + sign * step * direction) for sign in (1.0, -1.0))
    difference: Tensor = (forward - backward) / (2.0 * step)
    return difference


@pytest.mark.parametrize("place", ["x0_hat", "x_t"])
@pytest.mark.parametrize(
    "specs",
    [[s] for s in ON_LATENTS + ON_AUDIO] + [ON_LATENTS + ON_AUDIO],
    ids=["keep-l1", "block_mean-l2", "low_pass-mahalanobis", "embedder-l2", "band_energy-l1", "sum"],
)
def test_the_gradient_is_that_of_finite_differences(place: Place, specs: list[TermSpec]) -> None:
    network, decode = Network(), Decoder()
    objective = ObjectiveSpec(tuple(specs)).build()
    x_t, t = noise(7, BATCH, CHANNELS, FRAMES), torch.full((BATCH,), 0.4, dtype=torch.float64)
    prediction = guided(network, objective, 1.0, at=place, decode=decode).predict(x_t, t)
    assert prediction.gradient is not None
    torch.testing.assert_close(prediction.x0_hat, network(x_t, t).detach())

    def loss(x: Tensor) -> Tensor:
        return objective(network(x, t) if place == "x0_hat" else x, decode)

    for seed in range(3):
        direction = noise(20 + seed, *x_t.shape)
        analytic = (prediction.gradient * direction).sum((1, 2))
        torch.testing.assert_close(analytic, directional(loss, x_t, direction), rtol=2e-5, atol=1e-7)


def predict(xi: float | Curve = 1.0, t: float = 0.4, **options: object) -> Prediction:
    objective = ObjectiveSpec((ON_LATENTS[0],)).build()
    steered = guided(Network(), objective, xi, **options)  # type: ignore[arg-type]
    return steered.predict(noise(7, BATCH, CHANNELS, FRAMES), torch.full((BATCH,), t, dtype=torch.float64))


def test_an_item_s_gradient_does_not_depend_on_its_neighbour() -> None:
    network, x_t = Network(), noise(7, BATCH, CHANNELS, FRAMES)
    target = noise(8, BATCH, CHANNELS, FRAMES)
    for normalise in ("none", "item"):
        gradients = []
        for scale in (1.0, 100.0):
            term = Term(Identity(), L2(), torch.stack([target[0], target[1] * scale]))
            g = (
                guided(network, Objective((term,)), 1.0, normalise=normalise)
                .predict(x_t, torch.full((2,), 0.4))
                .gradient
            )
            assert g is not None
            gradients.append(g)
        torch.testing.assert_close(gradients[0][0], gradients[1][0], rtol=1e-12, atol=0.0)
        assert not torch.allclose(gradients[0][1], gradients[1][1])


def test_normalised_guidance_moves_each_item_by_kappa_sigma_t_in_rms() -> None:
    update = predict(0.1, normalise="item").update(0.4, 0.3)
    assert update is not None
    assert update.square().mean((1, 2)).sqrt().tolist() == pytest.approx([0.1 * sigma(0.4)] * 2, rel=1e-9)
    plain = predict(0.1).gradient
    assert plain is not None
    cosine = torch.nn.functional.cosine_similarity(update.flatten(1), plain.flatten(1))
    assert cosine.tolist() == pytest.approx([1.0, 1.0])


def test_guidance_moves_only_the_frames_it_may_and_they_alone_count_in_the_rms() -> None:
    where = 1.0 - MASK
    for normalise in ("none", "item"):
        update = predict(0.1, where=where, normalise=normalise).update(0.4, 0.3)
        assert update is not None
        assert float((update * MASK).abs().max()) == 0.0
        assert float((update * where).abs().max()) > 0.0
    rms = (update.square().sum((1, 2)) / (where.sum((1, 2)) * CHANNELS)).sqrt()
    assert rms.tolist() == pytest.approx([0.1 * sigma(0.4)] * 2, rel=1e-9)


def test_a_curve_over_the_noise_level_switches_guidance_off_without_taking_a_gradient() -> None:
    first_half = Curve(((0.49, 0.0), (0.5, 0.2)))
    late, early = predict(first_half, t=0.3), predict(first_half, t=0.5)
    assert late.gradient is None
    assert early.xi is not None
    assert (sigma(0.3) < 0.49, early.xi(0.5, 0.4)) == (True, 0.2)


def test_what_cannot_be_differentiated_is_refused_with_the_way_out() -> None:
    @torch.no_grad()
    def opaque(x_t: Latents, t: Tensor) -> Latents:
        return 0.5 * x_t

    objective = ObjectiveSpec((ON_LATENTS[0],)).build()
    x_t, t = noise(7, BATCH, CHANNELS, FRAMES), torch.full((BATCH,), 0.4)
    with pytest.raises(InvalidRequest, match="'x_t' or by a mean step"):
        guided(opaque, objective, 1.0).predict(x_t, t)
    assert guided(opaque, objective, 1.0, at="x_t").predict(x_t, t).gradient is not None


def test_objectives_that_cannot_be_measured_are_refused_before_work() -> None:
    audio = ObjectiveSpec((ON_AUDIO[0],)).build()
    with pytest.raises(InvalidRequest, match="expected a decoder"):
        guided(Network(), audio, 1.0)
    with pytest.raises(InvalidRequest, match="at least one term"):
        Objective(())
    with pytest.raises(InvalidRequest, match="finite weight"):
        Term(Identity(), L2(), torch.zeros(1, 1), weight=math.inf)
    with pytest.raises(InvalidRequest, match='on="audio"'):
        TermSpec(Choice("l2"), torch.zeros(1, 24), embedder=STATISTICS).build()
    for wrong in ((3, 3, 8), (1, 3, 7), (2, 24)):
        with pytest.raises(InvalidRequest, match=r"shape \(2, 3, 8\), got"):
            Term(Identity(), L2(), torch.zeros(wrong))(torch.zeros(2, 3, 8))


def test_a_target_of_one_item_serves_all() -> None:
    x = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))
    one = Term(Identity(), L2(), torch.ones(1, 3, 8))
    torch.testing.assert_close(one(x), Term(Identity(), L2(), torch.ones(2, 3, 8))(x))


def test_losses_add_up_and_the_decoder_runs_once() -> None:
    runs = 0

    def decode(latents: Latents) -> Tensor:
        nonlocal runs
        runs += 1
        return Decoder()(latents)

    specs, x = ON_LATENTS + ON_AUDIO, noise(9, BATCH, CHANNELS, FRAMES)
    total = ObjectiveSpec(tuple(specs)).build()(x, decode)
    assert runs == 1
    parts = torch.stack([ObjectiveSpec((spec,)).build()(x, decode) for spec in specs])
    torch.testing.assert_close(total, parts.sum(0))


def test_a_weight_scales_its_own_term_alone() -> None:
    x, spec = noise(9, BATCH, CHANNELS, FRAMES), ON_LATENTS[1]
    other = ON_LATENTS[2]
    plain, tripled = (ObjectiveSpec((replace(spec, weight=w), other)).build()(x) for w in (1.0, 3.0))
    alone = ObjectiveSpec((replace(spec, weight=1.0),)).build()(x)
    torch.testing.assert_close(tripled - plain, 2.0 * alone)
