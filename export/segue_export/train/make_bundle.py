"""A training run to the embedded bundle: EMA weights, fp16, graphs with parity, manifest with digests.

``python -m segue_export.train.make_bundle MUSIC CORPUS RUN BUNDLE``
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.prior.codecs.mel import MelCodec
from segue.prior.codecs.registry import mel_table
from segue_export.bundle import write_bundle
from segue_export.graphs.export import Conditioning, export_denoiser
from segue_export.models.mel_transformer import MelTransformer, MelTransformerSettings
from segue_export.train import corpus
from segue_export.train.checkpoint import averaged_weights
from segue_export.train.settings import PriorSettings, settings_of_run

LICENCE = "GPL-3.0-or-later AND CC-BY-SA-4.0"
"""The most restrictive of the training music's licences; the manifest lists each package's."""

DONORS = 2
"""Donors that the renderer finds for a gap."""


def renderable(run: Path) -> PriorSettings:
    """What the run trained.

    Raises:
        InvalidRequest: a network that is shown what the renderer does not show.
    """
    settings = settings_of_run(run)
    if settings.network.donors != DONORS:
        raise InvalidRequest(
            f"{run}: expected a network of {DONORS} donors, as the renderer finds, got {settings.network.donors}"
        )
    return settings


def conditioning(network: MelTransformerSettings) -> Conditioning:
    """Names and shapes of what the graphs are told."""
    channels = network.channels
    told = [("mask", 1), ("context", channels), ("donors", network.donors * channels), ("presence", network.donors)]
    if network.consensus:
        told += [("consensus", channels), ("agreed", 1)]
    return [(name, ("batch", size, "frames")) for name, size in told]


def zeros_and_ones(
    batch: int, frames: int, generator: torch.Generator, network: MelTransformerSettings
) -> Mapping[str, Tensor]:
    """Inputs that are either: with others a mask is no mask, and the gradient all but cancels at times."""
    rows = {"mask": 1, "presence": network.donors} | ({"agreed": 1} if network.consensus else {})
    return {name: torch.randint(2, (batch, count, frames), generator=generator).float() for name, count in rows.items()}


def training_data(music: Path, tracks: list[corpus.Track]) -> list[dict[str, Any]]:
    """A manifest entry for each package: version, licences, hours heard in training."""
    hours: dict[str, float] = defaultdict(float)
    for track in tracks:
        if track.split == "train":
            hours[track.package] += track.seconds / 3600
    entries = []
    for source in json.loads((music / "sources.json").read_text()):
        name = source["package"]
        entries.append(
            {
                "name": f"Debian package {name} {source['version']}",
                "licence": source["licence"],
                "url": f"https://packages.debian.org/bookworm/{name}",
                "author": "see the package's copyright file",
                "hours": round(hours[name], 3),
            }
        )
    return entries


def describe(music: Path, corpus_folder: Path, run: Path) -> dict[str, Any]:
    """The manifest, but for digests."""
    settings = renderable(run)
    mel = settings.mel
    statistics = np.load(run / "statistics.npz", allow_pickle=False)
    codec = MelCodec(mel, torch.from_numpy(statistics["mean"]), torch.from_numpy(statistics["std"]))
    return {
        "name": "segue-embedded",
        "version": version("segue"),
        "kind": "latent",
        "sample_rate": mel.rate,
        "channels": mel.channels,
        "token": mel.token,
        "window": settings.batches.tokens,
        "licence": LICENCE,
        "commercial_use": True,
        "description": "Donor-conditioned diffusion prior over log-mel tokens, sounded by the song's own units.",
        "sampling": {"sampler": "dpmpp", "steps": 6, "t_start": 0.995},
        "codec": mel_table(codec),
        "conditioning": [{"name": name, "shape": list(shape)} for name, shape in conditioning(settings.network)],
        "training_data": training_data(music, corpus.load(corpus_folder)),
    }


def make(music: Path, corpus_folder: Path, run: Path, bundle: Path) -> None:
    """Export the run's averaged weights; the bundle there is replaced only by one that has passed every check."""
    net = MelTransformer(renderable(run).network).eval()
    net.load_state_dict(averaged_weights(run))
    channels = net.settings.channels

    def graphs(folder: Path) -> None:
        report = export_denoiser(
            net,
            folder,
            channels=channels,
            conditioning=conditioning(net.settings),
            sample=partial(zeros_and_ones, network=net.settings),
        )
        print(report)

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
