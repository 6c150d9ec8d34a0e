"""Training examples: windows of mel tokens with a gap, their context and donors.

An example is drawn first (:class:`Drawing`: places in samples, so that it is the same at any hop, token or window) and
read afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.prior.codecs.mel import MelSettings
from segue.recall.consensus import Consensus, agreed
from segue_export.train.corpus import Track, TrainingGap, feature_file
from segue_export.train.harmonic import REACH, harmonic_part

_UNIT = 2048
"""Samples in which gaps without donors are drawn; whole tokens of every network that is trained."""


@dataclass(frozen=True)
class BatchSettings:
    """How examples are drawn; probabilities unless said otherwise.

    What the network is shown as donors: ``places`` of the song; with ``harmonic`` the harmonic part of each; with
    ``consensus``, last, what all likely places agree on.
    """

    batch: int = 16
    tokens: int = 96
    places: int = 2
    harmonic: bool = False
    consensus: bool = False
    no_donors: float = 0.25
    unconditional: float = 0.4  # of those without donors
    drop_donor: float = 0.1
    one_sided: float = 0.15  # the gap runs to the window's end: continuation
    level_db: float = 4.0  # the range of a common gain, either way
    reverse: float = 0.5
    margin: int = 20  # least context in frames beside a gap

    @property
    def donors(self) -> int:
        """Donors that the network is shown; a consensus is one more."""
        return self.places * (2 if self.harmonic else 1)

    @property
    def shown(self) -> int:
        """Donors and, if any, the consensus."""
        return self.donors + self.consensus


@dataclass(frozen=True)
class Batch:
    """Arguments of the network, and x_0; mask 1 = context. A consensus is the last of the donors."""

    x_0: Float[Tensor, "batch channels tokens"]
    mask: Float[Tensor, "batch 1 tokens"]
    donors: Float[Tensor, "batch given tokens"]
    presence: Float[Tensor, "batch shown tokens"]

    def told(self) -> tuple[Tensor, ...]:
        """The network's arguments after x_t and time."""
        return self.mask, self.x_0 * self.mask, self.donors, self.presence

    def naive_error(self) -> Float[Tensor, ""]:
        """Squared error in the gap of the left donor, where it is present."""
        gap = (1.0 - self.mask) * self.presence[:, :1]
        apart = (self.donors[:, : self.x_0.shape[1]] - self.x_0).square() * gap
        return apart.sum() / (gap.sum() * self.x_0.shape[1]).clamp_min(1.0)

    def to(self, device: torch.device) -> Batch:
        """The batch on another device."""
        return Batch(*(x.to(device) for x in (self.x_0, self.mask, self.donors, self.presence)))


@dataclass(frozen=True)
class Drawing:
    """What an example shows; in samples, whole frames of the settings it was drawn by.

    ``first``: where the window begins in the track; ``hole``: what is hidden, from there on (up to the window's end at
    the most), None where nothing is known; ``gap``: whose donors are shown, which do not show it; ``present``: which of
    its places are, and at last whether the consensus is.
    """

    track: Track
    first: int
    hole: tuple[int, int] | None
    gap: TrainingGap | None = None
    present: tuple[bool, ...] = ()
    level_db: float = 0.0
    reverse: bool = False


@dataclass(frozen=True)
class _Example:
    """An example as it was read: x_0 and the donors by frame, standardised; masks by token."""

    frames: Float[np.ndarray, "shown frames bands"]
    keep: Float[np.ndarray, " tokens"]
    presence: Float[np.ndarray, "donors tokens"]


_Shown = tuple[Float[np.ndarray, "frames bands"], Float[np.ndarray, " frames"]]
"""A donor's frames, and 1 where they are there."""


