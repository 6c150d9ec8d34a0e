"""Two coordinates under a rectified flow whose velocity is known: what a render does to sample, against closed forms.

The two coordinates are the two frames of a scene of one channel, so that knowing one of them is an ordinary mask. The
velocity of the flow is that of a mixture of Gaussians, written in the flow's own variables and put into ours as
imported priors are; each seed is one draw.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import Tensor

from segue.clip.span import Span
from segue.guidance.cfg import PromptGuidance
from segue.guidance.distances import Mahalanobis
from segue.guidance.guided import guided
from segue.guidance.objective import Objective, Term
from segue.guidance.operators.identity import Identity
from segue.guidance.strength import exact_ddim, exact_mean
from segue.prior.prompted import Prompted
from segue.prior.prompts import Prompts
from segue.render.generate import SampleSettings, sample_latents
from segue.render.scene import Scene
from segue.render.windows import Layout
from segue.sampling.contract import Latents, Prior, Strength
from segue.sampling.schedule import alpha, sigma
from segue.sampling.spacing import Spacing

CPU = torch.device("cpu")
DRAWS = 2000
FLOW = Spacing("flow", shift=3.0)
LOG_SNR = Spacing("log_snr", -6.2, 4.0)
EDM = Spacing("edm", -6.2, 4.0)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Weights (k,), means (k, 2) and covariances (k, 2, 2)."""

    weights: Tensor
    means: Tensor
    covariances: Tensor

    def velocity(self, x: Tensor, tau: Tensor) -> Tensor:
        """E[eps - x_0 | x] at x = (1 - tau) x_0 + tau eps, (n, 2) at (n,)."""
        keep, noise = (1.0 - tau)[:, None, None, None], tau[:, None, None, None]
        total = keep**2 * self.covariances + noise**2 * torch.eye(2, dtype=x.dtype)
        a, b, c = total[..., 0, 0], total[..., 1, 1], total[..., 0, 1]
        determinant = a * b - c * c
        left, right = (x[:, None] - (1.0 - tau)[:, None, None] * self.means).unbind(-1)
        solved = torch.stack([b * left - c * right, a * right - c * left], -1) / determinant[..., None]
        log = self.weights.log() - 0.5 * (left * solved[..., 0] + right * solved[..., 1]) - 0.5 * determinant.log()
        x_0 = self.means + keep[..., 0] * (self.covariances * solved[..., None, :]).sum(-1)
        eps = noise[..., 0] * solved
        return (torch.softmax(log, 1)[..., None] * (eps - x_0)).sum(1)

    def given_first(self, value: float) -> Mixture:
        """The second coordinate where the first is ``value``; the first keeps next to no width."""
        c = self.covariances
        mean = self.means[:, 1] + c[:, 0, 1] / c[:, 0, 0] * (value - self.means[:, 0])
        width = c[:, 1, 1] - c[:, 0, 1] ** 2 / c[:, 0, 0]
        log = self.weights.log() - 0.5 * (value - self.means[:, 0]) ** 2 / c[:, 0, 0] - 0.5 * c[:, 0, 0].log()
        means = torch.stack([torch.full_like(mean, value), mean], 1)
        return Mixture(torch.softmax(log, 0), means, torch.diag_embed(torch.stack([1e-8 + 0.0 * width, width], 1)))

    def moments(self) -> tuple[Tensor, Tensor]:
        mean = self.weights @ self.means
        outer = self.means[:, :, None] * self.means[:, None, :]
        return mean, (self.weights[:, None, None] * (self.covariances + outer)).sum(0) - mean[:, None] * mean


def mixture(*parts: tuple[float, tuple[float, float], tuple[float, float, float]]) -> Mixture:
    """Parts of weight, mean and (variance, variance, covariance)."""
    weights, means, spreads = zip(*parts, strict=True)
    covariances = [[[a, c], [c, b]] for a, b, c in spreads]
    return Mixture(*(torch.tensor(values, dtype=torch.float64) for values in (weights, means, covariances)))


TWO = mixture((0.3, (-1.5, 1.0), (0.3, 0.2, 0.1)), (0.7, (1.0, -0.5), (0.2, 0.4, -0.15)))
ONE = mixture((1.0, (0.4, -0.3), (0.8, 0.5, 0.45)))


