"""Latents to audio: the bundle's own decoder, or the song's units moved along the generated mel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.prior.codecs.mel import MelCodec, mel_filterbank
from segue.prior.contract import Codec, StereoBatch
from segue.recall.donors import DonorPair
from segue.recall.mirror import mirror
from segue.recall.mosaic import MosaicSettings, mosaic
from segue.recall.song import Song
from segue.recall.splice import splice
from segue.render.scene import Scene, cut, encode, paste, widened
from segue.render.windows import SEAM, Layout
from segue.sampling.contract import Latents
from segue.tasks.plan import Stereo

MARGIN = SEAM
"""See :data:`segue.render.windows.SEAM`."""

HOLES, PEAKS = 0.75, 1.0
"""Standard deviations by which a tempered take may lie below and above what is expected. Peaks are attacks, and most of
the energy: less room for them dulls."""

_REACHES = 6  # half transforms a sample can be heard over: two passes of analysis, gain and synthesis, and more
_LOUDER = (-40.0, 10.0)  # dB by which another song's units may be moved: rests are rests, noise is not music
_PASSES = 3  # of levelling: each hears the one before as the mel does, whose frames smear a stroke over 46 ms
_CONTEXT_SECONDS = 6.0  # of each context, mirrored where there is nothing to recall


@dataclass(frozen=True)
class Sound:
    """``audio`` (2, gap + 2 MARGIN) at the reference level; ``how`` it was made, for the report."""

    audio: Stereo
    how: str


@dataclass(frozen=True, eq=False)
class SceneDecoder:
    """A scene's latents (batch, channels, frames) to audio (batch, 2, samples of ``span``) at the reference level.

    What a guided render lets its embedder hear (:data:`segue.guidance.objective.Decode`). Only ``frames`` of the scene
    are decoded; ``excitation`` (1, 2, samples of those frames) is a constant to it: the gradient passes a mosaic as a
    constant and the gain exactly.

    Raises:
        InvalidRequest: ``span`` (samples of the timeline) reaches out of the frames.
    """

    codec: Codec
    layout: Layout
    span: Span
    excitation: StereoBatch | None
    frames: Span

    def __post_init__(self) -> None:
        whole = samples_of(self.layout, self.frames)
        if not whole.start <= self.span.start < self.span.stop <= whole.stop:
            raise InvalidRequest(
                f"expected a span within the scene's {whole.start}:{whole.stop}, got {self.span.start}:"
                f"{self.span.stop} (samples): listen to less, or lay the scene out wider"
            )

    def __call__(self, latents: Latents) -> StereoBatch:
        """The audio; differentiable in the latents."""
        excitation = self.excitation
        if excitation is not None:
            excitation = excitation.expand(len(latents), -1, -1)
        first = self.span.start - samples_of(self.layout, self.frames).start
        chosen = latents[..., self.frames.start : self.frames.stop]
        return self.codec.decode(chosen, excitation)[..., first : first + self.span.length]


def samples_of(layout: Layout, frames: Span) -> Span:
    """Samples of the timeline that latent frames of a layout stand for."""
    return Span(layout.first + frames.start * layout.token, layout.first + frames.stop * layout.token)


def frames_for(layout: Layout, span: Span, codec: Codec) -> Span:
    """The frames to decode for ``span``.

    A codec that shapes an excitation hears no further than its transforms reach: a few frames more on each side. Of
    others, all of one window; of several windows, one window's length around the middle where that holds the span.
    """
    whole = layout.span
    if not whole.start <= span.start <= span.stop <= whole.stop:
        return Span(0, layout.frames)  # the decoder will refuse it
    if codec.needs_excitation:
        near = -(-_REACHES * codec.reach // layout.token)
        low = (span.start - layout.first) // layout.token - near
        high = -(-(span.stop - layout.first) // layout.token) + near
        return Span(max(0, low), min(layout.frames, high))
    size = layout.windows[0].length
    middle = ((span.start + span.stop) // 2 - layout.first) // layout.token
    first = max(0, min(middle - size // 2, layout.frames - size))
    found = samples_of(layout, Span(first, first + size))
    return (
        Span(first, first + size) if found.start <= span.start and span.stop <= found.stop else Span(0, layout.frames)
    )


def bind_decoder(
    scene: Scene, song: Song, gap: Span, codec: Codec, excitation: Sound, span: Span | None = None
) -> SceneDecoder:
    """The codec's decoder over a scene: ``excitation`` over the gap and its margins, what is known around it.

    ``span``: what is to be heard, by default the gap and its margins. An autoencoder ignores the excitation.
    """
    span = span or Span(gap.start - MARGIN, gap.stop + MARGIN)
    frames = frames_for(scene.layout, span, codec)
    if not codec.needs_excitation:
        return SceneDecoder(codec, scene.layout, span, None, frames)
    whole = samples_of(scene.layout, frames)
    around = cut(song.audio[:, : song.timeline], whole)
    paste(around, whole, excitation.audio, Span(gap.start - MARGIN, gap.stop + MARGIN))
    return SceneDecoder(codec, scene.layout, span, torch.from_numpy(around[None]), frames)


def _decoded(latents: Latents, scene: Scene, song: Song, gap: Span, codec: Codec, excitation: Sound) -> Stereo:
    """One item's audio over the gap and its margins; of a scene of several windows, a stretch at a time."""
    layout, covers = scene.layout, Span(gap.start - MARGIN, gap.stop + MARGIN)
    step = covers.length if len(layout.windows) == 1 else layout.windows[0].length // 2 * layout.token
    parts = []
    for start in range(covers.start, covers.stop, step):
        span = Span(start, min(covers.stop, start + step))
        decoder = bind_decoder(scene, song, gap, codec, excitation, span)
        with torch.no_grad():
            parts.append(decoder(latents)[0].numpy())
    return np.concatenate(parts, 1)