class Examples:
    """Draws batches from the tracks of one split, endlessly and from a seed.

    Raises:
        InvalidRequest: the corpus lacks frames of this hop, or the places that are asked for.
    """

    def __init__(
        self,
        tracks: list[Track],
        folder: Path,
        mean: Float[np.ndarray, " bands"],
        std: Float[np.ndarray, " bands"],
        settings: BatchSettings | None = None,
        mel: MelSettings | None = None,
    ) -> None:
        self.settings, self.mel = settings or BatchSettings(), mel or MelSettings()
        self.mean, self.std = mean, std
        self.tracks = tracks
        self.gaps = [(track, gap) for track in tracks for gap in track.gaps]
        needs = self.settings.consensus or self.settings.places > 2
        if needs and not any(gap.parts for _, gap in self.gaps):
            raise InvalidRequest(f"expected gaps with likely places in {folder}, found none: prepare the corpus again")
        self.frames = {t.id: self._open(folder, t) for t in tracks}
        seconds = np.array([t.seconds for t in tracks])
        self.weight = seconds / seconds.sum()

    def _open(self, folder: Path, track: Track) -> Float[np.ndarray, "frames bands"]:
        path = feature_file(folder, track.id, self.mel.hop)
        if not path.is_file():
            raise InvalidRequest(f"expected {path}, found none: prepare the corpus with --hop {self.mel.hop}")
        frames: Float[np.ndarray, "frames bands"] = np.load(path, mmap_mode="r")
        return frames

    def _draw_without_donors(self, rng: np.random.Generator) -> Drawing:
        s, per, hop = self.settings, self.mel.frames_per_token, self.mel.hop
        track = self.tracks[rng.choice(len(self.tracks), p=self.weight)]
        first = int(rng.integers(0, max(1, len(self.frames[track.id]) - s.tokens * per)))
        hole = None
        if rng.random() >= s.unconditional:
            length = int(rng.integers(6, 60))
            start = int(rng.integers(0, s.tokens * self.mel.token // _UNIT - length))
            hole = (start * _UNIT, (start + length) * _UNIT)
        return Drawing(track, first * hop, hole)

    def _draw_with_donors(self, rng: np.random.Generator, track: Track, gap: TrainingGap) -> Drawing:
        s, per, hop = self.settings, self.mel.frames_per_token, self.mel.hop
        count = s.tokens * per
        start, length = gap.start // hop, (gap.stop - gap.start) // hop
        late = int(rng.integers(0, max(1, length // 4)))  # a shorter gap inside the searched one
        length = max(per, (length - late) // per * per)
        before = int(rng.integers(s.margin, count - length - s.margin)) // per * per
        end = count if rng.random() < s.one_sided else before + length
        return Drawing(
            track,
            (start + late - before) * hop,
            (before * hop, end * hop),
            gap,
            tuple(bool(rng.random() >= s.drop_donor) for _ in range(s.places + s.consensus)),
        )

    def draw(self, rng: np.random.Generator, no_donors: float | None = None) -> Drawing:
        """One example; ``no_donors`` overrides the settings (0 for validation)."""
        s = self.settings
        if rng.random() < (s.no_donors if no_donors is None else no_donors):
            drawn = self._draw_without_donors(rng)
        else:
            drawn = self._draw_with_donors(rng, *self.gaps[rng.integers(len(self.gaps))])
        level, reverse = float(rng.uniform(-s.level_db, s.level_db)), bool(rng.random() < s.reverse)
        return replace(drawn, level_db=level, reverse=reverse)

    def _window(self, track: Track, first: int) -> _Shown:
        """Frames from ``first`` on and 1 where they lie inside the track."""
        source, count = self.frames[track.id], self.settings.tokens * self.mel.frames_per_token
        window = np.tile(self.mean, (count, 1))
        inside = np.zeros(count, np.float32)
        low, high = max(0, first), min(len(source), first + count)
        if high > low:
            window[low - first : high - first] = source[low:high]
            inside[low - first : high - first] = 1.0
        return window, inside

    def _donor(self, drawn: Drawing, gap: TrainingGap, place: int, *, harmonic: bool) -> _Shown:
        hop = self.mel.hop
        origin = drawn.first // hop + round((place - gap.start) / hop)
        frames, there = self._window(drawn.track, origin)
        own = np.arange(origin, origin + len(there))
        low, high = self._unseen(drawn, gap, REACH if harmonic else 0)
        there[(own >= low) & (own < high)] = 0.0
        return (harmonic_part(frames) if harmonic else frames), there

    def _consensus(self, drawn: Drawing, gap: TrainingGap) -> _Shown:
        hop, song = self.mel.hop, self.frames[drawn.track.id]
        known = np.ones(len(song), bool)
        low, high = self._unseen(drawn, gap)
        known[max(0, low) : high] = False
        moments = drawn.first + np.arange(self.settings.tokens * self.mel.frames_per_token) * hop - gap.start
        likely = Consensus(np.array(gap.places), np.array(gap.parts))
        found = agreed(likely, song, known, moments.astype(np.float64), gap.stop - gap.start, hop)
        return found.mel, found.seen.astype(np.float32)

    def _unseen(self, drawn: Drawing, gap: TrainingGap, reach: int = 0) -> tuple[int, int]:
        """Frames that hear the gap, or what is hidden behind it, or are heard with ``reach`` frames about them.

        They are unknown at use, so they are not shown here.
        """
        beside = self.mel.n_fft // 2 // self.mel.hop + reach
        stop = gap.stop if drawn.hole is None else max(gap.stop, drawn.first + drawn.hole[1])
        return gap.start // self.mel.hop - beside, stop // self.mel.hop + beside

    def _places(self, drawn: Drawing, gap: TrainingGap) -> list[int]:
        """Where the donors stand; of a continuation both where the left one does, as recall has it for one context."""
        if drawn.hole is not None and drawn.hole[1] >= self.settings.tokens * self.mel.token:
            return [gap.left] * min(2, self.settings.places)
        return gap.donors(self.settings.places)

    def _shown(self, drawn: Drawing) -> list[_Shown | None]:
        """All donors, None for those that are absent."""
        s, gap = self.settings, drawn.gap
        if gap is None:
            return [None] * s.shown
        places = self._places(drawn, gap)
        shown: list[_Shown | None] = []
        for harmonic in (False, True)[: 1 + s.harmonic]:
            for i in range(s.places):
                seen = i < len(places) and drawn.present[i]
                shown.append(self._donor(drawn, gap, places[i], harmonic=harmonic) if seen else None)
        if s.consensus:
            shown.append(self._consensus(drawn, gap) if drawn.present[-1] and gap.parts else None)
        return shown

    def read(self, drawn: Drawing) -> _Example:
        """The example: augmented, standardised; donors that are absent are zero in ``presence``."""
        s, per, hop = self.settings, self.mel.frames_per_token, self.mel.hop
        window, inside = self._window(drawn.track, drawn.first // hop)
        keep = np.zeros_like(inside) if drawn.hole is None else inside.copy()
        if drawn.hole is not None:
            keep[drawn.hole[0] // hop : drawn.hole[1] // hop] = 0.0
        donors = [(window, np.zeros_like(inside)) if shown is None else shown for shown in self._shown(drawn)]
        frames = (np.stack([window, *(f for f, _ in donors)]) + drawn.level_db / 10.0 - self.mean) / self.std
        present = np.stack([there for _, there in donors])
        if drawn.reverse:  # in reversed time the left donor of each pair is the right one; a consensus has no side
            swapped = np.arange(s.shown)
            swapped[: s.donors] ^= 1
            frames = frames[[0, *(1 + swapped)], ::-1]
            keep, present = keep[::-1], present[swapped, ::-1]
        per_token = keep.reshape(-1, per).min(1)  # a token is known only where all its frames are
        return _Example(frames.astype(np.float32), per_token, present.reshape(s.shown, -1, per).min(2))

    def collate(self, drawings: Sequence[Drawing]) -> Batch:
        """Drawings, read, as a batch."""
        read = [self.read(d) for d in drawings]
        frames = torch.from_numpy(np.stack([e.frames for e in read]))
        tokens = frames.reshape(len(read), 1 + self.settings.shown, -1, self.mel.channels).transpose(2, 3).contiguous()
        presence = torch.from_numpy(np.stack([e.presence for e in read]))
        mask = torch.from_numpy(np.stack([e.keep for e in read]))[:, None]
        donors = (tokens[:, 1:] * presence[:, :, None]).flatten(1, 2)
        return Batch(tokens[:, 0], mask, donors, presence)

    def batch(self, rng: np.random.Generator, no_donors: float | None = None) -> Batch:
        """A batch of new drawings."""
        return self.collate([self.draw(rng, no_donors) for _ in range(self.settings.batch)])

    def stream(self, seed: int) -> Iterator[Batch]:
        """Batches without end."""
        rng = np.random.default_rng(seed)
        while True:
            yield self.batch(rng)
