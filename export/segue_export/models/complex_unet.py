"""The waveform class's network: a U-Net over complex spectra, frequency by time, with a transformer at its bottom.

Predicts x0_hat from x_t, the noise level, and the context where there is one. With an empty mask it is the paper's
unconditional prior.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue_export.models.mel_transformer import Block, MelTransformerSettings, fourier_features, rotary


@dataclass(frozen=True)
class ComplexUNetSettings:
    """Geometry of the latent (:class:`segue.prior.codecs.stft.StftSettings`) and sizes of the network.

    ``patch`` neighbouring bins are one place; ``widths`` are the channels at each level, halved in both directions from
    one to the next, the last at one column a token. Below, ``layers`` blocks of ``width`` see all frequencies at once.
    """

    bins: int = 384
    noise_bands: int = 16
    frames_per_token: int = 4
    patch: int = 8
    widths: tuple[int, ...] = (32, 64, 128)
    groups: int = 4
    width: int = 256
    layers: int = 4
    head: int = 64
    time_width: int = 128

    def __post_init__(self) -> None:
        down = 2 ** (len(self.widths) - 1)
        if down != self.frames_per_token or self.bins % (self.patch * down):
            raise InvalidRequest(
                f"expected {self.frames_per_token} frames a token to halve into {len(self.widths)} levels, and bins a "
                f"multiple of {self.patch * down}, got {self.bins} bins"
            )

    @property
    def noises(self) -> int:
        """Noise bands of a frame, mid and side."""
        return 2 * self.noise_bands

    @property
    def features(self) -> int:
        """Numbers of a frame."""
        return 4 * self.bins + self.noises

    @property
    def channels(self) -> int:
        """Channels of the latent."""
        return self.features * self.frames_per_token

    @property
    def bands(self) -> int:
        """Places in frequency at the first level."""
        return self.bins // self.patch

    @property
    def deepest(self) -> int:
        """Numbers of a column at the last level."""
        return self.widths[-1] * self.bands >> (len(self.widths) - 1)


class Residual(nn.Module):
    """Two convolutions of 3 x 3 beside the identity, modulated by the noise level."""

    def __init__(self, width: int, groups: int, time_width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, affine=False)  # the modulation is its affine part
        self.modulation = nn.Linear(time_width, 2 * width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:  # noqa: D102 (torch's)
        scale, shift = self.modulation(level)[:, :, None, None].chunk(2, 1)
        h = nn.functional.silu(self.norm(x) * (1 + scale) + shift)
        added: Tensor = x + self.second(nn.functional.silu(self.first(h)))
        return added


class ComplexUNet(nn.Module):
    """x0_hat = alpha_t x_t + sigma_t (o + skip(t) x_t); both heads start at zero."""

    def __init__(self, settings: ComplexUNetSettings | None = None) -> None:
        super().__init__()
        s = settings or ComplexUNetSettings()
        self.settings = s
        e, noises = s.time_width, s.noises * s.frames_per_token
        inner = MelTransformerSettings(width=s.width, layers=s.layers, head=s.head, time_width=e)
        self.time = nn.Sequential(nn.Linear(64, e), nn.SiLU(), nn.Linear(e, e), nn.SiLU())
        self.embed = nn.Conv2d(4 * s.patch + 1, s.widths[0], 1)
        self.frequency = nn.Parameter(torch.zeros(1, s.widths[0], s.bands, 1))
        self.falling = nn.ModuleList(Residual(w, s.groups, e) for w in s.widths)
        self.rising = nn.ModuleList(Residual(w, s.groups, e) for w in s.widths)
        pairs = list(zip(s.widths[:-1], s.widths[1:], strict=True))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in pairs)
        self.gather = nn.Linear(s.deepest + noises + 1, s.width)
        self.blocks = nn.ModuleList(Block(inner) for _ in range(s.layers))
        self.norm = nn.LayerNorm(s.width)
        self.scatter = nn.Linear(s.width, s.deepest)
        self.head_waves = nn.Conv2d(s.widths[0], 4 * s.patch, 1)
        self.head_noises = nn.Linear(s.width, noises)
        self.skip = nn.Linear(e, s.features)
        for head in (self.head_waves, self.head_noises, self.skip):
            for parameter in head.parameters():
                nn.init.zeros_(parameter)

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
    ) -> Float[Tensor, "batch channels tokens"]:
        """x0_hat; ``mask`` 1 = context given."""
        s = self.settings
        z = x_t + (context - x_t) * mask
        batch, _, tokens = z.shape
        frames = z.transpose(1, 2).reshape(batch, tokens * s.frames_per_token, s.features)
        waves, noises = frames[..., : 4 * s.bins], frames[..., 4 * s.bins :]
        clean, level = self.embed_time(time * 0), self.embed_time(time)
        o_waves, o_noises = self._through(waves, noises, mask, clean, level)
        out = torch.cat([o_waves, o_noises], -1) + self.skip(level)[:, None] * frames
        angle = time[:, None, None] * (math.pi / 2)
        x0 = (angle.cos() * frames + angle.sin() * out).reshape(batch, tokens, s.channels).transpose(1, 2)
        kept: Tensor = x0 + (context - x0) * mask
        return kept

    def _through(
        self, waves: Tensor, noises: Tensor, mask: Tensor, clean: Tensor, level: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Both parts of o, (batch, frames, ...), of what is seen of waves and noise bands."""
        s = self.settings
        batch, frames, _ = waves.shape
        tokens = frames // s.frames_per_token
        patches = waves.reshape(batch, frames, 4, s.bands, s.patch).permute(0, 2, 4, 3, 1)
        patches = patches.reshape(batch, 4 * s.patch, s.bands, frames)
        known = mask[..., None].expand(batch, 1, tokens, s.frames_per_token).reshape(batch, 1, 1, frames)
        h = self.embed(torch.cat([patches, known.expand(batch, 1, s.bands, frames)], 1)) + self.frequency
        seen = []
        for i, block in enumerate(self.falling):
            h = block(h, level)
            seen.append(h)
            h = self.down[i](h) if i < len(self.down) else h
        h, o_noises = self._below(h, noises, mask, clean, level)
        for i, block in reversed(list(enumerate(self.rising))):
            h = self.up[i](h) + seen[i] if i < len(self.up) else h
            h = block(h, level)
        o = self.head_waves(h).reshape(batch, 4, s.patch, s.bands, frames).permute(0, 4, 1, 3, 2)
        return o.reshape(batch, frames, 4 * s.bins), o_noises

    def _below(self, h: Tensor, noises: Tensor, mask: Tensor, clean: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """The transformer over columns: what it adds to the last level, and o of the noise bands."""
        batch, width, bands, tokens = h.shape
        keep = mask.transpose(1, 2)
        columns = h.reshape(batch, width * bands, tokens).transpose(1, 2)
        d = self.gather(torch.cat([columns, noises.reshape(batch, tokens, -1), keep], -1))
        cos, sin = rotary(d, self.settings.head)
        for block in self.blocks:
            d = block(d, clean, level, keep, cos, sin)
        d = self.norm(d)
        added = self.scatter(d).transpose(1, 2).reshape(batch, width, bands, tokens)
        return h + added, self.head_noises(d).reshape(batch, -1, self.settings.noises)
