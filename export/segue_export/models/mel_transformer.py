"""The embedded prior's network: a donor-conditioned transformer over mel tokens.

Predicts x0_hat from x_t, the noise level and named conditioning inputs. Context tokens are given clean and carry
noise level 0; two donors (places of the same song that fit the gap) are seen whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class MelTransformerSettings:
    """Sizes of the network; ``channels`` is the latent's."""

    channels: int = 576
    width: int = 320
    layers: int = 8
    head: int = 64
    time_width: int = 128
    mlp_ratio: int = 3
    kernel: int = 7


def rotary(x: Float[Tensor, "batch length width"], head: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (length, head / 2) of rotary positions (Su et al. 2021) for a sequence like ``x``."""
    frequency = 10000.0 ** (-torch.arange(0, head, 2, dtype=x.dtype, device=x.device) / head)
    angle = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)[:, None] * frequency
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply rotary positions to (batch, heads, length, head)."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class Block(nn.Module):
    """Self-attention and a depthwise-convolved MLP, both modulated per token by its noise level (adaLN)."""

    def __init__(self, s: MelTransformerSettings) -> None:
        super().__init__()
        d = s.width
        self.heads, self.head, self.kernel = d // s.head, s.head, s.kernel
        self.norm_attention = nn.LayerNorm(d, elementwise_affine=False)
        self.norm_mlp = nn.LayerNorm(d, elementwise_affine=False)
        self.qkv = nn.Linear(d, 3 * d)
        self.out = nn.Linear(d, d)
        self.depthwise = nn.Conv1d(d, d, s.kernel, padding=s.kernel // 2, groups=d)
        self.up = nn.Linear(d, s.mlp_ratio * d)
        self.down = nn.Linear(s.mlp_ratio * d, d)
        self.modulation = nn.Linear(s.time_width, 6 * d)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(  # noqa: D102 (torch's)
        self, x: Tensor, clean: Tensor, noisy: Tensor, keep: Tensor, cos: Tensor, sin: Tensor
    ) -> Tensor:
        batch, length, width = x.shape
        at_clean, at_noisy = self.modulation(clean)[:, None], self.modulation(noisy)[:, None]
        z = (at_noisy + (at_clean - at_noisy) * keep).chunk(6, -1)
        h = self.norm_attention(x) * (1 + z[0]) + z[1]
        qkv = self.qkv(h).view(batch, length, 3, self.heads, self.head).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        h = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
        x = x + (1 + z[2]) * self.out(h.transpose(1, 2).reshape(batch, length, width))
        local = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        h = self.norm_mlp(x + local) * (1 + z[3]) + z[4]
        mixed: Tensor = x + (1 + z[5]) * self.down(F.gelu(self.up(h), approximate="tanh"))
        return mixed


class MelTransformer(nn.Module):
    """x0_hat = alpha_t x_t + sigma_t (o + g1 D1 + g2 D2 + skip(t) x_t); every head starts at zero."""

    def __init__(self, settings: MelTransformerSettings | None = None) -> None:
        super().__init__()
        s = settings or MelTransformerSettings()
        self.settings = s
        c, d, e = s.channels, s.width, s.time_width
        self.embed = nn.Linear(3 * c + 3, d)
        self.blocks = nn.ModuleList(Block(s) for _ in range(s.layers))
        self.norm = nn.LayerNorm(d)
        self.head_out = nn.Linear(d, c)
        self.head_donors = nn.Linear(d, 2 * c)
        self.time = nn.Sequential(nn.Linear(64, e), nn.SiLU(), nn.Linear(e, e), nn.SiLU())
        self.skip = nn.Linear(e, c)
        for head in (self.head_out, self.head_donors, self.skip):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def embed_time(self, time: Float[Tensor, " batch"]) -> Tensor:
        """Fourier features of t in [0, 1] through an MLP, (batch, time_width)."""
        frequency = torch.exp(torch.linspace(0.0, math.log(200.0), 32, dtype=time.dtype, device=time.device))
        angle = time[:, None] * frequency
        embedded: Tensor = self.time(torch.cat([angle.cos(), angle.sin()], -1))
        return embedded

    def forward(
        self,
        x_t: Float[Tensor, "batch channels tokens"],
        time: Float[Tensor, " batch"],
        mask: Float[Tensor, "batch 1 tokens"],
        context: Float[Tensor, "batch channels tokens"],
        donors: Float[Tensor, "batch 2*channels tokens"],
        presence: Float[Tensor, "batch 2 tokens"],
    ) -> Float[Tensor, "batch channels tokens"]:
        """x0_hat. ``mask`` 1 = context given; ``presence`` 1 where a donor covers the token; absent donors are zero."""
        z = x_t + (context - x_t) * mask
        here = presence.transpose(1, 2)
        d1, d2 = (d.transpose(1, 2) * here[..., i : i + 1] for i, d in enumerate(donors.chunk(2, 1)))
        keep, z = mask.transpose(1, 2), z.transpose(1, 2)
        clean, noisy = self.embed_time(time * 0), self.embed_time(time)
        cos, sin = rotary(z, self.settings.head)
        h = self.embed(torch.cat([z, d1, d2, keep, here], -1))
        for block in self.blocks:
            h = block(h, clean, noisy, keep, cos, sin)
        h = self.norm(h)
        g1, g2 = self.head_donors(h).chunk(2, -1)
        out = self.head_out(h) + g1 * d1 + g2 * d2 + self.skip(noisy)[:, None] * z
        angle = time[:, None, None] * (math.pi / 2)
        x0 = (angle.cos() * z + angle.sin() * out).transpose(1, 2)
        kept: Tensor = x0 + (context - x0) * mask
        return kept
