"""A Gaussian prior, whose every question has a closed-form answer.

x_0 ~ N(mu, C) over the channels, each frame of each item an independent draw; so a batch of shape (4, d, 5000) is
20,000 samples from 4 generators.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import jaxtyping
import torch
from jaxtyping import Float
from torch import Tensor

from segue.sampling.contract import Latents
from segue.sampling.schedule import alpha, sigma


def over_channels(matrix: Float[Tensor, "d d"], x: Latents) -> Latents:
    return torch.einsum("ij,bjn->bin", matrix.to(x), x)


@dataclass(frozen=True, eq=False)
class Gaussian:
    mu: Float[Tensor, " d"]
    C: Float[Tensor, "d d"]

    def posterior(self, H: Float[Tensor, "m d"], y: Float[Tensor, " m"], noise_std: float) -> Gaussian:
        """x_0 given y = H x_0 + N(0, noise_std^2)."""
        S = H @ self.C @ H.T + noise_std**2 * torch.eye(len(y), dtype=self.C.dtype)
        K = self.C @ H.T @ torch.linalg.inv(S)
        return Gaussian(self.mu + K @ (y - H @ self.mu), self.C - K @ H @ self.C)

    def noised(self, t: float) -> Gaussian:
        """x_t."""
        return Gaussian(alpha(t) * self.mu, alpha(t) ** 2 * self.C + sigma(t) ** 2 * torch.eye(len(self.mu)).to(self.C))

    def gain(self, t: float) -> Float[Tensor, "d d"]:
        """K in E[x_0 | x_t] = mu + K (x_t - alpha_t mu)."""
        return alpha(t) * self.C @ torch.linalg.inv(self.noised(t).C)

    def covariance_given(self, t: float) -> Float[Tensor, "d d"]:
        """Cov[x_0 | x_t]."""
        return self.C - alpha(t) * self.gain(t) @ self.C

    def root(self) -> Float[Tensor, "d d"]:
        values, vectors = torch.linalg.eigh(self.C)
        return vectors @ torch.diag(values.clamp_min(0.0).sqrt()) @ vectors.T

    def flow(self, t: float, s: float) -> Float[Tensor, "d d"]:
        """The matrix M of the probability-flow ODE from t to s: x_s - alpha_s mu = M (x_t - alpha_t mu)."""
        values, vectors = torch.linalg.eigh(self.C)
        scale = (alpha(s) ** 2 * values + sigma(s) ** 2) / (alpha(t) ** 2 * values + sigma(t) ** 2)
        return vectors @ torch.diag(scale.sqrt()) @ vectors.T

    def flowed(self, x_t: Latents, t: float, s: float) -> Latents:
        """Where the probability-flow ODE takes x_t at time s."""
        mu = self.mu.to(x_t)[:, None]
        return alpha(s) * mu + over_channels(self.flow(t, s), x_t - alpha(t) * mu)

    def denoise(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """The prior: E[x_0 | x_t]."""
        time = float(t[0])
        mu = self.mu.to(x_t)[:, None]
        return mu + over_channels(self.gain(time), x_t - alpha(time) * mu)

    def consistency(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """The perfectly distilled prior: the end of the ODE that passes x_t."""
        return self.flowed(x_t, float(t[0]), 0.0)

    def sample(self, batch: int, frames: int, seed: int) -> Latents:
        z = torch.randn(batch, len(self.mu), frames, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        return (self.mu[:, None] + over_channels(self.root(), z)).float()


def example() -> Gaussian:
    """Three correlated coordinates of different scale."""
    root = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.5, 0.0], [-0.3, 0.2, 0.4]], dtype=torch.float64)
    return Gaussian(torch.tensor([0.5, -1.0, 0.2], dtype=torch.float64), root @ root.T)


def generators(batch: int, seed: int = 0) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(1000 * seed + i) for i in range(batch)]


def moments(x: Latents) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"], int]:
    """Mean, covariance and number of samples."""
    flat = x.double().transpose(0, 1).flatten(1)
    return flat.mean(1), torch.cov(flat), flat.shape[1]


def assert_distributed(x: Latents, expected: Gaussian, errors: float = 4.5) -> None:
    """Mean and covariance of the samples lie within ``errors`` standard errors of the expected ones.

    Standard error of a mean: sqrt(C_ii / n); of a covariance: sqrt((C_ii C_jj + C_ij^2) / n) (Isserlis). At 4.5 a right
    sampler fails one entry in 150,000; the seeds are fixed, so it does not flicker.
    """
    mean, covariance, n = moments(x)
    variance = expected.C.diagonal()
    mean_error = (variance / n).sqrt()
    covariance_error = ((variance[:, None] * variance + expected.C**2) / n).sqrt()
    off_mean = ((mean - expected.mu) / mean_error).abs().max()
    off_covariance = ((covariance - expected.C) / covariance_error).abs().max()
    assert off_mean < errors, f"mean {mean.tolist()} is {off_mean:.1f} standard errors from {expected.mu.tolist()}"
    assert off_covariance < errors, (
        f"covariance is {off_covariance:.1f} standard errors off:\n{covariance}\nexpected\n{expected.C}"
    )


@contextmanager
def without_shape_checks() -> Iterator[None]:
    """As in production, where jaxtyping does not stand before the library's own refusals."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def relative_error(x: Latents, reference: Latents) -> float:
    return float(torch.linalg.vector_norm(x - reference) / torch.linalg.vector_norm(reference))


def slope(steps: list[int], errors: list[float]) -> float:
    """Order of convergence: least-squares slope of log error against log step size."""
    x = [-math.log(n) for n in steps]
    y = [math.log(e) for e in errors]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    return sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True)) / sum((a - x_mean) ** 2 for a in x)
