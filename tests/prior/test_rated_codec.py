"""A codec at a rate of its own: time, level, gradient and reach as they are at 44.1 kHz."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch

from segue.errors import BundleRejected
from segue.prior.codecs.rated import RatedCodec
from segue.prior.contract import Codec, StereoBatch
from segue.sampling.contract import Latents


@dataclass(frozen=True)
class Folding:
    """Latents that are the samples themselves, ``token`` of both channels to a frame."""

    token: int = 1920
    reach: int = 0
    needs_excitation: bool = False

    @property
    def channels(self) -> int:
        return 2 * self.token

    def encode(self, audio: StereoBatch) -> Latents:
        return audio.unflatten(2, (-1, self.token)).permute(0, 1, 3, 2).flatten(1, 2)

    def decode(self, latents: Latents, excitation: StereoBatch | None = None) -> StereoBatch:
        return latents.unflatten(1, (2, self.token)).permute(0, 1, 3, 2).flatten(2, 3)


def tone(rate: int, samples: int, hertz: float = 1000.0) -> StereoBatch:
    t = torch.arange(samples, dtype=torch.float64) / rate
    return torch.stack([torch.sin(2 * math.pi * hertz * t), torch.cos(2 * math.pi * hertz * t)])[None].float()


def test_the_codec_hears_the_same_tone_at_its_own_rate_and_gives_it_back() -> None:
    codec: Codec = RatedCodec(Folding(), 48000)
    assert codec.token == 1764 and codec.channels == 3840 and codec.reach >= 90
    audio = tone(44100, 10 * codec.token)
    latents = codec.encode(audio)
    heard = Folding().decode(latents)
    inner = slice(2000, -2000)
    assert heard.shape == (1, 2, 10 * 1920)
    assert float((heard - tone(48000, 10 * 1920))[..., inner].abs().max()) < 1e-4
    assert float((codec.decode(latents, None) - audio)[..., inner].abs().max()) < 1e-4


def test_nothing_past_the_reach_is_heard() -> None:
    codec = RatedCodec(Folding(), 48000)
    audio = torch.randn(1, 2, 6 * codec.token, generator=torch.Generator().manual_seed(0))
    frame = codec.encode(audio)[..., 3]
    audio[..., : 3 * codec.token - codec.reach] += 1.0
    audio[..., 4 * codec.token + codec.reach :] -= 1.0
    assert torch.allclose(codec.encode(audio)[..., 3], frame, atol=1e-7)


def test_the_gradient_crosses_both_ways_as_the_adjoint() -> None:
    """<decode(x), y> = <x, gradient>: the chain is linear."""
    codec = RatedCodec(Folding(), 48000)
    draws = torch.Generator().manual_seed(2)
    x = torch.randn(1, codec.channels, 3, generator=draws).requires_grad_()
    y = torch.randn(1, 2, 3 * codec.token, generator=draws)
    value = (codec.decode(x, None) * y).sum()
    (g,) = torch.autograd.grad(value, x)
    assert float((g * x.detach()).sum()) == pytest.approx(float(value.detach()), rel=1e-3)


@pytest.mark.parametrize(("token", "rate"), [(1000, 48000), (1920, 44101)])
def test_rates_without_a_common_grid_are_refused(token: int, rate: int) -> None:
    with pytest.raises(BundleRejected, match="whole number of samples"):
        RatedCodec(Folding(token), rate)
