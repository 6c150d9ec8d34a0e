"""Segue's own variables: x_t = alpha_t x_0 + sigma_t eps, alpha_t = cos(pi t / 2), sigma_t = sin(pi t / 2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def alpha_sigma(time: Tensor) -> tuple[Tensor, Tensor]:
    """alpha_t and sigma_t, each (batch, 1, 1), of t (batch,); exactly 0 at t = 1 and t = 0."""
    half = math.pi / 2
    return torch.sin((1 - time) * half)[:, None, None], torch.sin(time * half)[:, None, None]


def from_velocity(x_t: Tensor, v: Tensor, time: Tensor) -> Tensor:
    """x0_hat = alpha_t x_t - sigma_t v, where v = alpha_t eps - sigma_t x_0 (Salimans & Ho 2022)."""
    alpha, sigma = alpha_sigma(time)
    return alpha * x_t - sigma * v


def to_flow(x_t: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    """x_flow = x_t / (alpha_t + sigma_t) and tau = sigma_t / (alpha_t + sigma_t), (batch,), of a rectified flow.

    The flow's x_tau = (1 - tau) x_0 + tau eps is x_t but for its scale, so that
    x0_hat = x_flow - tau v(x_flow, tau) is exact.
    """
    alpha, sigma = alpha_sigma(time)
    return x_t / (alpha + sigma), (sigma / (alpha + sigma))[:, 0, 0]
