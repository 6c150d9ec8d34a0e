"""A region's latents, sampled: conditioning, starting point, constraint and sampler put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue.clip.clip import MODEL_RATE
from segue.guidance.distances import L1
from segue.guidance.freedom import Freedom
from segue.guidance.guided import guided
from segue.guidance.objective import Objective, Term
from segue.guidance.operators.keep import Keep
from segue.prior.conditioning import provide
from segue.prior.contract import Denoiser
from segue.render.scene import Scene
from segue.render.windows import WindowedPrior
from segue.sampling.checks import check_finite
from segue.sampling.constraint import Chain, DataConsistency, Hold
from segue.sampling.contract import Constraint, GuidedPrior, Latents, Prior, Sampler, StepCallback
from segue.sampling.ding import CERTAIN, DING
from segue.sampling.noise import start_noise
from segue.sampling.registry import SAMPLERS
from segue.sampling.schedule import Schedule, alpha, sigma
from segue.sampling.spacing import LINEAR, Spacing

PAPER_SAMPLERS = ("ddpm", "ddim")
"""Samplers of the paper's algorithms: they regenerate from x_T = k z + (1 - k) x_bar at t = 1."""

PAPER_XI = 3e-2
"""The paper's strength of guidance in latents."""

LEAST_NOISE = 0.02
"""A starting time at or under this leaves x_bar as it is: there is nothing to sample."""

NEARLY_NOISE = 0.995
"""The time the posterior mean is asked at: x_t says next to nothing there."""

Guidance = Callable[[Prior], GuidedPrior]
"""``segue.guidance.guided`` with its objective bound."""


@dataclass(frozen=True)
class SampleSettings:
    """``sampler`` by name; ``steps`` of the schedule from ``t_start`` to 0, at the distances of ``spacing``.

    ``conditioned`` False hides mask, context and donors from the network, which makes an unconditional prior of one
    that was also trained without them; the context is then held by constraints alone, see :func:`sample_latents`.
    """

    sampler: str
    steps: int
    t_start: float = 1.0
    spacing: Spacing = LINEAR
    conditioned: bool = True


@dataclass(frozen=True)
class Start:
    """Where sampling begins: x_T at ``schedule.times[0]``, and what holds frames until they are free."""

    x_T: Latents
    schedule: Schedule
    constraint: Constraint | None


def bind(denoiser: Denoiser, scene: Scene, batch: int, settings: SampleSettings) -> Prior:
    """The prior under a scene's conditioning, over all its windows, for ``batch`` items."""
    seen = scene if settings.conditioned else scene.hidden()
    conditioning = provide(denoiser.inputs, seen.request(MODEL_RATE))
    windows = scene.layout.windows
    tiled = {name: value.repeat(batch, *[1] * (value.dim() - 1)) for name, value in conditioning.items()}
    prior = _on_device(denoiser.bind(tiled), denoiser.device)
    return prior if len(windows) == 1 else WindowedPrior(prior, scene.layout)


def _on_device(prior: Prior, device: torch.device) -> Prior:
    """The state stays on the CPU, in float64; only what the network hears and says crosses over."""
    if device.type == "cpu":
        return prior
    return lambda x_t, t: prior(x_t.to(device), t.to(device)).to(x_t.device)


def release(scene: Scene, freedom: Freedom | None) -> Float[np.ndarray, " frames"]:
    """t0 per frame: when a frame is let go of x_bar; 1 where there is no x_bar to hold on to."""
    if scene.x_bar is None or freedom is None:
        return np.ones(scene.layout.frames)
    return freedom.t0(scene.layout.seconds(MODEL_RATE))


def starting_time(scene: Scene, freedom: Freedom | None, settings: SampleSettings) -> float:
    """The earliest time any frame of the gap needs."""
    gap = scene.mask[0, 0].numpy() < 0.5
    return float(min(settings.t_start, release(scene, freedom)[gap].max()))


def begin(scene: Scene, freedom: Freedom | None, settings: SampleSettings, noise: Latents) -> Start:
    """x_T, schedule and constraint for ``noise`` (batch, channels, frames)."""
    seconds = scene.layout.seconds(MODEL_RATE)
    if scene.x_bar is None or freedom is None:
        return Start(noise, settings.spacing.schedule(settings.steps, settings.t_start), None)
    if settings.sampler in PAPER_SAMPLERS:
        # x_T = k z + (1 - k) x_bar (Levy et al. 2023, regenerate)
        k = torch.from_numpy(freedom.k(seconds)).float()
        return Start(k * noise + (1.0 - k) * scene.x_bar, settings.spacing.schedule(settings.steps), None)
    schedule = settings.spacing.schedule(settings.steps, starting_time(scene, freedom, settings))
    t = schedule.times[0]
    x_T = alpha(t) * scene.x_bar + sigma(t) * noise
    t0 = torch.from_numpy(release(scene, freedom)).float().expand(len(noise), 1, -1)
    constraint = None if settings.sampler == "ding" else Hold(scene.x_bar.expand_as(noise), noise, t0)
    return Start(x_T, schedule, constraint)