def decode(latents: Latents, scene: Scene, song: Song, gap: Span, codec: Codec) -> Sound:
    """Audio of one item's latents (1, channels, frames) over ``gap`` and its margins.

    An autoencoder decodes by itself. The mel codec is sounded by the mosaic; where the song holds nothing to make one
    of, by the mirrored contexts, moved to the generated mel. Another song's units are as loud as what was generated.
    """
    if not codec.needs_excitation:
        nothing = Sound(np.zeros((2, gap.length + 2 * MARGIN), np.float32), "")
        return Sound(_decoded(latents, scene, song, gap, codec, nothing), "decoded")
    assert isinstance(codec, MelCodec)
    made = _mosaic(latents, scene, song, gap, codec)
    if made is not None and song.sound is not None:
        return levelled(made, latents, scene, song, gap, codec)
    return made or shape(latents, scene, song, gap, mirrored(song, gap), codec)


def shape(latents: Latents, scene: Scene, song: Song, gap: Span, excitation: Sound, codec: Codec) -> Sound:
    """``excitation`` (over the gap and its margins) with the latents' spectrum, frame by frame."""
    audio = _decoded(latents, scene, song, gap, codec, excitation)
    return Sound(audio, f"{excitation.how}, shaped")


def tempered(sound: Sound, scene: Scene, mean: Latents, song: Song, gap: Span, codec: Codec) -> Sound:
    """``sound`` where it is further from what is expected than likely places of the song are from each other, brought
    back to that: what sticks out is taken down to one standard deviation, holes are filled to three quarters.

    Expected is all from the places' consensus to the prior's ``mean``: where a song repeats exactly, the places know
    better. What lies within is the song's own, as it is: moving it too would carry the mean's blur. Where no places
    are known nothing is moved.
    """
    if scene.spread is None or scene.agreed is None or scene.consensus is None:
        return sound
    span, margin = widened(scene.layout, codec)
    audio = cut(song.audio[:, : song.timeline], span)
    paste(audio, span, sound.audio, Span(gap.start - MARGIN, gap.stop + MARGIN))
    heard = encode(codec, audio[None], margin)
    low, high = torch.minimum(mean, scene.consensus), torch.maximum(mean, scene.consensus)
    near = torch.clamp(heard, low - HOLES * scene.spread, high + PEAKS * scene.spread)
    wanted = torch.where(scene.agreed > 0.5, near, heard)
    # beside the gap it is brought to what is known there: the seam would otherwise level all of it by the difference
    wanted = torch.where(scene.mask > 0.5, scene.context, wanted)
    made = shape(wanted, scene, song, gap, sound, codec)
    return replace(made, how=f"{sound.how}, kept likely")


def levelled(sound: Sound, latents: Latents, scene: Scene, song: Song, gap: Span, codec: MelCodec) -> Sound:
    """``sound`` as loud at each moment as the latents, within -40 and 10 dB; its spectrum is left as it is.

    Another song's spectrum is what is wanted of it: moved band by band it would be this song's again.
    """
    span, margin = widened(scene.layout, codec)
    around, covers = cut(song.audio[:, : song.timeline], span), Span(gap.start - MARGIN, gap.stop + MARGIN)
    wanted = _level(latents, codec)
    at = scene.layout.first + codec.settings.hop * np.arange(len(wanted))
    gain, audio = np.zeros(len(wanted)), sound.audio
    for _ in range(_PASSES):
        paste(around, span, audio, covers)
        gain = np.clip(gain + wanted - _level(encode(codec, around[None], margin), codec), *_LOUDER)
        course = np.interp(np.arange(covers.start, covers.stop), at, gain)
        audio = (sound.audio * 10.0 ** (course / 20.0)).astype(np.float32)
    return Sound(audio, f"{sound.how}, of another song")


def _level(latents: Latents, codec: MelCodec) -> Float[np.ndarray, " mel"]:
    """Power of one item's frames in dB: each band's mean power for as many bins as it stands for."""
    s = codec.settings
    banks = (mel_filterbank(s.n_fft, bands, s.rate, s.f_min, s.f_max) for bands in (s.mid_bands, s.side_bands))
    bins = torch.cat([1.0 / bank.square().sum(1) for bank in banks])
    power = 10.0 ** (codec.to_frames(latents)[0] * codec.std + codec.mean)
    level: Float[np.ndarray, " mel"] = (10.0 * torch.log10(power @ bins)).detach().numpy()
    return level


def recalled(song: Song, gap: Span, pair: DonorPair | None) -> Sound:
    """What the song alone offers for a gap: the spliced donors, or the mirrored contexts, over the gap and its margins.

    The excitation of a guided run, which hears its latents before there are any that a mosaic could follow.
    """
    if pair is None:
        return mirrored(song, gap)
    return Sound(splice(song, pair, gap, MARGIN)[0], "spliced donors")


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
    units = song.units
    made = mosaic(
        units.audio,
        units.frames,
        frames[offset : offset + count],
        units.blocked,
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
