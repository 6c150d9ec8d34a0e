"""Training of the waveform class's prior (:mod:`segue_export.train.course` is how).

``python -m segue_export.train.train_waveform CORPUS WAVES RUN --minutes 90 [--resume BUNDLE]`` writes checkpoints, the
statistics of its codec and ``curve.csv`` into RUN; a run that has a checkpoint goes on from it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from segue.errors import BundleRejected
from segue.prior.bundle import Bundle
from segue.prior.codecs.stft import StftCodec, StftSettings
from segue_export.models.complex_unet import ComplexUNet
from segue_export.train import checkpoint, corpus
from segue_export.train.checkpoint import Checkpoint, seeds
from segue_export.train.course import RunSettings, TrainSettings, train_network
from segue_export.train.resume import weights_of
from segue_export.train.waveforms import WaveExamples, WaveSettings, statistics

STATISTICS = "statistics.npz"

OPTIMISATION = TrainSettings(time_mean=0.8, time_spread=1.6)
"""More of what is nearly noise than the mel's: there are no donors to tell what it should become."""


def codec_of_run(run: Path) -> StftCodec:
    """The codec a run was begun with."""
    known = np.load(run / STATISTICS, allow_pickle=False)
    return StftCodec(StftSettings(), torch.from_numpy(known["mean"]), torch.from_numpy(known["std"]))


def go_on(run: Path, bundle: Path) -> None:
    """Make ``run``, unless there is one, begin with a bundle's weights and statistics.

    Raises:
        BundleRejected: it is no bundle of this network.
    """
    if (run / checkpoint.FILE).exists():
        return
    weights, codec = weights_of(bundle, ComplexUNet()), Bundle.open(bundle).codec()
    if not isinstance(codec, StftCodec):
        raise BundleRejected(f"{bundle}: expected a bundle of the waveform class, got a codec of another kind")
    run.mkdir(parents=True, exist_ok=True)
    np.savez(run / STATISTICS, mean=codec.mean.numpy(), std=codec.std.numpy())
    checkpoint.write(Checkpoint(weights), run)


def begin(run: Path, tracks: list[corpus.Track], waves: Path, settings: WaveSettings) -> StftCodec:
    """The run's codec; the statistics are measured where the run is new."""
    if not (run / STATISTICS).exists():
        run.mkdir(parents=True, exist_ok=True)
        s = StftSettings()
        plain = StftCodec(s, torch.zeros(s.features), torch.ones(s.features))
        mean, std = statistics(WaveExamples(tracks, waves, plain, settings))
        np.savez(run / STATISTICS, mean=mean.numpy(), std=std.numpy())
    return codec_of_run(run)


def train(
    corpus_folder: Path,
    waves: Path,
    run: Path,
    r: RunSettings,
    settings: TrainSettings | None = None,
    examples: WaveSettings | None = None,
) -> None:
    """Train for ``r.minutes``; checkpoints and the held-out curve go into ``run``."""
    torch.set_num_threads(r.threads)
    start = checkpoint.read(run)
    noise_seed, examples_seed = seeds(r.seed, start)
    torch.manual_seed(noise_seed)
    drawn = examples or WaveSettings()
    tracks = {s: [t for t in corpus.load(corpus_folder) if t.split == s] for s in ("train", "validation")}
    codec = begin(run, tracks["train"], waves, drawn)
    net = ComplexUNet()
    if start is not None:
        net.load_state_dict(start.average)
    known = WaveExamples(tracks["validation"], waves, codec, replace(drawn, unconditional=0.0))
    rng = np.random.default_rng(99)
    train_network(
        net,
        WaveExamples(tracks["train"], waves, codec, drawn).stream(examples_seed),
        [known.batch(rng) for _ in range(6)],
        run=run,
        hours=drawn.batch * drawn.tokens * codec.token / codec.settings.rate / 3600,
        r=r,
        settings=settings or OPTIMISATION,
        start=start,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("corpus", "waves", "run"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--minutes", type=float, default=90.0)
    parser.add_argument("--resume", type=Path, metavar="BUNDLE", help="where RUN is new, begin with this bundle")
    parser.add_argument("--seed", type=int, default=RunSettings.seed)
    parser.add_argument("--learning-rate", type=float, default=OPTIMISATION.learning_rate)
    parser.add_argument("--warm-up", type=int, default=OPTIMISATION.warm_up, help="steps")
    parser.add_argument("--threads", type=int, default=RunSettings.threads)
    a = parser.parse_args()
    if a.resume:
        go_on(a.run, a.resume)
    r = RunSettings(a.minutes, a.seed, threads=a.threads)
    train(a.corpus, a.waves, a.run, r, replace(OPTIMISATION, learning_rate=a.learning_rate, warm_up=a.warm_up))


if __name__ == "__main__":
    main()
