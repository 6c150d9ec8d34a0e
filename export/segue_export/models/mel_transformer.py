"""The embedded prior's network: a donor-conditioned transformer over mel tokens.

Predicts x0_hat from x_t, the noise level and named conditioning inputs. Context tokens are given clean and carry
noise level 0; donors (places of the same song that fit the gap, or parts of such places) are seen whole.
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
    """Sizes of the network; ``channels`` is the latent's, ``donors`` how many it is shown.

    ``consensus``: what the song's likely places agree on is one more. ``dropout`` (probability) falls on what attention
    and MLP add, in training alone.
    """

    channels: int = 576
    width: int = 320
    layers: int = 8
    head: int = 64
    time_width: int = 128
    mlp_ratio: int = 3
    kernel: int = 7
    donors: int = 2
    consensus: bool = False
    dropout: float = 0.0

    @property
    def shown(self) -> int:
        """Courses of the latents that the network sees beside x_t and the context."""
        return self.donors + self.consensus


def rotary(x: Float[Tensor, "batch length width"], head: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (length, head / 2) of rotary positions (Su et al. 2021) for a sequence like ``x``."""
    frequency = 10000.0 ** (-torch.arange(0, head, 2, dtype=x.dtype, device=x.device) / head)
    angle = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)[:, None] * frequency
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply rotary positions to (batch, heads, length, head)."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def fourier_features(time: Float[Tensor, " batch"]) -> Float[Tensor, "batch 64"]:
    """Cosines and sines of t in [0, 1] at 32 frequencies from 1 to 200 rad."""
    frequency = torch.exp(torch.linspace(0.0, math.log(200.0), 32, dtype=time.dtype, device=time.device))
    angle = time[:, None] * frequency
    return torch.cat([angle.cos(), angle.sin()], -1)


class Block(nn.Module):
    """Self-attention and a depthwise-convolved MLP, both modulated per token by its noise level (adaLN)."""

    def __init__(self, s: MelTransformerSettings) -> None:
        super().__init__()
        d = s.width
        self.heads, self.head, self.kernel, self.dropout = d // s.head, s.head, s.kernel, s.dropout
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
        x = x + (1 + z[2]) * self._dropped(self.out(h.transpose(1, 2).reshape(batch, length, width)))
        local = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        h = self.norm_mlp(x + local) * (1 + z[3]) + z[4]
        mixed: Tensor = x + (1 + z[5]) * self._dropped(self.down(F.gelu(self.up(h), approximate="tanh")))
        return mixed

    def _dropped(self, added: Tensor) -> Tensor:
        return F.dropout(added, self.dropout) if self.training and self.dropout else added


class MelTransformer(nn.Module):
    """x0_hat = alpha_t x_t + sigma_t (o + g1 D1 + g2 D2 + ... + skip(t) x_t); every head starts at zero."""

    def __init__(self, settings: MelTransformerSettings | None = None) -> None:
        super().__init__()
        s = settings or MelTransformerSettings()
        self.settings = s
        c, d, e = s.channels, s.width, s.time_width
        self.embed = nn.Linear((1 + s.shown) * c + 1 + s.shown, d)
        self.blocks = nn.ModuleList(Block(s) for _ in range(s.layers))
        self.norm = nn.LayerNorm(d)
        self.head_out = nn.Linear(d, c)
        self.head_donors = nn.Linear(d, s.shown * c)
        self.time = nn.Sequential(nn.Linear(64, e), nn.SiLU(), nn.Linear(e, e), nn.SiLU())
        self.skip = nn.Linear(e, c)
        for head in (self.head_out, self.head_donors, self.skip):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def embed_time(self, time: Float[Tensor, " batch"]) -> Tensor:
        """Fourier features of t in [0, 1] through an MLP, (batch, time_width)."""
        embedded: Tensor = self.time(fourier_features(time))
        return embedded

    def forward(
        self,
        x_t: Float[Tensor, "batch channels tokens"],
        time: Float[Tensor, " batch"],
        mask: Float[Tensor, "batch 1 tokens"],
        context: Float[Tensor, "batch channels tokens"],
        donors: Float[Tensor, "batch given tokens"],
        presence: Float[Tensor, "batch donors tokens"],
        consensus: Float[Tensor, "batch channels tokens"] | None = None,
        agreed: Float[Tensor, "batch 1 tokens"] | None = None,
    ) -> Float[Tensor, "batch channels tokens"]:
        """x0_hat. ``mask`` 1 = context given; ``presence`` 1 where a donor covers the token; absent donors are zero.

        ``donors``: the channels of each donor, one donor after another. ``consensus``, where ``agreed`` is 1: of those
        networks that have one.
        """
        if consensus is not None and agreed is not None:
            donors, presence = torch.cat([donors, consensus], 1), torch.cat([presence, agreed], 1)
        z = x_t + (context - x_t) * mask
        here = presence.transpose(1, 2)
        places = [d.transpose(1, 2) * here[..., i : i + 1] for i, d in enumerate(donors.chunk(self.settings.shown, 1))]
        keep, z = mask.transpose(1, 2), z.transpose(1, 2)
        clean, noisy = self.embed_time(time * 0), self.embed_time(time)
        cos, sin = rotary(z, self.settings.head)
        h = self.embed(torch.cat([z, *places, keep, here], -1))
        for block in self.blocks:
            h = block(h, clean, noisy, keep, cos, sin)
        h = self.norm(h)
        out = self.head_out(h)
        for gain, place in zip(self.head_donors(h).chunk(len(places), -1), places, strict=True):
            out = out + gain * place
        out = out + self.skip(noisy)[:, None] * z
        angle = time[:, None, None] * (math.pi / 2)
        x0 = (angle.cos() * z + angle.sin() * out).transpose(1, 2)
        kept: Tensor = x0 + (context - x0) * mask
        return kept
