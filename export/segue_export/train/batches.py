"""Training examples: windows of mel tokens with a gap, their context and donors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue.prior.codecs.mel import MelSettings
from segue_export.train.corpus import Track, TrainingGap


@dataclass(frozen=True)
class BatchSettings:
    """How examples are drawn; probabilities unless said otherwise."""

    batch: int = 16
    tokens: int = 96
    no_donors: float = 0.25
    unconditional: float = 0.4  # of those without donors
    drop_donor: float = 0.1
    one_sided: float = 0.15  # the gap runs to the window's end: continuation
    level_db: float = 4.0  # the range of a common gain, either way
    reverse: float = 0.5
    margin: int = 20  # least context in frames beside a gap


@dataclass(frozen=True)
class Batch:
    """Arguments of the network, and x_0; mask 1 = context."""

    x_0: Float[Tensor, "batch channels tokens"]
    mask: Float[Tensor, "batch 1 tokens"]
    donors: Float[Tensor, "batch 2*channels tokens"]
    presence: Float[Tensor, "batch 2 tokens"]


@dataclass(frozen=True)
class _Example:
    """Masks are per frame as drawn, per token once finished."""

    frames: Float[np.ndarray, "3 frames bands"]  # x_0 and both donors
    keep: Float[np.ndarray, " steps"]
    presence: Float[np.ndarray, "2 steps"]


class Examples:
    """Draws batches from the tracks of one split, endlessly and from a seed."""

    def __init__(
        self,
        tracks: list[Track],
        folder: Path,
        mean: Float[np.ndarray, " bands"],
        std: Float[np.ndarray, " bands"],
        settings: BatchSettings | None = None,
    ) -> None:
        self.settings = settings or BatchSettings()
        self.mel = MelSettings()
        self.mean, self.std = mean, std
        self.tracks = tracks
        self.gaps = [(track, gap) for track in tracks for gap in track.gaps]
        self.frames = {t.id: np.load(folder / f"{t.id}.npy", mmap_mode="r") for t in tracks}
        seconds = np.array([t.seconds for t in tracks])
        self.weight = seconds / seconds.sum()

    def _window(
        self, track: Track, first: int
    ) -> tuple[Float[np.ndarray, "frames bands"], Float[np.ndarray, " frames"]]:
        """Frames from ``first`` on and 1 where they lie inside the track."""
        source, count = self.frames[track.id], self.settings.tokens * self.mel.frames_per_token
        window = np.tile(self.mean, (count, 1))
        inside = np.zeros(count, np.float32)
        low, high = max(0, first), min(len(source), first + count)
        if high > low:
            window[low - first : high - first] = source[low:high]
            inside[low - first : high - first] = 1.0
        return window, inside

    def _without_donors(self, rng: np.random.Generator) -> _Example:
        s, per = self.settings, self.mel.frames_per_token
        count = s.tokens * per
        track = self.tracks[rng.choice(len(self.tracks), p=self.weight)]
        window, _ = self._window(track, int(rng.integers(0, max(1, track.frames - count))))
        keep = np.zeros(count, np.float32)
        if rng.random() >= s.unconditional:
            length = int(rng.integers(6, 60))
            start = int(rng.integers(0, s.tokens - length))
            keep[:] = 1.0
            keep[start * per : (start + length) * per] = 0.0
        return _Example(np.stack([window] * 3), keep, np.zeros((2, count), np.float32))

    def _with_donors(self, rng: np.random.Generator, track: Track, gap: TrainingGap) -> _Example:
        s, per, hop = self.settings, self.mel.frames_per_token, self.mel.hop
        count = s.tokens * per
        start, length = gap.start // hop, (gap.stop - gap.start) // hop
        late = int(rng.integers(0, max(1, length // 4)))  # a shorter gap inside the searched one
        length = max(per, (length - late) // per * per)
        before = int(rng.integers(s.margin, count - length - s.margin)) // per * per
        first = start + late - before
        window, inside = self._window(track, first)
        keep = inside.copy()
        keep[before : before + length] = 0.0
        if rng.random() < s.one_sided:
            keep[before:] = 0.0
        donors, presence = [], []
        for place in (gap.left, gap.right):
            origin = first + round((place - gap.start) / hop)
            frames, there = self._window(track, origin)
            # a donor's window may reach the gap itself: what will be unknown at use stays unseen here
            own = np.arange(origin, origin + count)
            there[(own >= start - 2) & (own < gap.stop // hop + 2)] = 0.0
            donors.append(frames)
            presence.append(there if rng.random() >= s.drop_donor else np.zeros_like(there))
        return _Example(np.stack([window, *donors]), keep, np.stack(presence))

    def example(self, rng: np.random.Generator, no_donors: float) -> _Example:
        """One augmented, standardised example."""
        s, per = self.settings, self.mel.frames_per_token
        if rng.random() < no_donors:
            drawn = self._without_donors(rng)
        else:
            drawn = self._with_donors(rng, *self.gaps[rng.integers(len(self.gaps))])
        frames = (drawn.frames + rng.uniform(-s.level_db, s.level_db) / 10.0 - self.mean) / self.std
        keep, presence = drawn.keep, drawn.presence
        if rng.random() < s.reverse:  # in reversed time the left donor is the right one
            frames = frames[[0, 2, 1], ::-1]
            keep, presence = keep[::-1], presence[::-1, ::-1]
        per_token = keep.reshape(-1, per).min(1)  # a token is known only where all its frames are
        present = presence.reshape(2, -1, per).min(2)
        return _Example(frames, per_token, present)

    def batch(self, rng: np.random.Generator, no_donors: float | None = None) -> Batch:
        """A batch; ``no_donors`` overrides the settings (0 for validation)."""
        s = self.settings
        share = s.no_donors if no_donors is None else no_donors
        drawn = [self.example(rng, share) for _ in range(s.batch)]
        frames = np.stack([d.frames for d in drawn]).astype(np.float32)
        tokens = torch.from_numpy(frames.reshape(s.batch, 3, s.tokens, self.mel.channels)).transpose(2, 3).contiguous()
        presence = torch.from_numpy(np.stack([d.presence for d in drawn]).astype(np.float32))
        mask = torch.from_numpy(np.stack([d.keep for d in drawn]).astype(np.float32))[:, None]
        donors = (tokens[:, 1:] * presence[:, :, None]).flatten(1, 2)
        return Batch(tokens[:, 0], mask, donors, presence)

    def stream(self, seed: int) -> Iterator[Batch]:
        """Batches without end."""
        rng = np.random.default_rng(seed)
        while True:
            yield self.batch(rng)