@dataclass(frozen=True, eq=False)
class FlowDenoiser:
    """x0_hat = x_flow - tau v(x_flow, tau) with x_flow = x_t / (alpha + sigma): what an importer makes of a flow."""

    of: Mixture
    inputs: tuple[str, ...] = ()
    device: torch.device = CPU
    prompted: Mixture | None = None

    def bind(self, conditioning: Mapping[str, Tensor]) -> Prior:
        assert set(conditioning) == set(self.inputs)
        known = float(conditioning["context"][0, 0, 0]) if "mask" in self.inputs else None

        def predict(x: Tensor, tau: Tensor, of: Mixture) -> Tensor:
            return (of if known is None else of.given_first(known)).velocity(x, tau)

        def prior(x_t: Latents, t: Tensor) -> Latents:
            angle = t.double() * math.pi / 2.0
            scale = angle.cos() + angle.sin()
            tau, x_flow = angle.sin() / scale, x_t[:, 0].double() / scale[:, None]
            v = predict(x_flow, tau, self.of)
            if self.prompted is not None:
                given = conditioning["prompt_given"].double()
                v = given * predict(x_flow, tau, self.prompted) + (1.0 - given) * v
            return (x_flow - tau[:, None] * v)[:, None].to(x_t.dtype)

        return prior


def scene(first: float | None = None) -> Scene:
    mask = torch.tensor([[[0.0 if first is None else 1.0, 0.0]]])
    context = torch.tensor([[[first or 0.0, 0.0]]])
    return Scene(Layout(128, 0, 2, (Span(0, 2),)), mask, context, None, None, None)


def draw(denoiser: object, at: Scene, settings: SampleSettings, draws: int = DRAWS, **more: object) -> Tensor:
    return sample_latents(denoiser, at, settings, range(draws), **more)[:, 0].double()  # type: ignore[arg-type]


def assert_moments(x: Tensor, expected: Mixture, slack: float) -> None:
    """Within 4.5 standard errors and ``slack`` of a standard deviation, which is left to the finite steps."""
    mean, covariance = expected.moments()
    width = covariance.diagonal().sqrt()
    error = 4.5 / math.sqrt(len(x)) + slack
    assert ((x.mean(0) - mean).abs() <= error * width).all(), (x.mean(0), mean)
    apart = (torch.cov(x.T) - covariance).abs()
    assert (apart <= 2.0 * error * width[:, None] * width).all(), (torch.cov(x.T), covariance)


@pytest.mark.parametrize(
    ("sampler", "steps", "spacing", "slack"),
    [
        ("ddim", 40, FLOW, 0.03),
        ("dpmpp", 20, LOG_SNR, 0.03),
        ("dpmpp-sde", 30, EDM, 0.03),
        ("ddpm", 40, EDM, 0.06),
        ("ddim", 60, LOG_SNR, 0.03),
    ],
)
def test_samplers_reach_the_flows_distribution(sampler: str, steps: int, spacing: Spacing, slack: float) -> None:
    x = draw(FlowDenoiser(TWO), scene(), SampleSettings(sampler, steps, spacing=spacing, conditioned=False))
    assert_moments(x, TWO, slack)
    left = float((x[:, 0] < -0.35).double().mean())  # the valley between the two
    assert left == pytest.approx(0.3, abs=4.5 * math.sqrt(0.21 / DRAWS) + 0.02)


def test_ping_pong_of_a_consistency_function_reaches_it_in_three_steps() -> None:
    """The end of the flow's own path through x, which for one Gaussian is a linear map."""
    values, vectors = torch.linalg.eigh(ONE.covariances[0])

    class Distilled(FlowDenoiser):
        def bind(self, conditioning: Mapping[str, Tensor]) -> Prior:
            def prior(x_t: Latents, t: Tensor) -> Latents:
                a, s = (t.double() * math.pi / 2.0).cos(), (t.double() * math.pi / 2.0).sin()
                scale = (values / (a[:, None] ** 2 * values + s[:, None] ** 2)).sqrt()
                apart = x_t[:, 0].double() - a[:, None] * ONE.means[0]
                return (ONE.means[0] + (apart @ vectors * scale) @ vectors.T)[:, None].to(x_t.dtype)

            return prior

    settings = SampleSettings("pingpong", 3, spacing=Spacing("log_snr", -6.2, 2.0), conditioned=False)
    assert_moments(draw(Distilled(ONE), scene(), settings), ONE, 0.0)


