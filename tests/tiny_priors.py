"""Tiny random bundles with prompts, one of each way to know a gap: told by mask and context, and not told at all."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor, nn
from torch.nn import functional

from segue.prior.manifest import PROMPTS, TOKENIZER
from segue.prior.signature import TensorSpec, TextSignature
from segue_export.bundle import write_bundle
from segue_export.graphs.export import export_codec, export_denoiser
from segue_export.graphs.text import export_text
from tests.tiny_models import CACHE, FEW, TinyDecoder, TinyEncoder, description, randomised

CHANNELS, WIDTH, WINDOW = 6, 4, 64
WORDS = ("<unk>", "dusty", "upright", "piano", "slow", "drums", "in", "the", "rain")
LENGTH = 6

_scratch = tempfile.TemporaryDirectory(prefix="segue-priors-")


class Network(nn.Module):
    """Two convolutions; a prompt's mean is added where it is given."""

    def __init__(self, extra: int) -> None:
        super().__init__()
        self.inner = nn.Conv1d(CHANNELS + extra, 24, 5, padding=2)
        self.outer = nn.Conv1d(24, CHANNELS, 5, padding=2)
        self.time, self.prompt = nn.Linear(1, 24), nn.Linear(WIDTH, 24)

    def run(self, heard: Tensor, x_t: Tensor, time: Tensor, text: Tensor, given: Tensor) -> Tensor:
        told = self.prompt(text.mean(1)) * given + self.time(time[:, None])
        v = self.outer(functional.silu(self.inner(heard) + told[:, :, None]))
        angle = time[:, None, None] * (torch.pi / 2)
        return angle.cos() * x_t - angle.sin() * v


class Told(Network):
    """Hears mask and context."""

    def __init__(self) -> None:
        super().__init__(CHANNELS + 1)

    def forward(
        self, x_t: Tensor, time: Tensor, mask: Tensor, context: Tensor, prompt_text: Tensor, prompt_given: Tensor
    ) -> Tensor:
        return self.run(torch.cat([x_t, mask, context], 1), x_t, time, prompt_text, prompt_given)


class Untold(Network):
    """Hears how long its window is, and nothing of what stands around a gap."""

    def __init__(self) -> None:
        super().__init__(0)
        self.seconds = nn.Linear(2, CHANNELS)

    def forward(self, x_t: Tensor, time: Tensor, prompt_text: Tensor, prompt_given: Tensor, seconds: Tensor) -> Tensor:
        heard = x_t + self.seconds(seconds)[:, :, None]
        return self.run(heard, x_t, time, prompt_text, prompt_given)


class Text(nn.Module):
    """A vector a word."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(len(WORDS), WIDTH)

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        return self.words(token_ids) * token_mask[:, :, None]


def _codec(folder: Path, token: int) -> None:
    encoder, decoder = randomised(TinyEncoder(CHANNELS, token), 1), randomised(TinyDecoder(CHANNELS, token), 2)
    export_codec(encoder, decoder, folder, channels=CHANNELS, token=token, store="fp32", cases=FEW)


def _words(folder: Path) -> None:
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    backend.normalizer, backend.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    backend.save(str(folder / TOKENIZER))
    signature = TextSignature((TensorSpec("prompt_text", ("batch", "tokens", WIDTH)),))
    export_text(randomised(Text(), 3), folder, signature, vocabulary=len(WORDS), length=None, store="fp32")


@functools.cache
def told_bundle() -> Path:
    """48 kHz, 160 samples a frame; mask, context and a prompt of any words; Euler steps of a shifted flow."""
    conditioning = [
        ("mask", ("batch", 1, "frames")),
        ("context", ("batch", CHANNELS, "frames")),
        ("prompt_text", ("batch", "tokens", WIDTH)),
        ("prompt_given", ("batch", 1)),
    ]

    def write(folder: Path) -> None:
        network = randomised(Told())
        given = {"channels": CHANNELS, "conditioning": conditioning, "store": "fp32", "cases": FEW}
        export_denoiser(network, folder, **given)
        _codec(folder, 160)
        _words(folder)

    whole = description(
        name="told",
        sample_rate=48000,
        channels=CHANNELS,
        token=160,
        window=WINDOW,
        codec={"kind": "onnx", "reach": 80},
        conditioning=[{"name": name, "shape": list(shape)} for name, shape in conditioning],
        sampling={"sampler": "ddim", "steps": 8, "schedule": "flow", "shift": 3.0},
        prompting={"scale": 3.0, "rule": "apg", "momentum": -0.75, "threshold": 2.5},
        text={"max_length": LENGTH, "template": "{prompt}", "outputs": ["prompt_text"]},
    )
    folder = Path(_scratch.name) / "told"
    write_bundle(folder, whole, write, cache=CACHE)
    return folder


@functools.cache
def untold_bundle() -> Path:
    """44.1 kHz, 128 samples a frame, windows of one length; two stored prompts and no text encoder."""
    conditioning = [
        ("prompt_text", ("batch", LENGTH, WIDTH)),
        ("prompt_given", ("batch", 1)),
        ("seconds", ("batch", 2)),
    ]

    def write(folder: Path) -> None:
        network = randomised(Untold())
        given = {"channels": CHANNELS, "conditioning": conditioning, "store": "fp32", "cases": FEW}
        export_denoiser(network, folder, **given)
        _codec(folder, 128)
        draws = torch.Generator().manual_seed(4)
        stored = {f"{i}.prompt_text": torch.randn(1, LENGTH, WIDTH, generator=draws) for i in range(2)}
        save_file(stored, folder / PROMPTS)

    whole = description(
        name="untold",
        channels=CHANNELS,
        token=128,
        window=WINDOW,
        min_window=WINDOW,
        codec={"kind": "onnx", "reach": 64},
        conditioning=[{"name": name, "shape": list(shape)} for name, shape in conditioning],
        sampling={"sampler": "dpmpp", "steps": 20, "schedule": "edm", "low": -6.2, "high": 1.2},
        prompting={"scale": 7.0},
        prompts=[{"name": "rain", "text": "slow drums in the rain"}, {"name": "piano", "text": "dusty upright piano"}],
    )
    folder = Path(_scratch.name) / "untold"
    write_bundle(folder, whole, write, cache=CACHE)
    return folder
