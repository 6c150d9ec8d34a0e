"""Add a prior family: a network with a conditioning input of its own, one provider, one line to register it.

A small convolutional denoiser hears, beside mask and context, where in the beat each frame stands. It is trained for a
few seconds on the bundled excerpt, exported to a bundle of ONNX graphs in a temporary folder, and fills a gap. In Segue
itself ``beat`` would be a function in prior/conditioning.py and one line in its PROVIDERS; the renderer, which never
sees the network's definition, needs no other change.

Run it: python examples/add_a_prior.py
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

import segue
from segue.clip.clip import MODEL_RATE
from segue.clip.files import read_audio
from segue.clip.resample import to_model
from segue.clip.span import Span
from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.prior.codecs.registry import mel_table
from segue.prior.conditioning import PROVIDERS
from segue.prior.contract import REFERENCE_RMS, ConditioningRequest
from segue.tasks.infill import Infill
from segue.tasks.plan import Stereo
from segue_export.bundle import write_bundle
from segue_export.graphs.export import export_denoiser
from segue_export.graphs.parity import ParityCases

EXCERPT = Path(__file__).parent / "music" / "upbeat.flac"
BEAT = 0.5  # seconds; 120 to the minute, as a host would tell it
WINDOW = 48  # latent frames
MEL = MelSettings(mid_bands=16, side_bands=8)
CHANNELS = MEL.channels
CONDITIONING = (
    ("mask", ("batch", 1, "frames")),
    ("context", ("batch", CHANNELS, "frames")),
    ("beat", ("batch", 2, "frames")),
)


def beat_phase(first: Float[Tensor, " batch"], frames: int) -> Float[Tensor, "batch 2 frames"]:
    """Cosine and sine of the place in the beat of ``frames`` frames from ``first`` seconds on."""
    seconds = first[:, None] + (torch.arange(frames) + 0.5) * MEL.token / MEL.rate
    angle = 2.0 * math.pi * seconds / BEAT
    return torch.stack([angle.cos(), angle.sin()], 1).float()


def beat(request: ConditioningRequest) -> Tensor:
    """The provider: what this bundle's graphs name ``beat``, made of the window's place on the timeline."""
    batch, _, frames = request.mask.shape
    return beat_phase(torch.full((batch,), request.seconds[0]), frames)


PROVIDERS["beat"] = beat


class Denoiser(nn.Module):
    """x0_hat = alpha_t x_t + sigma_t net(...); any module of (x_t, time, **conditioning) can be exported."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.enter = nn.Conv1d(2 * CHANNELS + 4, width, 1)
        self.near = nn.Conv1d(width, width, 5, padding=2)
        self.far = nn.Conv1d(width, width, 5, padding=8, dilation=4)
        self.leave = nn.Conv1d(width, CHANNELS, 1)

    def forward(self, x_t: Tensor, time: Tensor, mask: Tensor, context: Tensor, beat: Tensor) -> Tensor:
        level = time[:, None, None].expand_as(mask)
        h = self.enter(torch.cat([x_t, context, mask, beat, level], 1))
        h = h + self.near(nn.functional.silu(h))
        h = h + self.far(nn.functional.silu(h))
        angle = time[:, None, None] * (math.pi / 2.0)
        x0_hat: Tensor = angle.cos() * x_t + angle.sin() * self.leave(nn.functional.silu(h))
        return x0_hat


def make_codec(song: Stereo) -> MelCodec:
    """A mel codec with the song's own statistics."""
    plain = MelCodec(MEL, torch.zeros(MEL.bands), torch.ones(MEL.bands))
    frames = plain.frames(torch.from_numpy(song)[None])[0]
    return MelCodec(MEL, frames.mean(0), frames.std(0))


def train(latents: Float[Tensor, "1 channels frames"], steps: int = 200) -> Denoiser:
    """A denoiser of the song's own frames: far too little music to be any good, enough to show the way."""
    torch.manual_seed(0)
    net, batch = Denoiser(), 16
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3)
    for _ in range(steps):
        starts = torch.randint(0, latents.shape[-1] - WINDOW, (batch,))
        x_0 = torch.cat([latents[..., s : s + WINDOW] for s in starts.tolist()])
        mask = torch.ones(batch, 1, WINDOW)
        mask[..., 16:32] = 0.0
        time = torch.rand(batch)
        angle = time[:, None, None] * (math.pi / 2.0)
        x_t = angle.cos() * x_0 + angle.sin() * torch.randn_like(x_0)
        x0_hat = net(x_t, time, mask, x_0 * mask, beat_phase(starts * MEL.token / MEL.rate, WINDOW))
        loss = ((x0_hat - x_0) * (1.0 - mask)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(f"trained {sum(p.numel() for p in net.parameters())} weights for {steps} steps, loss {loss.item():.3f}")
    return net


def description(codec: MelCodec) -> dict[str, object]:
    """What the bundle says of itself: its manifest, but for digests."""
    return {
        "name": "beat-example",
        "version": "0.1.0",
        "kind": "latent",
        "sample_rate": MEL.rate,
        "channels": CHANNELS,
        "token": MEL.token,
        "window": WINDOW,
        "licence": "CC-BY-3.0",
        "commercial_use": True,
        "sampling": {"sampler": "ddim", "steps": 8},
        "codec": mel_table(codec),
        "conditioning": [{"name": name, "shape": list(shape)} for name, shape in CONDITIONING],
        "training_data": [{"name": "upbeat, excerpt", "licence": "CC-BY-3.0", "author": "Nikola Whallon"}],
    }


def main() -> None:
    torch.set_num_threads(1)
    whole = to_model(read_audio(EXCERPT).clip())
    audio = whole[:, : whole.shape[1] // MEL.token * MEL.token]
    song = (audio * (REFERENCE_RMS / np.sqrt(np.mean(audio**2)))).astype(np.float32)
    codec = make_codec(song)
    net = train(codec.encode(torch.from_numpy(song)[None]))

    def write_graphs(folder: Path) -> None:
        cases = ParityCases(times=(0.02, 0.5, 0.999))
        report = export_denoiser(net, folder, channels=CHANNELS, conditioning=CONDITIONING, cases=cases)
        print(f"exported; the graphs differ from torch by {report.largest:.1e} at most")

    with tempfile.TemporaryDirectory() as scratch:
        made = write_bundle(Path(scratch) / "beat-example", description(codec), write_graphs)
        renderer = segue.Renderer(made.folder)
        print(f"opened {renderer.bundle.manifest.name}, which asks for {', '.join(renderer.denoiser.inputs)}")
        plan = Infill((Span(6 * MODEL_RATE, 7 * MODEL_RATE),)).plan([audio[:, : 12 * MODEL_RATE]])
        rendered = renderer.render(plan, segue.RenderSettings(steps=4))
    for rank, take in enumerate(rendered.regions[0].takes, 1):
        rms = float(np.sqrt(np.mean(take.audio**2)))
        print(f"{rank}. {take.method} ({take.how}): {take.audio.shape[1] / MODEL_RATE:.1f} s at an RMS of {rms:.3f}")


if __name__ == "__main__":
    main()