@pytest.mark.parametrize(("sampler", "steps", "spacing"), [("ddim", 120, FLOW), ("dpmpp", 20, LOG_SNR)])
def test_a_prior_that_is_told_a_coordinate_draws_the_other_from_its_conditional(
    sampler: str, steps: int, spacing: Spacing
) -> None:
    told = FlowDenoiser(TWO, ("mask", "context"))
    x = draw(told, scene(-0.4), SampleSettings(sampler, steps, spacing=spacing))
    assert torch.equal(x[:, 0], torch.full_like(x[:, 0], float(torch.tensor(-0.4))))
    mean, covariance = TWO.given_first(-0.4).moments()
    assert float(x[:, 1].mean()) == pytest.approx(float(mean[1]), abs=0.12 * float(covariance[1, 1].sqrt()))
    assert float(x[:, 1].var()) == pytest.approx(float(covariance[1, 1]), rel=0.15)


def test_a_prior_that_cannot_be_told_is_guided_and_held_to_what_is_known() -> None:
    """The paper's algorithms are no exact posterior: near its mean, and not beyond the unconditional spread."""
    x = draw(FlowDenoiser(ONE), scene(1.6), SampleSettings("ddpm", 20), draws=400)
    mean, covariance = ONE.given_first(1.6).moments()
    far = abs(float(ONE.means[0, 1] - mean[1]))
    assert far > 0.6
    assert torch.allclose(x[:, 0], torch.tensor(1.6).double(), atol=1e-6)
    assert abs(float(x[:, 1].mean() - mean[1])) < 0.5 * far
    assert 0.5 * float(covariance[1, 1]) < float(x[:, 1].var()) < 2.0 * float(covariance[1, 1])


@pytest.mark.parametrize(("sampler", "exact", "steps"), [("dpmpp", exact_mean, 20), ("ddim", exact_ddim, 60)])
def test_guidance_reaches_the_posterior_it_asks_for(sampler: str, exact: Strength, steps: int) -> None:
    """y = x_0 + N(0, 0.4^2) under a prior of variance v: d = |y - x0_hat|^2 / 2, and 1 / S_t goes into the strength."""
    v, y, noise = 0.5, torch.tensor([[[0.9, -0.8]]]), 0.4

    def xi(t: float, s: float) -> float:
        a, b = alpha(t), sigma(t)
        return exact(t, s) / (noise**2 + b * b * v / (a * a * v + b * b))

    objective = Objective((Term(Identity(), Mahalanobis(1.0), y),))
    settings = SampleSettings(sampler, steps, 0.995, spacing=LOG_SNR, conditioned=False)
    prior = FlowDenoiser(mixture((1.0, (0.0, 0.0), (v, v, 0.0))))
    x = draw(prior, scene(), settings, draws=500, guidance=partial(guided, objective=objective, xi=xi))
    gain = v / (v + noise**2)
    asked = mixture((1.0, (0.9 * gain, -0.8 * gain), (v * (1.0 - gain), v * (1.0 - gain), 0.0)))
    assert_moments(x, asked, 0.05)


class Words(Prompts):
    """One text, whose meaning the toy holds itself."""

    def __init__(self) -> None:
        self.specs = {}

    def encode(self, prompt: str, seconds: float) -> dict[str, Tensor]:
        return {}


@pytest.mark.parametrize(("prompt", "scale"), [(None, 2.5), ("bright", 1.0), ("bright", 2.5)])
def test_classifier_free_guidance_moves_a_gaussian_by_scale_times_what_the_prompt_does(
    prompt: str | None, scale: float
) -> None:
    """Two Gaussians of one covariance: x0_hat is linear, so the guided flow is the flow of the extrapolated mean."""
    plain = ONE
    bright = Mixture(ONE.weights, ONE.means + torch.tensor([0.5, -0.2], dtype=torch.float64), ONE.covariances)
    toy = FlowDenoiser(plain, ("prompt_given",), prompted=bright)
    denoiser = Prompted(toy, Words(), prompt, PromptGuidance(scale))
    x = draw(denoiser, scene(), SampleSettings("ddim", 40, spacing=FLOW, conditioned=False))
    reach = 0.0 if prompt is None else scale
    moved = Mixture(plain.weights, plain.means + reach * (bright.means - plain.means), plain.covariances)
    assert_moments(x, moved, 0.03)
