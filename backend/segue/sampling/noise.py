"""Noise, one generator per batch item."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from segue.sampling.contract import Latents


def noise(generators: Sequence[torch.Generator], like: Latents) -> Latents:
    """Standard normal noise of the shape, type and device of ``like``, item i from ``generators[i]``.

    Drawn in float32 on each generator's device: the same draw, whatever the precision of the state or its device.
    """
    shape = like.shape[1:]
    drawn = [torch.randn(shape, generator=g, device=g.device, dtype=torch.float32) for g in generators]
    return torch.stack([z.to(like.device) for z in drawn]).to(like.dtype)


def start_noise(generators: Sequence[torch.Generator], channels: int, frames: int) -> Latents:
    """x_T of a render from nothing: (batch, channels, frames) float32 on the generators' device."""
    return torch.stack([torch.randn(channels, frames, generator=g, device=g.device) for g in generators])
