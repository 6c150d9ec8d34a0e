"""A training run of the waveform class to its bundle: EMA weights, fp16, graphs with parity, manifest with digests.

``python -m segue_export.train.make_waveform_bundle MUSIC CORPUS RUN BUNDLE``
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from segue.prior.codecs.registry import stft_table
from segue_export.bundle import write_bundle
from segue_export.graphs.export import export_denoiser
from segue_export.models.complex_unet import ComplexUNet
from segue_export.train import corpus
from segue_export.train.checkpoint import averaged_weights
from segue_export.train.make_bundle import LICENCE, training_data
from segue_export.train.train_waveform import codec_of_run
from segue_export.train.waveforms import WaveSettings


def zeros_and_ones(batch: int, frames: int, generator: torch.Generator) -> Mapping[str, Tensor]:
    """Masks that are either."""
    return {"mask": torch.randint(2, (batch, 1, frames), generator=generator).float()}


def describe(music: Path, corpus_folder: Path, run: Path) -> dict[str, Any]:
    """The manifest, but for digests."""
    codec = codec_of_run(run)
    told = [("mask", 1), ("context", codec.channels)]
    return {
        "name": "segue-waveform",
        "version": version("segue"),
        "kind": "waveform",
        "sample_rate": codec.settings.rate,
        "channels": codec.channels,
        "token": codec.token,
        "window": WaveSettings.tokens,
        "licence": LICENCE,
        "commercial_use": True,
        "description": "Diffusion prior over complex spectra, the waveform class: small, for research.",
        "sampling": {"sampler": "ddim", "steps": 32, "t_start": 0.995},
        "codec": stft_table(codec),
        "conditioning": [{"name": name, "shape": ["batch", size, "frames"]} for name, size in told],
        "training_data": training_data(music, corpus.load(corpus_folder)),
    }


def make(music: Path, corpus_folder: Path, run: Path, bundle: Path) -> None:
    """Export the run's averaged weights; the bundle there is replaced only by one that has passed every check."""
    net = ComplexUNet().eval()
    net.load_state_dict(averaged_weights(run))
    channels = net.settings.channels

    def graphs(folder: Path) -> None:
        told = [("mask", ("batch", 1, "frames")), ("context", ("batch", channels, "frames"))]
        print(export_denoiser(net, folder, channels=channels, conditioning=told, sample=zeros_and_ones))

    made = write_bundle(bundle, describe(music, corpus_folder, run), graphs, replace=True)
    size = sum(f.stat().st_size for f in made.folder.iterdir()) / 1e6
    print(f"{made.folder}: {size:.1f} MB, digest {made.digest}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("music", "corpus", "run", "bundle"):
        parser.add_argument(name, type=Path)
    a = parser.parse_args()
    make(a.music, a.corpus, a.run, a.bundle)


if __name__ == "__main__":
    main()
