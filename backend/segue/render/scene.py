"""A region in latent space: what is known around the gap, and what the song offers for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from segue.clip.span import Span
from segue.prior.codecs.mel import MelCodec
from segue.prior.contract import Codec, ConditioningRequest
from segue.recall.blocked import touching_frames
from segue.recall.consensus import Consensus, agreed
from segue.recall.song import Song
from segue.render.windows import Layout, known_frames, slice_windows
from segue.sampling.contract import Latents
from segue.tasks.plan import Stereo

_BLOCK = 1024  # latent frames encoded at once: 48 s


@dataclass(frozen=True)
class Scene:
    """Latents of one region, batch 1. ``mask`` 1 = known; ``x_bar``: latents of what is to be started from, if any;
    ``consensus``: what likely places agree on, where ``agreed`` is 1, and by how much they differ there (``spread``).
    """

    layout: Layout
    mask: Float[Tensor, "1 1 frames"]
    context: Latents
    donors: Float[Tensor, "1 n channels frames"] | None
    presence: Float[Tensor, "1 n frames"] | None
    x_bar: Latents | None
    consensus: Latents | None = None
    agreed: Float[Tensor, "1 1 frames"] | None = None
    spread: Latents | None = None

    def hidden(self) -> Scene:
        """The same frames with nothing known of them: what a prior trained without conditioning at times was shown."""
        nothing = replace(self, mask=torch.zeros_like(self.mask), context=torch.zeros_like(self.context))
        return replace(nothing, donors=None, presence=None, x_bar=None, consensus=None, agreed=None, spread=None)

    def request(self, rate: int) -> ConditioningRequest:
        """What conditioning providers draw on; one batch item for each window of the layout."""
        windows = self.layout.windows
        start = self.layout.first / rate
        return ConditioningRequest(
            mask=slice_windows(self.mask, windows),
            context=slice_windows(self.context, windows),
            donors=None if self.donors is None else slice_windows(self.donors, windows),
            presence=None if self.presence is None else slice_windows(self.presence, windows),
            consensus=None if self.consensus is None else slice_windows(self.consensus, windows),
            agreed=None if self.agreed is None else slice_windows(self.agreed, windows),
            seconds=(start, windows[0].length * self.layout.token / rate),
        )


def cut(audio: Stereo, span: Span) -> Stereo:
    """``audio`` over ``span``, zero where the span reaches out of it."""
    out = np.zeros((2, span.length), np.float32)
    low, high = max(0, span.start), min(audio.shape[1], span.stop)
    if high > low:
        out[:, low - span.start : high - span.start] = audio[:, low:high]
    return out


def paste(audio: Stereo, span: Span, patch: Stereo, at: Span) -> None:
    """Write ``patch``, which stands for ``at``, into ``audio``, which stands for ``span``, as far as they overlap."""
    low, high = max(span.start, at.start), min(span.stop, at.stop)
    if high > low:
        audio[:, low - span.start : high - span.start] = patch[:, low - at.start : high - at.start]


def widened(layout: Layout, codec: Codec) -> tuple[Span, int]:
    """The layout's span with whole frames of margin for the codec's reach, and that margin in frames."""
    margin = -(-codec.reach // codec.token)
    extra = margin * codec.token
    return Span(layout.span.start - extra, layout.span.stop + extra), margin


def encode(codec: Codec, audio: Float[np.ndarray, "batch 2 samples"], margin: int) -> Latents:
    """Latents of audio over a widened span, the margin dropped again: no frame hears the window's edge.

    A long stretch is encoded in blocks, each with its margin, which takes the memory of one.
    """
    frames = audio.shape[-1] // codec.token - 2 * margin
    parts = []
    for first in range(0, frames, _BLOCK):
        last = min(frames, first + _BLOCK)
        piece = audio[..., first * codec.token : (last + 2 * margin) * codec.token]
        latents = codec.encode(torch.from_numpy(np.ascontiguousarray(piece)))
        parts.append(latents[..., margin : latents.shape[-1] - margin])
    return parts[0] if len(parts) == 1 else torch.cat(parts, -1)


def known_samples(length: int, blocked: tuple[Span, ...], span: Span) -> Bool[np.ndarray, " samples"]:
    """Which samples of ``span`` lie on a timeline of ``length`` samples and outside every blocked span."""
    known = np.zeros(span.length, bool)
    known[max(0, -span.start) : max(0, min(span.length, length - span.start))] = True
    for b in blocked:
        known[max(0, b.start - span.start) : max(0, b.stop - span.start)] = False
    return known


@dataclass(frozen=True)
class DonorWindow:
    """What donors sound like over a widened layout, (n, 2, samples) at the reference level, and where they exist."""

    audio: Float[np.ndarray, "n 2 samples"]
    present: Bool[np.ndarray, "n samples"]


def make_scene(
    layout: Layout,
    codec: Codec,
    timeline: Stereo,
    blocked: tuple[Span, ...],
    donors: DonorWindow | None,
    x_bar: Stereo | None,
    gap: Span,
) -> Scene:
    """Encode everything about a region. ``timeline`` and ``x_bar`` are at the reference level."""
    span, margin = widened(layout, codec)
    around = Span(layout.span.start - codec.reach, layout.span.stop + codec.reach)
    keep = known_frames(layout, codec.reach, known_samples(timeline.shape[1], blocked, around))
    mask = torch.from_numpy(keep.astype(np.float32))[None, None]
    audio = cut(timeline, span)
    context = encode(codec, audio[None], margin) * mask
    start = None
    if x_bar is not None:
        audio = audio.copy()
        paste(audio, span, x_bar, gap)
        start = encode(codec, audio[None], margin)
    latents = presence = None
    if donors is not None:
        skip = margin * codec.token
        inner = donors.present[:, skip : donors.present.shape[1] - skip]
        there = inner.reshape(len(inner), layout.frames, codec.token).all(-1)
        presence = torch.from_numpy(there.astype(np.float32))[None]
        latents = encode(codec, donors.audio, margin)[None] * presence[:, :, None]
    return Scene(layout, mask, context, latents, presence, start)


def with_consensus(scene: Scene, codec: Codec, song: Song, gap: Span, consensus: Consensus) -> Scene:
    """The scene with what the likely places of a song agree on, in the frames of a mel codec."""
    assert isinstance(codec, MelCodec)
    layout, hop, per = scene.layout, codec.settings.hop, codec.settings.frames_per_token
    moments = layout.first - gap.start + np.arange(layout.frames * per) * hop
    known = ~touching_frames(len(song.frames), hop, codec.reach, codec.reach, song.blocked)
    found = agreed(consensus, song.frames, known, moments.astype(np.float64), gap.length, hop)
    latents = codec.to_tokens(torch.from_numpy(found.mel)[None])
    there = torch.from_numpy(found.seen.reshape(-1, per).all(1).astype(np.float32))[None, None]
    spread = codec.to_tokens(torch.from_numpy(found.spread)[None])
    return replace(scene, consensus=latents * there, agreed=there, spread=spread * there)
