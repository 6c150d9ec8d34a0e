"""Training of the embedded prior (:mod:`segue_export.train.course` is how).

``python -m segue_export.train.train CORPUS RUN --minutes 90 [--resume BUNDLE] [--settings FILE.toml]`` writes
checkpoints, ``settings.toml`` and ``curve.csv`` into RUN.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from segue.errors import BundleRejected, InvalidRequest
from segue.prior.bundle import Bundle
from segue.prior.codecs.mel import MelCodec
from segue_export.models.mel_transformer import MelTransformer, MelTransformerSettings
from segue_export.train import checkpoint, corpus
from segue_export.train.batches import Examples
from segue_export.train.checkpoint import Checkpoint, seeds
from segue_export.train.course import RunSettings, train_network
from segue_export.train.resume import grown, weights_of
from segue_export.train.settings import PriorSettings, read_settings, settings_of_run, write_settings

STATISTICS = "statistics.npz"


def train(
    corpus_folder: Path,
    run: Path,
    r: RunSettings,
    settings: PriorSettings | None = None,
    bundle: Path | None = None,
) -> None:
    """Train for ``r.minutes``; settings, checkpoints and the held-out curve go into ``run``.

    ``bundle``: what a new run goes on from, the weights of a smaller network too
    (:func:`segue_export.train.resume.grown`); a run that has a checkpoint goes on from that.

    Raises:
        BundleRejected: it is no bundle of this network.
        InvalidRequest: a run from scratch where there is one already.
    """
    if bundle is None and (run / checkpoint.FILE).exists():
        raise InvalidRequest(
            f"expected a new folder for a run from scratch, {run} has a checkpoint: choose another RUN, or go on "
            "from it with --resume"
        )
    settings = settings or PriorSettings()
    tracks = corpus.load(corpus_folder)
    start = None if bundle is None else starting_point(run, bundle, settings.network)
    mean, std = corpus.statistics(tracks, corpus_folder) if bundle is None else statistics_of(run, bundle)
    noise_seed, examples_seed = seeds(r.seed, start)
    torch.set_num_threads(r.threads)
    torch.manual_seed(noise_seed)
    examples, held = (
        Examples([t for t in tracks if t.split == split], corpus_folder, mean, std, settings.batches, settings.mel)
        for split in ("train", "validation")
    )
    net = MelTransformer(settings.network)
    if start is not None:
        net.load_state_dict(grown(start.average, net))
    run.mkdir(parents=True, exist_ok=True)
    np.savez(run / STATISTICS, mean=mean, std=std)
    write_settings(settings, run / "settings.toml")
    rng = np.random.default_rng(99)
    train_network(
        net,
        examples.stream(examples_seed),
        [held.batch(rng, no_donors=0.0) for _ in range(4)],
        run=run,
        hours=settings.batches.batch * settings.batches.tokens * settings.mel.token / settings.mel.rate / 3600,
        r=r,
        settings=settings.training,
        start=start,
    )


def starting_point(run: Path, bundle: Path, network: MelTransformerSettings | None = None) -> Checkpoint:
    """The run's last checkpoint, or, for a new run, the weights of a bundle: of this network or of the default one."""
    known = checkpoint.read(run)
    if known is not None:
        return known
    try:
        return Checkpoint(weights_of(bundle, MelTransformer(network)))
    except BundleRejected:
        return Checkpoint(weights_of(bundle, MelTransformer()))


def statistics_of(run: Path, bundle: Path) -> tuple[Float[np.ndarray, " bands"], Float[np.ndarray, " bands"]]:
    """Mean and standard deviation of each band, those that the weights of :func:`starting_point` were trained with.

    Raises:
        BundleRejected: the bundle's codec is no mel's.
    """
    if (run / checkpoint.FILE).exists() and (run / STATISTICS).exists():
        known = np.load(run / STATISTICS, allow_pickle=False)
        return known["mean"], known["std"]
    codec = Bundle.open(bundle).codec()
    if not isinstance(codec, MelCodec):
        raise BundleRejected(f"{bundle}: expected a bundle of log-mel latents, got a codec of another kind")
    return codec.mean.numpy(), codec.std.numpy()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=90.0)
    parser.add_argument("--resume", type=Path, metavar="BUNDLE", help="go on from RUN's checkpoint, else from a bundle")
    parser.add_argument("--settings", type=Path, help="a TOML file; without it, RUN's own or the defaults")
    parser.add_argument("--seed", type=int, default=RunSettings.seed)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--threads", type=int, default=RunSettings.threads)
    a = parser.parse_args()
    settings = read_settings(a.settings) if a.settings else settings_of_run(a.run)
    if a.learning_rate is not None:
        settings = replace(settings, training=replace(settings.training, learning_rate=a.learning_rate))
    train(a.corpus, a.run, RunSettings(a.minutes, a.seed, threads=a.threads), settings, a.resume)


if __name__ == "__main__":
    main()
