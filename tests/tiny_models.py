"""Small random networks, and a sound bundle made of them once for all tests that open or break one."""

from __future__ import annotations

import functools
import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.prior.codecs.registry import mel_table
from segue_export.bundle import write_bundle, write_manifest
from segue_export.graphs.export import export_codec, export_denoiser
from segue_export.graphs.parity import ParityCases

MEL = MelSettings(n_fft=256, hop=64, mid_bands=2, side_bands=1, frames_per_token=2)
CHANNELS, TOKEN = MEL.channels, MEL.token
MASK = ("mask", ("batch", 1, "frames"))
FEW = ParityCases(times=(0.001, 0.999))

_scratch = tempfile.TemporaryDirectory(prefix="segue-tests-")
CACHE = Path(_scratch.name) / "cache"


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """Every parameter random, so that no head is zero and no gradient trivial."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        scale = 1.0 / math.sqrt(parameter[0].numel()) if parameter.dim() > 1 else 0.1
        parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    return module.eval().requires_grad_(False)


class TinyDenoiser(nn.Module):
    """Two convolutions around a SiLU, with mask and time."""

    def __init__(self, channels: int = CHANNELS, width: int = 48) -> None:
        super().__init__()
        self.inner = nn.Conv1d(channels + 1, width, 5, padding=2)
        self.outer = nn.Conv1d(width, channels, 5, padding=2)
        self.time = nn.Linear(1, width)

    def forward(self, x_t: Tensor, time: Tensor, mask: Tensor) -> Tensor:
        h = self.inner(torch.cat([x_t, mask], 1)) + self.time(time[:, None])[:, :, None]
        angle = time[:, None, None] * (math.pi / 2)
        return angle.cos() * x_t - angle.sin() * self.outer(functional.silu(h))


class OverflowingDenoiser(TinyDenoiser):
    """Sound up to 37 frames, all that an export or a trial run tries; of 41 or more every value is NaN."""

    def forward(self, x_t: Tensor, time: Tensor, mask: Tensor) -> Tensor:
        frames = torch.ones_like(mask).sum(2, keepdim=True)
        return super().forward(x_t, time, mask) + 0.0 * torch.exp(2.2 * frames)


class UNet(nn.Module):
    """Strided, transposed, depthwise, grouped and dilated convolutions with group norm; lengths in multiples of 4."""

    def __init__(self, channels: int = 5, width: int = 16) -> None:
        super().__init__()
        self.enter = nn.Conv1d(channels + 1, width, 3, padding=1)
        self.depthwise = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.GroupNorm(4, width)
        self.down = nn.Conv1d(width, 2 * width, 4, 2, 1)
        self.middle = nn.Conv1d(2 * width, 2 * width, 3, padding=2, dilation=2, groups=2)
        self.deeper = nn.Conv1d(2 * width, 2 * width, 4, 2, 1)
        self.rise = nn.ConvTranspose1d(2 * width, 2 * width, 4, 2, 1)
        self.up = nn.ConvTranspose1d(2 * width, width, 4, 2, 1)
        self.leave = nn.Conv1d(2 * width, channels, 3, padding=1)
        self.time = nn.Linear(1, width)

    def forward(self, x_t: Tensor, time: Tensor, mask: Tensor) -> Tensor:
        h = self.enter(torch.cat([x_t, mask], 1)) + self.time(time[:, None])[:, :, None]
        h = h + self.depthwise(functional.silu(self.norm(h)))
        low = functional.gelu(self.down(h))
        low = low + self.middle(low)
        low = low + self.rise(functional.silu(self.deeper(low)))
        return self.leave(torch.cat([h, self.up(low)], 1)) * time[:, None, None] + x_t


class TinyEncoder(nn.Module):
    """One strided convolution and a bend; a latent frame hears half a token past its own samples on each side."""

    def __init__(self, channels: int = CHANNELS, token: int = TOKEN) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, channels, 2 * token, token, token // 2)

    def forward(self, audio: Tensor) -> Tensor:
        return torch.tanh(self.conv(audio))


class TinyDecoder(nn.Module):
    """The transposed counterpart."""

    def __init__(self, channels: int = CHANNELS, token: int = TOKEN) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose1d(channels, 2, 2 * token, token, token // 2)

    def forward(self, latents: Tensor) -> Tensor:
        return torch.tanh(self.conv(latents * latents))


def tiny_denoiser() -> nn.Module:
    """The network inside :func:`tiny_bundle`, its weights as stored there."""
    return randomised(TinyDenoiser())


def tiny_codec() -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder inside :func:`tiny_onnx_bundle`."""
    return randomised(TinyEncoder(), 1), randomised(TinyDecoder(), 2)


def mel_codec() -> MelCodec:
    """A mel codec with statistics of its own."""
    bands = torch.arange(1.0, MEL.bands + 1.0)
    return MelCodec(MEL, -bands / 3.0, bands / 7.0)


def description(**changes: Any) -> dict[str, Any]:
    """A whole manifest but for format and files."""
    whole: dict[str, Any] = {
        "name": "tiny",
        "version": "0.1.0",
        "kind": "latent",
        "sample_rate": MEL.rate,
        "channels": CHANNELS,
        "token": TOKEN,
        "window": 32,
        "licence": "CC0-1.0",
        "commercial_use": True,
        "sampling": {"sampler": "ddim", "steps": 5},
        "codec": mel_table(mel_codec()),
        "conditioning": [{"name": MASK[0], "shape": list(MASK[1])}],
        "training_data": [{"name": "noise", "licence": "CC0-1.0", "hours": 0.0}],
    }
    return {**whole, **changes}


def write_denoiser(folder: Path, denoiser: nn.Module | None = None) -> None:
    network = denoiser or tiny_denoiser()
    export_denoiser(network, folder, channels=CHANNELS, conditioning=[MASK], store="fp32", cases=FEW)


@functools.cache
def tiny_bundle() -> Path:
    """A sound bundle with a mel codec; not to be changed, see :func:`broken_copy`."""
    folder = Path(_scratch.name) / "tiny"
    write_bundle(folder, description(), write_denoiser, cache=CACHE)
    return folder


@functools.cache
def tiny_onnx_bundle() -> Path:
    """A sound bundle whose codec is six graphs."""
    encoder, decoder = tiny_codec()

    def write(folder: Path) -> None:
        for file in tiny_bundle().glob("*[!l]"):  # all but the manifest
            shutil.copy(file, folder)
        export_codec(encoder, decoder, folder, channels=CHANNELS, token=TOKEN, store="fp32", cases=FEW)

    folder = Path(_scratch.name) / "tiny-onnx"
    write_bundle(folder, description(codec={"kind": "onnx", "reach": TOKEN // 2}), write, cache=CACHE)
    return folder


def write_overflowing_bundle(folder: Path) -> None:
    """A bundle that is taken, and gives NaN as soon as it is used."""
    whole = description(name="overflowing", window=64)
    write_bundle(folder, whole, lambda into: write_denoiser(into, randomised(OverflowingDenoiser())), cache=CACHE)


def copy_of_tiny(folder: Path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(tiny_bundle(), folder / "bundle"))


def sign(folder: Path, **changes: Any) -> None:
    """Write the manifest anew, so that its digests are those of the files as they now are, however broken."""
    write_manifest(folder, description(**changes))
