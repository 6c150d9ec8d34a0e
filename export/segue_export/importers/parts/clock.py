"""Segue's own variables: x_t = alpha_t x_0 + sigma_t eps, alpha_t = cos(pi t / 2), sigma_t = sin(pi t / 2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def alpha_sigma(time: Tensor) -> tuple[Tensor, Tensor]:
    """alpha_t and sigma_t, each (batch, 1, 1), of t (batch,); exactly 0 at t = 1 and t = 0."""
    alpha, sigma = _exactly(time)
    return alpha.to(time.dtype), sigma.to(time.dtype)


def from_velocity(x_t: Tensor, v: Tensor, time: Tensor) -> Tensor:
    """x0_hat = alpha_t x_t - sigma_t v, where v = alpha_t eps - sigma_t x_0 (Salimans & Ho 2022)."""
    alpha, sigma = alpha_sigma(time)
    return alpha * x_t - sigma * v


def to_flow(x_t: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    """x_flow = x_t / (alpha_t + sigma_t) and tau = sigma_t / (alpha_t + sigma_t), (batch,), of a rectified flow.

    The flow's x_tau = (1 - tau) x_0 + tau eps is x_t but for its scale, so that
    x0_hat = x_flow - tau v(x_flow, tau) is exact.
    """
    alpha, sigma = _exactly(time)
    whole = alpha + sigma
    return x_t / whole.to(x_t.dtype), (sigma / whole)[:, 0, 0].to(time.dtype)


def _exactly(time: Tensor) -> tuple[Tensor, Tensor]:
    """In float64, so that torch and ONNX Runtime round to the same float32: networks hear their time through sines of
    frequencies up to 10,000, where the last bit of tau moves the prediction of 20 layers by 6e-5.
    """
    exact = time.double()
    half = torch.tensor(math.pi / 2, dtype=torch.float64)  # the exporter rounds a plain number to float32
    return torch.sin((1 - exact) * half)[:, None, None], torch.sin(exact * half)[:, None, None]
