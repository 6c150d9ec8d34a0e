"""Latents to audio: the bundle's own decoder, or the song's units moved along the generated mel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from segue.clip.span import Span
from segue.prior.codecs.mel import MelCodec
from segue.prior.contract import Codec
from segue.recall.mirror import mirror
from segue.recall.mosaic import MosaicSettings, mosaic
from segue.recall.song import Song
from segue.render.scene import Scene
from segue.sampling.contract import Latents
from segue.tasks.plan import Stereo

MARGIN = 1024
"""Samples of audio on each side of the gap that every candidate brings, for aligning and levelling its seams."""

_CONTEXT_SECONDS = 6.0  # of each context, mirrored where there is nothing to recall


@dataclass(frozen=True)
class Sound:
    """``audio`` (2, gap + 2 MARGIN) at the reference level; ``how`` it was made, for the report."""

    audio: Stereo
    how: str


def decode(latents: Latents, scene: Scene, song: Song, gap: Span, codec: Codec) -> Sound:
    """Audio of one item's latents (1, channels, frames) over ``gap`` and its margins.

    An autoencoder decodes by itself. The mel codec is sounded by the mosaic; where the song holds nothing to make one
    of, by the mirrored contexts, moved to the generated mel.
    """
    if not codec.needs_excitation:
        audio = codec.decode(latents, None)[0].detach().numpy()
        return Sound(_crop(audio, scene, gap), "decoded")
    assert isinstance(codec, MelCodec)
    made = _mosaic(latents, scene, song, gap, codec)
    return made or shape(latents, scene, song, gap, mirrored(song, gap), codec)


def shape(latents: Latents, scene: Scene, song: Song, gap: Span, excitation: Sound, codec: Codec) -> Sound:
    """``excitation`` (over the gap and its margins) with the latents' spectrum, frame by frame."""
    span = scene.layout.span
    around = np.zeros((2, span.length), np.float32)
    low, high = max(0, span.start), min(song.timeline, span.stop)
    around[:, low - span.start : high - span.start] = song.audio[:, low:high]
    first = gap.start - MARGIN - span.start
    around[:, first : first + excitation.audio.shape[1]] = excitation.audio
    audio = codec.decode(latents, torch.from_numpy(around[None]))[0].detach().numpy()
    return Sound(_crop(audio, scene, gap), f"{excitation.how}, shaped")


def mirrored(song: Song, gap: Span) -> Sound:
    """The contexts, mirrored."""
    left, right = song.context(gap, int(_CONTEXT_SECONDS * 44100))
    made = mirror(left, right, gap.length, MARGIN)
    return Sound(made.audio, made.note)


def _mosaic(latents: Latents, scene: Scene, song: Song, gap: Span, codec: MelCodec) -> Sound | None:
    hop = codec.settings.hop
    frames = codec.to_frames(latents)[0].detach().numpy()
    offset = (gap.start - scene.layout.first) // hop
    start = scene.layout.first + offset * hop
    count = -(-(gap.stop - start) // hop)
    target = Span(start, gap.stop)
    left_audio, right_audio = song.context(gap, 44100)
    made = mosaic(
        song.audio,
        song.frames,
        frames[offset : offset + count],
        song.blocked,
        frames[max(0, offset - 8) : offset],
        frames[offset + count : offset + count + 8],
        MosaicSettings(mid_bands=codec.settings.mid_bands, hop=hop),
        samples=target.length,
        # the target begins up to a hop before the gap: what is known ends where the gap begins
        left_audio=left_audio[:, : left_audio.shape[1] - (gap.start - start)],
        right_audio=right_audio,
    )
    if made is None:
        return None
    first = made.fade - MARGIN + gap.start - start
    audio = made.audio[:, first : first + gap.length + 2 * MARGIN]
    return Sound(np.ascontiguousarray(audio), f"mosaic of {len(made.runs)}")


def _crop(audio: Stereo, scene: Scene, gap: Span) -> Stereo:
    first = gap.start - MARGIN - scene.layout.first
    return np.ascontiguousarray(audio[:, first : first + gap.length + 2 * MARGIN])
