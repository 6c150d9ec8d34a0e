"""Training of the embedded prior: v-loss on the gap, EMA, held-out error at three noise levels.

``python -m segue_export.train.train CORPUS RUN --minutes 90 [--resume BUNDLE] [--settings FILE.toml]`` writes
checkpoints, ``settings.toml`` and ``curve.csv`` into RUN.
"""

from __future__ import annotations

import argparse
import csv
import math
import queue
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import BundleRejected
from segue_export.models.mel_transformer import MelTransformer, MelTransformerSettings
from segue_export.train import corpus
from segue_export.train.batches import Batch, Examples
from segue_export.train.resume import grown, weights_of
from segue_export.train.settings import PriorSettings, TrainSettings, read_settings, settings_of_run, write_settings

VALIDATION_TIMES = (0.25, 0.6, 0.97)


@dataclass(frozen=True)
class RunSettings:
    """One run: ``minutes`` of wall time; a held-out error every so many steps."""

    minutes: float
    seed: int = 0
    validate_every: int = 250
    threads: int = 2


def noised(x_0: Tensor, t: Float[Tensor, " batch"], noise: Tensor) -> Tensor:
    """x_t = alpha_t x_0 + sigma_t eps."""
    angle = t[:, None, None] * (math.pi / 2)
    x_t: Tensor = angle.cos() * x_0 + angle.sin() * noise
    return x_t


def predicted(net: torch.nn.Module, b: Batch, t: Float[Tensor, " batch"], noise: Tensor) -> Tensor:
    """x0_hat of a batch noised to ``t``."""
    x0_hat: Tensor = net(noised(b.x_0, t, noise), t, b.mask, b.x_0 * b.mask, b.donors, b.presence)
    return x0_hat


def gap_error(
    net: torch.nn.Module, b: Batch, t: Float[Tensor, " batch"], noise: Tensor, quiet: float = 1.0
) -> Float[Tensor, " batch"]:
    """Mean squared error of x0_hat over the gap, per item; ``quiet`` weighs what is under -1 in standardised mel."""
    weight = (1.0 - b.mask).expand_as(b.x_0)
    if quiet != 1.0:
        weight = torch.where(b.x_0 < -1.0, quiet, 1.0) * weight
    error: Tensor = ((predicted(net, b, t, noise) - b.x_0).square() * weight).sum((1, 2))
    return error / weight.sum((1, 2)).clamp_min(1.0)


