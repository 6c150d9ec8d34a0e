"""A course of training, whatever the network: v-loss on the gap, EMA, held-out error at three noise levels."""

from __future__ import annotations

import copy
import csv
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue_export.train import checkpoint
from segue_export.train.checkpoint import Checkpoint, Progress
from segue_export.train.feed import drawn_ahead

VALIDATION_TIMES = (0.25, 0.6, 0.97)


@dataclass(frozen=True)
class RunSettings:
    """One run: ``minutes`` of wall time; a held-out error every so many steps."""

    minutes: float
    seed: int = 0
    validate_every: int = 250
    threads: int = 2


@dataclass(frozen=True)
class TrainSettings:
    """Optimisation, at times t = sigmoid(``time_mean`` + ``time_spread`` n) with n normal.

    ``quiet``: weight in the loss of what lies more than one standard deviation under its band's mean;
    ``outer_rate``: learning rate of what is no block of the transformer (embedding, heads), relative to the blocks'.
    """

    learning_rate: float = 6e-4
    outer_rate: float = 1.0
    warm_up: int = 200
    decay_from: float = 0.6  # share of the run after which the rate falls linearly
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.998
    weight_cap: float = 20.0
    quiet: float = 1.0
    time_mean: float = 0.3
    time_spread: float = 1.2


_T = TypeVar("_T")


@runtime_checkable
class TrainingBatch(Protocol):
    """What a network learns from."""

    @property
    def x_0(self) -> Float[Tensor, "batch channels tokens"]:
        """The latents of real music."""

    @property
    def mask(self) -> Float[Tensor, "batch 1 tokens"]:
        """1 = context."""

    def told(self) -> tuple[Tensor, ...]:
        """The network's arguments after x_t and time."""

    def naive_error(self) -> Float[Tensor, ""]:
        """Squared error in the gap of what is there without a network."""

    def to(self: _T, device: torch.device) -> _T:
        """The same on another device."""


B = TypeVar("B", bound=TrainingBatch)


def noised(x_0: Tensor, t: Float[Tensor, " batch"], noise: Tensor) -> Tensor:
    """x_t = alpha_t x_0 + sigma_t eps."""
    angle = t[:, None, None] * (math.pi / 2)
    x_t: Tensor = angle.cos() * x_0 + angle.sin() * noise
    return x_t


def predicted(net: nn.Module, b: TrainingBatch, t: Float[Tensor, " batch"], noise: Tensor) -> Tensor:
    """x0_hat of a batch noised to ``t``."""
    x0_hat: Tensor = net(noised(b.x_0, t, noise), t, *b.told())
    return x0_hat


def gap_error(
    net: nn.Module, b: TrainingBatch, t: Float[Tensor, " batch"], noise: Tensor, quiet: float = 1.0
) -> Float[Tensor, " batch"]:
    """Mean squared error of x0_hat over the gap, per item; ``quiet`` weighs what is under -1 in standardised mel."""
    weight = (1.0 - b.mask).expand_as(b.x_0)
    if quiet != 1.0:
        weight = torch.where(b.x_0 < -1.0, quiet, 1.0) * weight
    error: Tensor = ((predicted(net, b, t, noise) - b.x_0).square() * weight).sum((1, 2))
    return error / weight.sum((1, 2)).clamp_min(1.0)