def make_sampler(scene: Scene, freedom: Freedom | None, settings: SampleSettings, batch: int) -> Sampler:
    """The named sampler; DING observes the context and, softly, x_bar."""
    if settings.sampler != "ding":
        return SAMPLERS.make(settings.sampler)
    shape = scene.mask.shape[-1]
    sigma_y = torch.full((1, 1, shape), torch.inf)
    if scene.x_bar is not None and freedom is not None:
        sigma_y = torch.from_numpy(freedom.sigma_y(scene.layout.seconds(MODEL_RATE))).float()[None, None]
    sigma_y = torch.where(scene.mask > 0.5, torch.tensor(CERTAIN), sigma_y.clamp_min(CERTAIN))
    y = scene.context if scene.x_bar is None else torch.where(scene.mask > 0.5, scene.context, scene.x_bar)
    return DING(y.expand(batch, -1, -1), sigma_y.expand(batch, -1, -1))


def sample_latents(
    denoiser: Denoiser,
    scene: Scene,
    settings: SampleSettings,
    seeds: Sequence[int],
    *,
    freedom: Freedom | None = None,
    guidance: Guidance | None = None,
    callback: StepCallback | None = None,
) -> Latents:
    """Latents of the region, one batch item for each seed; x_bar itself where freedom leaves nothing to sample.

    A prior without a mask input, or one that is not ``conditioned``, is held to the context by noised data consistency
    (DING: by its observation). Levy et al. 2023 also guide it there: so is one without a mask input in their samplers,
    unless there is a ``guidance`` already; for one that is not ``conditioned`` that is :func:`kept_context` as the
    objective. Known frames come back as the context in any case.

    Raises:
        NonFinite, Cancelled, InvalidRequest: see :class:`segue.sampling.contract.Sampler`.
    """
    batch, channels = len(seeds), scene.context.shape[1]
    if scene.x_bar is not None and starting_time(scene, freedom, settings) <= LEAST_NOISE:
        return scene.x_bar.repeat(batch, 1, 1)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    noise = start_noise(generators, channels, scene.layout.frames)
    start = begin(scene, freedom, settings, noise)
    prior: Prior = bind(denoiser, scene, batch, settings)
    untold = "mask" not in denoiser.inputs
    if guidance is None and untold and settings.conditioned and settings.sampler in PAPER_SAMPLERS:
        guidance = partial(guided, objective=Objective((kept_context(scene, batch),)), xi=PAPER_XI)
    if guidance is not None:
        prior = guidance(prior)
    constraint = start.constraint
    if (untold or not settings.conditioned) and settings.sampler != "ding":
        constraint = _hold_context(scene, noise, constraint)
    sampler = make_sampler(scene, freedom, settings, batch)
    latents = sampler(prior, start.schedule, start.x_T, generators, constraint=constraint, callback=callback)
    return torch.where(scene.mask > 0.5, scene.context, latents)


def _hold_context(scene: Scene, noise: Latents, constraint: Constraint | None) -> Constraint:
    batch = len(noise)
    keep = DataConsistency(Keep(scene.mask.expand(batch, -1, -1)), scene.context.expand(batch, -1, -1), noise)
    return keep if constraint is None else Chain((constraint, keep))


def kept_context(scene: Scene, batch: int) -> Term:
    """The paper's term of continuation, infill, regenerate and transition: L1 to what is known, for ``batch`` items."""
    y = scene.context.expand(batch, -1, -1)
    return Term(Keep(scene.mask.expand(batch, -1, -1)), L1(), y)


def posterior_mean(denoiser: Denoiser, scene: Scene, settings: SampleSettings, seed: int) -> Latents:
    """The denoiser's answer to noise alone, one evaluation: blurred, but the best single guess.

    Raises:
        NonFinite: the answer is not finite.
    """
    noise = start_noise([torch.Generator().manual_seed(seed)], scene.context.shape[1], scene.layout.frames)
    with torch.no_grad():
        x0_hat: Tensor = bind(denoiser, scene, 1, settings)(noise, torch.full((1,), NEARLY_NOISE))
    check_finite("prediction", x0_hat, noise, 0, sigma(NEARLY_NOISE))
    return torch.where(scene.mask > 0.5, scene.context, x0_hat)
