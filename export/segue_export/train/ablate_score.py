"""One measure for variants of different geometry: the held-out error on the same frames of the same gaps.

Examples are drawn once, with the default settings, and read by each variant in its own way: a longer window shows more
on both sides, a finer hop has frames between. What a variant predicts is brought back to the frames of the default
(hop 512: every second frame of hop 256 is one of these) and compared where the default's gap is. The noise is the same
on these frames, and drawn further elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from segue_export.train.batches import Batch, Drawing, Examples
from segue_export.train.course import VALIDATION_TIMES, predicted

COUNT = 128
"""Held-out gaps."""

_AT_ONCE = 16
_ALL = 5  # donors of any variant
_SEED = 99
LOUD = -1.0
"""Standardised mel from which a value is called loud."""


def plain(drawn: Drawing) -> Drawing:
    """The drawing at its own level, forward in time, with all donors shown."""
    return replace(drawn, level_db=0.0, reverse=False, present=(True,) * _ALL)


@dataclass(frozen=True)
class Held:
    """Held-out examples, as drawn and read with the default settings."""

    examples: Examples
    drawings: list[Drawing]

    @classmethod
    def draw(cls, examples: Examples, count: int = COUNT) -> Held:
        """So many, :func:`plain`, from a seed of their own."""
        rng = np.random.default_rng(_SEED)
        return cls(examples, [plain(examples.draw(rng, no_donors=0.0)) for _ in range(count)])

    def chunks(self) -> Iterator[list[Drawing]]:
        """Drawings, so many at once."""
        for first in range(0, len(self.drawings), _AT_ONCE):
            yield self.drawings[first : first + _AT_ONCE]


@dataclass(frozen=True)
class Frames:
    """Where the default's frames lie among a variant's: from ``first``, every ``stride``-th, ``count`` of them."""

    first: int
    stride: int
    count: int
    extra: int  # samples that a variant's window begins before the default's

    @classmethod
    def between(cls, default: Examples, variant: Examples) -> Frames:
        """For examples read by both."""
        own, other = (e.settings.tokens * e.mel.token for e in (default, variant))
        extra = (other - own) // 2
        return cls(extra // variant.mel.hop, default.mel.hop // variant.mel.hop, own // default.mel.hop, extra)

    @property
    def index(self) -> slice:
        """Of the default's frames."""
        return slice(self.first, self.first + self.count * self.stride, self.stride)


def widened(drawn: Drawing, window: int, extra: int) -> Drawing:
    """The drawing in a window that shows ``extra`` samples more on both sides; a continuation stays one.

    ``window``: samples of the window it was drawn for.
    """
    assert drawn.hole is not None, "a held-out example has a gap"
    start, stop = drawn.hole
    stop = stop + 2 * extra if stop == window else stop + extra
    return replace(drawn, first=drawn.first - extra, hole=(start + extra, stop))


def to_frames(tokens: Float[Tensor, "batch channels tokens"], bands: int) -> Float[Tensor, "batch frames bands"]:
    """Frames of tokens."""
    return tokens.transpose(1, 2).reshape(len(tokens), -1, bands)


def _noise(b: Batch, frames: Frames, bands: int, number: int) -> Tensor:
    """Of the variant's shape, with the same values on the default's frames for every variant."""
    common = torch.Generator().manual_seed(number)
    noise = torch.randn(to_frames(b.x_0, bands).shape, generator=torch.Generator().manual_seed(10_000 + number))
    noise[:, frames.index] = torch.randn(len(noise), frames.count, bands, generator=common)
    return noise.reshape(len(noise), b.x_0.shape[2], -1).transpose(1, 2)


@torch.no_grad()
def errors_of(net: nn.Module, examples: Examples, held: Held) -> list[list[float]]:
    """Squared error of x0_hat in each example's gap, at each of the validation times; last, at the last of them where
    the music is loud.
    """
    frames = Frames.between(held.examples, examples)
    window = held.examples.settings.tokens * held.examples.mel.token
    bands = examples.mel.bands
    found: list[list[float]] = [[] for _ in range(len(VALIDATION_TIMES) + 1)]
    for number, chunk in enumerate(held.chunks()):
        real = held.examples.collate(chunk)
        x_0 = to_frames(real.x_0, bands)
        gap = (1.0 - real.mask[:, 0]).repeat_interleave(held.examples.mel.frames_per_token, 1)[..., None].expand_as(x_0)
        b = examples.collate([widened(d, window, frames.extra) for d in chunk])
        noise = _noise(b, frames, bands, number)
        for level, t in enumerate(VALIDATION_TIMES):
            guess = to_frames(predicted(net, b, torch.full((len(chunk),), t), noise), bands)[:, frames.index]
            apart = (guess - x_0).square()
            found[level] += _mean(apart, gap).tolist()
        found[-1] += _mean(apart, gap * (x_0 >= LOUD)).tolist()
    return found


def _mean(values: Tensor, weight: Tensor) -> Float[Tensor, " batch"]:
    return (values * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1.0)
