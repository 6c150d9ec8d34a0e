"""The paper's other class: a prior of waves (complex spectra), whose latents need no song to be sounded."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from segue.prior.runtime import SessionSettings
from segue.render.generate import SampleSettings
from segue.render.renderer import Renderer
from segue_bench.methods.filling import ALL, GAPS, Filling
from segue_bench.methods.paper import Paper
from segue_bench.workbench import Made, Workbench

BUNDLE = "waveform"

XI = 3e-3
"""The paper's guidance strength on waveforms."""


@functools.cache
def _renderer() -> Renderer:
    return Renderer(BUNDLE, SessionSettings(threads=1))


@dataclass(frozen=True)
class Waveform:
    """``fill`` on a workbench whose renderer has the waveform bundle."""

    fill: Callable[[Workbench, int], Made]

    def __call__(self, bench: Workbench, seed: int) -> Made:
        return self.fill(bench.through(_renderer()), seed)


def _conditioned(bench: Workbench, seed: int) -> Made:
    sampling = _renderer().bundle.manifest.sampling
    return bench.sounded(bench.sample(SampleSettings(sampling.sampler, sampling.steps), seed))


def _round_trip(bench: Workbench, seed: int) -> Made:
    latents = bench.true_scene.x_bar
    assert latents is not None  # a scene made from audio has them
    return bench.sounded(latents)


WAVEFORM = (
    Filling(
        "waveform", "the waveform class shown the contexts, sampled as its bundle says", Waveform(_conditioned), GAPS
    ),
    Filling(
        "waveform ddpm-50 guided",
        "Algorithm 1 over the waveform class, unconditional, with the paper's strength for waves",
        Waveform(Paper("ddpm", xi=XI)),
        GAPS,
    ),
    Filling(
        "waveform ddpm-500 guided",
        "the same in 500 steps, the paper's own setting",
        Waveform(Paper("ddpm", steps=500, xi=XI)),
        GAPS,
    ),
    Filling(
        "waveform round trip",
        "the real gap through the waveform class's codec: noise bands above 8.3 kHz",
        Waveform(_round_trip),
        ALL,
        seeded=False,
    ),
)
