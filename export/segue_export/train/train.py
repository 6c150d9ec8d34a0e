"""Training of the embedded prior: v-loss on the gap, EMA, held-out error at three noise levels.

``python -m segue_export.train.train CORPUS RUN --minutes 90 [--resume BUNDLE]`` writes checkpoints and
``curve.csv`` into RUN.
"""

from __future__ import annotations

import argparse
import csv
import math
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue_export.models.mel_transformer import MelTransformer
from segue_export.train import corpus
from segue_export.train.batches import Batch, Examples
from segue_export.train.resume import weights_of

VALIDATION_TIMES = (0.25, 0.6, 0.97)


@dataclass(frozen=True)
class TrainSettings:
    """Optimisation; ``minutes`` of wall time set the length of the run."""

    minutes: float
    learning_rate: float = 6e-4
    warm_up: int = 200
    decay_from: float = 0.6  # share of the run after which the rate falls linearly
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.998
    weight_cap: float = 20.0
    seed: int = 0
    validate_every: int = 250
    threads: int = 2


def noised(x_0: Tensor, t: Float[Tensor, " batch"], noise: Tensor) -> Tensor:
    """x_t = alpha_t x_0 + sigma_t eps."""
    angle = t[:, None, None] * (math.pi / 2)
    x_t: Tensor = angle.cos() * x_0 + angle.sin() * noise
    return x_t


def gap_error(net: torch.nn.Module, b: Batch, t: Float[Tensor, " batch"], noise: Tensor) -> Float[Tensor, " batch"]:
    """Mean squared error of x0_hat over the gap, per item."""
    x0_hat = net(noised(b.x_0, t, noise), t, b.mask, b.x_0 * b.mask, b.donors, b.presence)
    gap = 1.0 - b.mask
    error: Tensor = ((x0_hat - b.x_0).square() * gap).sum((1, 2))
    return error / (gap.sum((1, 2)) * b.x_0.shape[1]).clamp_min(1.0)


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


@torch.no_grad()
def validate(weights: dict[str, Tensor], batches: list[Batch], device: torch.device) -> tuple[list[float], float]:
    """Held-out error of x0_hat at :data:`VALIDATION_TIMES`, and the left donor's own error where it is present."""
    net = MelTransformer().to(device)
    net.load_state_dict(weights)
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


def to_device(b: Batch, device: torch.device) -> Batch:
    """The batch on another device."""
    return Batch(*(x.to(device) for x in (b.x_0, b.mask, b.donors, b.presence)))


def rate_at(s: TrainSettings, step: int, share: float) -> float:
    """Learning rate: warm-up, flat, then a linear fall over the last part of the run."""
    fall = 1.0 if share < s.decay_from else max(0.02, (1.0 - share) / (1.0 - s.decay_from))
    return s.learning_rate * min(1.0, (step + 1) / s.warm_up) * fall


def _feed(examples: Examples, seed: int, into: queue.Queue[Batch]) -> None:
    for batch in examples.stream(seed):
        into.put(batch)


def train(corpus_folder: Path, run: Path, s: TrainSettings, start: dict[str, Tensor] | None = None) -> None:
    """Train for ``s.minutes``; checkpoints (EMA weights) and the held-out curve go into ``run``."""
    torch.set_num_threads(s.threads)
    torch.manual_seed(s.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run.mkdir(parents=True, exist_ok=True)
    tracks = corpus.load(corpus_folder)
    mean, std = corpus.statistics(tracks, corpus_folder)
    np.savez(run / "statistics.npz", mean=mean, std=std)
    examples = Examples([t for t in tracks if t.split == "train"], corpus_folder, mean, std)
    held = Examples([t for t in tracks if t.split == "validation"], corpus_folder, mean, std)
    validation_rng = np.random.default_rng(99)
    validation = [held.batch(validation_rng, no_donors=0.0) for _ in range(4)]
    net = MelTransformer().to(device)
    if start is not None:
        net.load_state_dict(start)
    optimizer = torch.optim.AdamW(net.parameters(), s.learning_rate, betas=(0.9, 0.98), weight_decay=s.weight_decay)
    average = Average(net, s.ema)
    batches: queue.Queue[Batch] = queue.Queue(8)
    threading.Thread(target=_feed, args=(examples, s.seed + 3, batches), daemon=True).start()
    began, step, recent = time.monotonic(), 0, []
    with (run / "curve.csv").open("a", newline="") as f:
        log = csv.writer(f)
        while (share := (time.monotonic() - began) / (s.minutes * 60)) < 1.0:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(s, step, share)
            recent.append(_step(net, optimizer, to_device(batches.get(), device), s))
            average.update(net)
            step += 1
            if step % s.validate_every == 0:
                _record(log, run, average, validation, device, step, began, recent, examples)
                f.flush()
                recent = []
        if recent:
            _record(log, run, average, validation, device, step, began, recent, examples)


def _step(net: torch.nn.Module, optimizer: torch.optim.Optimizer, b: Batch, s: TrainSettings) -> float:
    t = torch.sigmoid(torch.randn(len(b.x_0), device=b.x_0.device) * 1.2 + 0.3) * 0.998 + 0.001
    error = gap_error(net, b, t, torch.randn_like(b.x_0))
    # the error of v is the error of x_0 over sigma^2
    loss = (error / (t * (math.pi / 2)).sin().square().clamp_min(1.0 / s.weight_cap)).mean()
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(net.parameters(), s.clip)
    optimizer.step()
    return float(loss.detach())


def _record(
    log: Any,
    run: Path,
    average: Average,
    validation: list[Batch],
    device: torch.device,
    step: int,
    began: float,
    recent: list[float],
    examples: Examples,
) -> None:
    errors, donor = validate(average.weights, validation, device)
    seconds = time.monotonic() - began
    heard = step * examples.settings.batch * examples.settings.tokens * examples.mel.token / examples.mel.rate / 3600
    row = [
        step,
        f"{seconds:.0f}",
        f"{heard:.2f}",
        f"{np.mean(recent):.4f}",
        *(f"{e:.4f}" for e in errors),
        f"{donor:.4f}",
    ]
    log.writerow(row)
    print(" ".join(str(c) for c in row), flush=True)
    temporary = run / "checkpoint.tmp"
    torch.save(average.weights, temporary)
    temporary.replace(run / "checkpoint.pt")


def starting_weights(run: Path, bundle: Path) -> dict[str, Tensor]:
    """The run's last checkpoint, or, for a new run, the weights of a committed bundle."""
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        weights: dict[str, Tensor] = torch.load(checkpoint, weights_only=True)
        return weights
    return weights_of(bundle, MelTransformer())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=90.0)
    parser.add_argument("--resume", type=Path, metavar="BUNDLE", help="go on from RUN's checkpoint, else from a bundle")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, default=TrainSettings.learning_rate)
    parser.add_argument("--threads", type=int, default=TrainSettings.threads)
    a = parser.parse_args()
    start = starting_weights(a.run, a.resume) if a.resume else None
    settings = TrainSettings(a.minutes, learning_rate=a.learning_rate, seed=a.seed, threads=a.threads)
    train(a.corpus, a.run, settings, start)


if __name__ == "__main__":
    main()