class Average:
    """Exponential moving average of the weights."""

    def __init__(self, net: torch.nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.weights = {k: v.detach().clone() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: torch.nn.Module) -> None:
        """Move towards the network's present weights."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in net.state_dict().items():
            self.weights[name].lerp_(value, 1 - decay)


class Trainer:
    """The network, its optimiser and its averaged weights."""

    def __init__(self, net: MelTransformer, settings: TrainSettings) -> None:
        self.net, self.settings = net.train(), settings
        blocks = {id(p) for p in net.blocks.parameters()}
        groups = [
            {"params": [p for p in net.parameters() if (id(p) in blocks) == inner], "scale": scale}
            for inner, scale in ((True, 1.0), (False, settings.outer_rate))
        ]
        self.optimizer = torch.optim.AdamW(
            groups, settings.learning_rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay
        )
        self.average = Average(net, settings.ema)
        self.steps = 0

    def step(self, b: Batch, share: float) -> float:
        """Learn from a batch, ``share`` of the run being over; the loss."""
        s = self.settings
        rate = rate_at(s, self.steps, share)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        t = torch.sigmoid(torch.randn(len(b.x_0), device=b.x_0.device) * 1.2 + 0.3) * 0.998 + 0.001
        error = gap_error(self.net, b, t, torch.randn_like(b.x_0), s.quiet)
        # the error of v is the error of x_0 over sigma^2
        loss = (error / (t * (math.pi / 2)).sin().square().clamp_min(1.0 / s.weight_cap)).mean()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), s.clip)
        self.optimizer.step()
        self.average.update(self.net)
        self.steps += 1
        return float(loss.detach())


def rate_at(s: TrainSettings, step: int, share: float) -> float:
    """Learning rate: warm-up, flat, then a linear fall over the last part of the run."""
    fall = 1.0 if share < s.decay_from else max(0.02, (1.0 - share) / (1.0 - s.decay_from))
    return s.learning_rate * min(1.0, (step + 1) / s.warm_up) * fall


@torch.no_grad()
def validate(net: MelTransformer, batches: list[Batch], device: torch.device) -> tuple[list[float], float]:
    """Held-out error of x0_hat at :data:`VALIDATION_TIMES`, and the left donor's own error where it is present."""
    errors: list[list[float]] = [[] for _ in VALIDATION_TIMES]
    donor = []
    for i, batch in enumerate(batches):
        noise = torch.randn(batch.x_0.shape, generator=torch.Generator().manual_seed(i)).to(device)
        b = to_device(batch, device)
        for level, t in enumerate(VALIDATION_TIMES):
            times = torch.full((len(b.x_0),), t, device=device)
            errors[level].append(float(gap_error(net, b, times, noise).mean()))
        gap = (1.0 - b.mask) * b.presence[:, :1]
        apart = (b.donors[:, : b.x_0.shape[1]] - b.x_0).square() * gap
        donor.append(float(apart.sum() / (gap.sum() * b.x_0.shape[1]).clamp_min(1.0)))
    return [float(np.mean(e)) for e in errors], float(np.mean(donor))


def averaged(trainer: Trainer) -> MelTransformer:
    """A network with the averaged weights, to be evaluated."""
    net = MelTransformer(trainer.net.settings).to(next(trainer.net.parameters()).device)
    net.load_state_dict(trainer.average.weights)
    return net.eval()


def to_device(b: Batch, device: torch.device) -> Batch:
    """The batch on another device."""
    return Batch(*(x.to(device) for x in (b.x_0, b.mask, b.donors, b.presence)))


def _feed(examples: Examples, seed: int, into: queue.Queue[Batch]) -> None:
    for batch in examples.stream(seed):
        into.put(batch)


class _Curve:
    """The held-out error as a run goes: each time a line of ``curve.csv`` and a checkpoint."""

    def __init__(self, run: Path, held: Examples, device: torch.device) -> None:
        rng = np.random.default_rng(99)
        self.batches = [held.batch(rng, no_donors=0.0) for _ in range(4)]
        self.run, self.device, self.began = run, device, time.monotonic()
        self.hours = held.settings.batch * held.settings.tokens * held.mel.token / held.mel.rate / 3600  # a step
        self.losses: list[float] = []

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self.began

    def record(self, trainer: Trainer) -> None:
        """What the averaged weights are worth now; the mean loss since the last time."""
        seconds = self.seconds
        errors, donor = validate(averaged(trainer), self.batches, self.device)
        heard, loss = trainer.steps * self.hours, float(np.mean(self.losses))
        row = [f"{trainer.steps}", f"{seconds:.0f}", f"{heard:.2f}", *(f"{e:.4f}" for e in (loss, *errors, donor))]
        with (self.run / "curve.csv").open("a", newline="") as f:
            csv.writer(f).writerow(row)
        print(" ".join(row), flush=True)
        temporary = self.run / "checkpoint.tmp"
        torch.save(trainer.average.weights, temporary)
        temporary.replace(self.run / "checkpoint.pt")
        self.losses = []


def train(
    corpus_folder: Path,
    run: Path,
    r: RunSettings,
    settings: PriorSettings | None = None,
    start: dict[str, Tensor] | None = None,
) -> None:
    """Train for ``r.minutes``; settings, checkpoints (EMA weights) and the held-out curve go into ``run``.

    ``start``: weights to go on from, those of a smaller network too (:func:`segue_export.train.resume.grown`).
    """
    settings = settings or PriorSettings()
    torch.set_num_threads(r.threads)
    torch.manual_seed(r.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tracks = corpus.load(corpus_folder)
    mean, std = corpus.statistics(tracks, corpus_folder)
    examples, held = (
        Examples([t for t in tracks if t.split == split], corpus_folder, mean, std, settings.batches, settings.mel)
        for split in ("train", "validation")
    )
    net = MelTransformer(settings.network)
    if start is not None:
        net.load_state_dict(grown(start, net))
    trainer = Trainer(net.to(device), settings.training)
    run.mkdir(parents=True, exist_ok=True)
    np.savez(run / "statistics.npz", mean=mean, std=std)
    write_settings(settings, run / "settings.toml")
    batches: queue.Queue[Batch] = queue.Queue(8)
    threading.Thread(target=_feed, args=(examples, r.seed + 3, batches), daemon=True).start()
    curve = _Curve(run, held, device)
    while (share := curve.seconds / (r.minutes * 60)) < 1.0:
        curve.losses.append(trainer.step(to_device(batches.get(), device), share))
        if trainer.steps % r.validate_every == 0:
            curve.record(trainer)
    if curve.losses:
        curve.record(trainer)


def starting_weights(run: Path, bundle: Path, network: MelTransformerSettings | None = None) -> dict[str, Tensor]:
    """The run's last checkpoint, or, for a new run, the weights of a bundle: of this network or of the default one."""
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        weights: dict[str, Tensor] = torch.load(checkpoint, weights_only=True)
        return weights
    try:
        return weights_of(bundle, MelTransformer(network))
    except BundleRejected:
        return weights_of(bundle, MelTransformer())


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
    start = starting_weights(a.run, a.resume, settings.network) if a.resume else None
    train(a.corpus, a.run, RunSettings(a.minutes, a.seed, threads=a.threads), settings, start)


if __name__ == "__main__":
    main()
