"""Add an embedder: one class that turns audio into a vector, one line to register it, and it can guide.

The spectral centroid, in kilohertz: how bright a sound is. In Segue itself it would be guidance/embedders/centroid.py
and one line in guidance/embedders/registry.py; here, EMBEDDERS.register does the same. A prior of white noise is asked
for a darker sound.

Run it: python examples/add_an_embedder.py
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from segue.guidance.embedders.contract import Audio
from segue.guidance.embedders.registry import EMBEDDERS
from segue.guidance.guided import guided
from segue.guidance.objective import ObjectiveSpec, TermSpec
from segue.registry import Choice
from segue.sampling.contract import Latents
from segue.sampling.noise import start_noise
from segue.sampling.registry import SAMPLERS
from segue.sampling.schedule import Schedule


@dataclass(frozen=True)
class Centroid:
    """The power-weighted mean frequency of the mid signal, in kilohertz: (batch, 1)."""

    rate: int = 44100

    def __call__(self, audio: Audio) -> Float[Tensor, "batch 1"]:
        spectrum = torch.fft.rfft(audio.mean(1))
        power = spectrum.real.square() + spectrum.imag.square() + 1e-12
        hertz = torch.fft.rfftfreq(audio.shape[-1], 1.0 / self.rate).to(power)
        centroid: Tensor = power @ hertz / power.sum(-1) / 1000.0
        return centroid[:, None]


EMBEDDERS.register("centroid", Centroid)

STD = 0.1


def white_noise(x_t: Latents, t: Tensor) -> Latents:
    """x0_hat = E[x_0 | x_t] for white noise of standard deviation STD; a stand-in for a waveform prior."""
    a, s = torch.cos(torch.pi * t / 2)[:, None, None], torch.sin(torch.pi * t / 2)[:, None, None]
    return a * STD**2 * x_t / (a**2 * STD**2 + s**2)


def sample(kilohertz: float, kappa: float) -> Float[Tensor, "batch 1"]:
    """The centroid of what comes out when ``kilohertz`` is asked for with strength ``kappa``."""
    target = torch.full((2, 1), kilohertz)
    objective = ObjectiveSpec((TermSpec(Choice("l2"), target, embedder=Choice("centroid"), on="audio"),)).build()
    prior = guided(white_noise, objective, kappa, normalise="item", decode=lambda latents: latents)
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    x_T = start_noise(generators, channels=2, frames=8192)
    return Centroid()(SAMPLERS.make("ddpm")(prior, Schedule.linear(20), x_T, generators))


def main() -> None:
    for kappa in (0.0, 0.02, 0.05):
        print(f"asked for 5 kHz with kappa {kappa}: {sample(5.0, kappa)[:, 0].tolist()} kHz")


if __name__ == "__main__":
    main()