class Average:
    """Exponential moving average of the weights."""

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.weights = {k: v.detach().clone() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move towards the network's present weights."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in net.state_dict().items():
            self.weights[name].lerp_(value, 1 - decay)


class Trainer:
    """The network, whose ``blocks`` are its transformer's, its optimiser and its averaged weights."""

    def __init__(self, net: nn.Module, settings: TrainSettings) -> None:
        self.net, self.settings = net.train(), settings
        blocks = {id(p) for p in net.get_submodule("blocks").parameters()}
        groups = [
            {"params": [p for p in net.parameters() if (id(p) in blocks) == inner], "scale": scale}
            for inner, scale in ((True, 1.0), (False, settings.outer_rate))
        ]
        self.optimizer = torch.optim.AdamW(
            groups, settings.learning_rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay
        )
        self.average = Average(net, settings.ema)
        self.steps = 0

    def go_on(self, start: Checkpoint) -> Progress:
        """Go on where a run was; what has been, which is nothing where there are but weights, or of a smaller network.

        The learning rate warms up again where the optimiser begins anew.
        """
        now = self.net.state_dict()
        known = start.progress
        if known is None or {k: v.shape for k, v in known.net.items()} != {k: v.shape for k, v in now.items()}:
            return Progress(now, {})
        self.net.load_state_dict(known.net)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": known.moments, "param_groups": groups})
        self.average.weights = {name: start.average[name].to(value.device) for name, value in now.items()}
        self.average.steps = self.steps = known.steps
        return known

    def step(self, b: TrainingBatch, share: float) -> float:
        """Learn from a batch, ``share`` of the run being over; the loss."""
        s = self.settings
        rate = rate_at(s, self.steps, share)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        normal = torch.randn(len(b.x_0), device=b.x_0.device)
        t = torch.sigmoid(normal * s.time_spread + s.time_mean) * 0.998 + 0.001
        error = gap_error(self.net, b, t, torch.randn_like(b.x_0), s.quiet)
        # the error of v is the error of x_0 over sigma^2
        loss = (error / (t * (math.pi / 2)).sin().square().clamp_min(1.0 / s.weight_cap)).mean()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        norm = float(torch.nn.utils.clip_grad_norm_(self.net.parameters(), s.clip))
        found = float(loss.detach())
        if not (math.isfinite(found) and math.isfinite(norm)):
            raise diverged(self.steps, f"a loss of {found:g} and a gradient of norm {norm:g}")
        self.optimizer.step()
        self.average.update(self.net)
        self.steps += 1
        return found


def diverged(steps: int, what: str) -> InvalidRequest:
    """Training cannot go on; what was saved before stays as it is."""
    return InvalidRequest(
        f"after {steps} steps: expected finite numbers, got {what}: go on from the last checkpoint, which stands, "
        "at a lower learning rate; if it happens there as well, look for NaN in the corpus"
    )


def rate_at(s: TrainSettings, step: int, share: float) -> float:
    """Learning rate: warm-up, flat, then a linear fall over the last part of the run."""
    fall = 1.0 if share < s.decay_from else max(0.02, (1.0 - share) / (1.0 - s.decay_from))
    return s.learning_rate * min(1.0, (step + 1) / s.warm_up) * fall


@torch.no_grad()
def validate(net: nn.Module, batches: Sequence[TrainingBatch], device: torch.device) -> tuple[list[float], float]:
    """Held-out error of x0_hat at :data:`VALIDATION_TIMES`, and what there is without a network."""
    errors: list[list[float]] = [[] for _ in VALIDATION_TIMES]
    naive = []
    for i, batch in enumerate(batches):
        noise = torch.randn(batch.x_0.shape, generator=torch.Generator().manual_seed(i)).to(device)
        b = batch.to(device)
        for level, t in enumerate(VALIDATION_TIMES):
            times = torch.full((len(b.x_0),), t, device=device)
            errors[level].append(float(gap_error(net, b, times, noise).mean()))
        naive.append(float(b.naive_error()))
    return [float(np.mean(e)) for e in errors], float(np.mean(naive))


def averaged(trainer: Trainer) -> nn.Module:
    """A network with the averaged weights, to be evaluated."""
    net = copy.deepcopy(trainer.net)
    net.load_state_dict(trainer.average.weights)
    return net.eval()


class _Curve:
    """The held-out error as a run goes: each time a line of ``curve.csv`` and a checkpoint.

    ``before``: what earlier courses of the run have come to; ``course``: the number of this one, from 1.
    """

    def __init__(
        self,
        run: Path,
        held: Sequence[TrainingBatch],
        hours: float,
        device: torch.device,
        before: Progress,
        course: int,
    ) -> None:
        self.run, self.held, self.hours, self.device = run, held, hours, device
        self.before, self.course = before, course
        self.began = time.monotonic()
        self.losses: list[float] = []

    @property
    def seconds(self) -> float:
        """Since this course began."""
        return time.monotonic() - self.began

    def record(self, trainer: Trainer) -> None:
        """What the averaged weights are worth now; the mean loss since the last time.

        Raises:
            InvalidRequest: an error or a weight is not finite; nothing was written.
        """
        seconds = self.before.seconds + self.seconds
        errors, naive = validate(averaged(trainer), self.held, self.device)
        if not all(map(math.isfinite, errors)):
            raise diverged(trainer.steps, f"held-out errors of {errors}")
        for name, value in (*trainer.net.state_dict().items(), *trainer.average.weights.items()):
            if not bool(torch.isfinite(value).all()):
                raise diverged(trainer.steps, f"NaN or infinity in {name}")
        heard = self.before.heard + (trainer.steps - self.before.steps) * self.hours
        row = [f"{trainer.steps}", f"{seconds:.0f}", f"{heard:.2f}"]
        row += [f"{e:.4f}" for e in (float(np.mean(self.losses)), *errors, naive)]
        moments = trainer.optimizer.state_dict()["state"]
        progress = Progress(trainer.net.state_dict(), moments, trainer.steps, heard, seconds)
        checkpoint.write(Checkpoint(trainer.average.weights, self.course, progress), self.run)
        with (self.run / "curve.csv").open("a", newline="") as f:
            csv.writer(f).writerow(row)
        print(" ".join(row), flush=True)
        self.losses = []


def train_network(
    net: nn.Module,
    batches: Iterator[B],
    held: Sequence[B],
    *,
    run: Path,
    hours: float,
    r: RunSettings,
    settings: TrainSettings,
    start: Checkpoint | None = None,
) -> None:
    """Train for ``r.minutes``; checkpoints and the held-out curve go into ``run``.

    ``hours`` of music are in each of ``batches``; ``held`` are the ones to validate on; ``start``: where the run was,
    whose averaged weights ``net`` has.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trainer = Trainer(net.to(device), settings)
    before, courses = (Progress({}, {}), 0) if start is None else (trainer.go_on(start), start.courses)
    curve = _Curve(run, held, hours, device, before, courses + 1)
    share = 0.0
    with drawn_ahead(batches) as take:
        while share < 1.0:
            curve.losses.append(trainer.step(take().to(device), share))
            if trainer.steps % r.validate_every == 0:
                curve.record(trainer)
            share = curve.seconds / (r.minutes * 60)
    if curve.losses:
        curve.record(trainer)
