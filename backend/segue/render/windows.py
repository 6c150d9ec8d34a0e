"""Where the prior looks: the stretch around a gap, and overlapping windows where the gap is longer than one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.sampling.contract import Latents, Prior


@dataclass(frozen=True)
class Layout:
    """The latent frames a region is rendered in.

    ``first`` is the timeline sample of latent frame 0 (a multiple of ``token``, possibly negative); ``frames`` their
    number; ``windows`` the frames [start, stop) each evaluation of the prior sees, all of one length.
    """

    token: int
    first: int
    frames: int
    windows: tuple[Span, ...]

    @property
    def span(self) -> Span:
        """The stretch in timeline samples."""
        return Span(self.first, self.first + self.frames * self.token)

    def seconds(self, rate: int) -> Float[np.ndarray, " frames"]:
        """Time of the middle of each latent frame on the timeline."""
        return (self.first + (np.arange(self.frames) + 0.5) * self.token) / rate


SEAM = 1024
"""Samples of audio on each side of a gap that every candidate brings, for aligning and levelling its seams."""

_WINDOW_SECONDS = 6.0
"""A window is no shorter where the prior can see more: the paper's length."""

_BESIDE_SECONDS = 2.0
"""Context on each side of a gap that a longer window is made for."""

_LEAST_CONTEXT = 20 * 2048
"""Samples beside a gap, about a second, without which it is rendered in several windows."""


@dataclass(frozen=True)
class WindowRange:
    """Latent frames a prior can see at once: ``least`` to ``most``, in multiples of ``multiple``."""

    least: int
    most: int
    multiple: int = 1

    def fitting(self, gap: Span, token: int) -> int:
        """Frames of the window a gap (samples) is rendered in: for the gap and 2 s beside it, and 6 s at the least."""
        low, high = gap.start // token, -(-gap.stop // token)
        beside = math.ceil(_BESIDE_SECONDS * MODEL_RATE / token)
        return self._within(max(high - low + 2 * beside, self.shortest(token)))

    def shortest(self, token: int) -> int:
        """Frames of the window of a short gap."""
        return self._within(max(math.ceil(_WINDOW_SECONDS * MODEL_RATE / token), self.least))

    def _within(self, frames: int) -> int:
        return min(self.most, -(-frames // self.multiple) * self.multiple)

    def lay_out(self, gap: Span, token: int) -> Layout:
        """The latent frames of a gap, in one window or, where the longest is too short, in several."""
        window = self.fitting(gap, token)
        context = min(max(1, _LEAST_CONTEXT // token), window // 4)
        return lay_out(gap, token, window, max(context, -(-SEAM // token)))


def lay_out(gap: Span, token: int, window: int, context: int) -> Layout:
    """Latent frames for ``gap`` (samples): one window of ``window`` frames with the gap in its middle, or, where that
    would leave less than ``context`` frames beside the gap, half-overlapping windows with ``context`` frames beside it.
    """
    low, high = gap.start // token, -(-gap.stop // token)
    if high - low + 2 * context <= window:
        before = (window - (high - low)) // 2
        return Layout(token, (low - before) * token, window, (Span(0, window),))
    needed = high - low + 2 * context
    hop = max(1, window // 2)
    count = 1 + -(-(needed - window) // hop)
    frames = window + (count - 1) * hop
    first = low - context - (frames - needed) // 2
    return Layout(token, first * token, frames, tuple(Span(i * hop, i * hop + window) for i in range(count)))


def known_frames(layout: Layout, reach: int, known: Bool[np.ndarray, " samples"]) -> Bool[np.ndarray, " frames"]:
    """Which latent frames are analysed from known samples alone.

    ``known`` is over the layout's span widened by ``reach`` on both sides.
    """
    unknown = np.concatenate([[0], np.cumsum(~known)])
    start = np.arange(layout.frames) * layout.token
    result: Bool[np.ndarray, " frames"] = unknown[start + layout.token + 2 * reach] == unknown[start]
    return result


def ownership(windows: tuple[Span, ...], frames: int, turn: int) -> Float[Tensor, "windows frames"]:
    """1 where a window's prediction is used. Owners of overlaps alternate with ``turn``: averaging dulls the highs."""
    owner = torch.zeros(len(windows), frames)
    for index, window in enumerate(windows):
        if index == 0:
            owner[0, window.start : window.stop] = 1.0
            continue
        overlap = Span(window.start, windows[index - 1].stop)
        own_from = overlap.start if turn % 2 else overlap.stop
        owner[:, own_from : window.stop] = 0.0
        owner[index, own_from : window.stop] = 1.0
    return owner


@dataclass
class WindowedPrior:
    """A prior over all frames of a layout, made of one over its windows; every call changes the owners of overlaps.

    ``prior`` takes (batch * windows, channels, window) with the windows of an item adjacent.
    """

    prior: Prior
    layout: Layout
    _turn: int = field(default=0, init=False)

    def __call__(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """x0_hat over all frames."""
        windows, frames = self.layout.windows, self.layout.frames
        pieces = torch.stack([x_t[..., w.start : w.stop] for w in windows], 1)
        x0_hat = self.prior(pieces.flatten(0, 1), t.repeat_interleave(len(windows))).reshape(
            len(x_t), len(windows), x_t.shape[1], -1
        )
        owner = ownership(windows, frames, self._turn)
        self._turn += 1
        total = torch.zeros_like(x_t)
        for index, w in enumerate(windows):
            padded = torch.nn.functional.pad(x0_hat[:, index], (w.start, frames - w.stop))
            total = total + padded * owner[index]
        return total


def slice_windows(values: Tensor, windows: tuple[Span, ...]) -> Tensor:
    """(1, ..., frames) to (windows, ..., window)."""
    return torch.cat([values[..., w.start : w.stop] for w in windows])
