"""Add a sampler: one class behind the contract, one line to register it.

Euler's method on the probability-flow ODE. In Segue itself it would be sampling/euler.py and one line in
sampling/registry.py; here, SAMPLERS.register does the same. It samples a Gaussian prior, whose mean and standard
deviation should come out again.

Run it: python examples/add_a_sampler.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from segue.sampling.contract import Constraint, Latents, Prior, StepCallback
from segue.sampling.noise import start_noise
from segue.sampling.registry import SAMPLERS
from segue.sampling.schedule import Schedule, alpha, sigma
from segue.sampling.walk import Walk


@dataclass(frozen=True)
class Euler:
    """Fixed steps along dx/dt = (pi / 2) v, v = alpha_t eps_hat - sigma_t x0_hat; guidance moves x0_hat."""

    def __call__(
        self,
        prior: Prior,
        schedule: Schedule,
        x_T: Latents,
        generators: Sequence[torch.Generator],
        *,
        constraint: Constraint | None = None,
        callback: StepCallback | None = None,
    ) -> Latents:
        # Walk sees to the checks, the float64 state, progress and cancel; what is left here is the method.
        walk = Walk(prior, schedule, x_T, generators, constraint=constraint, callback=callback)
        x_t = walk.x_T
        for t, s in walk.steps():
            x0_hat, xi_gradient = walk.predict(x_t)
            if xi_gradient is not None:
                x0_hat = x0_hat - xi_gradient
            eps_hat = (x_t - alpha(t) * x0_hat) / sigma(t)
            v = alpha(t) * eps_hat - sigma(t) * x0_hat
            x_t = walk.finish(x_t + (s - t) * torch.pi / 2.0 * v, x0_hat)
        return walk.result(x_t)


SAMPLERS.register("euler", Euler)

MEAN, STD = 0.5, 2.0


def gaussian(x_t: Latents, t: Tensor) -> Latents:
    """x0_hat = E[x_0 | x_t] for x_0 ~ N(MEAN, STD^2)."""
    a, s = torch.cos(torch.pi * t / 2)[:, None, None], torch.sin(torch.pi * t / 2)[:, None, None]
    return MEAN + a * STD**2 / (a**2 * STD**2 + s**2) * (x_t - a * MEAN)


def main() -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in range(4)]
    x_T = start_noise(generators, channels=8, frames=500)
    for steps in (10, 100):
        x_0 = SAMPLERS.make("euler")(gaussian, Schedule.linear(steps), x_T, generators)
        print(f"{steps:4d} steps: mean {x_0.mean():.3f} (prior {MEAN}), std {x_0.std():.3f} (prior {STD})")


if __name__ == "__main__":
    main()
