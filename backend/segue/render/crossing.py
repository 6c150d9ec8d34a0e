"""Two tracks that cross in a gap: the course from one to the other, and how near to it a take keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import uniform_filter1d

from segue.clip.analysis import k_weighted
from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.guidance.operators.onset_strength import OnsetStrength
from segue.prior.contract import Codec
from segue.recall.features import song_features
from segue.recall.song import Song
from segue.render.scene import Scene, cut, encode, paste, widened
from segue.sampling.contract import Latents
from segue.tasks.plan import Region, Stereo

_LEVEL = round(0.3 * MODEL_RATE)  # samples over which a level is taken
_MOST = 4.0  # gain: what is quieter than that is no fault of shaping
_BESIDE = 1 << 14  # samples of context that onsets are heard with
_ONSETS = OnsetStrength(float(MODEL_RATE), 1024, 256, smooth=0.03, floor=1e-7)
_PARTS = 10
"""Parts of the gap in which the way from one track to the other is measured."""

_COURSE = 2.0
"""What an uneven course counts beside lost onsets."""


@dataclass(frozen=True, eq=False)
class Crossing:
    """``leaving`` and ``entering``, (2, gap), and their cross-fade ``faded``, at the song's level; ``before`` and
    ``after``: what is known beside the gap, 0.4 s or less.
    """

    leaving: Stereo
    entering: Stereo
    faded: Stereo
    before: Stereo
    after: Stereo

    @staticmethod
    def of(region: Region, song: Song) -> Crossing | None:
        """The crossing of a region; None where no tracks cross."""
        if region.crossing is None or region.x_bar is None:
            return None
        gain = np.float32(song.gain)
        leaving, entering, faded = (one * gain for one in (*region.crossing, region.x_bar))
        return Crossing(leaving, entering, faded, *song.context(region.gap, _BESIDE))

    def course(self, scene: Scene, codec: Codec, timeline: Stereo, gap: Span) -> Latents:
        """Latents that move from the one track's to the other's in a straight line: of a mel codec, in decibels.

        A cross-fade is heard to change late: as long as the one track is the louder, the sum is nearly that.
        """
        span, margin = widened(scene.layout, codec)
        sides = []
        for track in (self.leaving, self.entering):
            audio = cut(timeline, span)
            paste(audio, span, track, gap)
            sides.append(encode(codec, audio[None], margin))
        seconds = scene.layout.seconds(MODEL_RATE) - gap.start / MODEL_RATE
        share = torch.from_numpy(np.clip(seconds * MODEL_RATE / gap.length, 0.0, 1.0).astype(np.float32))
        return torch.where(scene.mask > 0.5, scene.context, torch.lerp(sides[0], sides[1], share))

    def levelled(self, take: Stereo) -> Stereo:
        """A take, (2, gap), as loud as the cross-fade at each moment, K-weighted: between two spectra in dB lies less
        power.
        """
        gain = np.sqrt(_power(self.faded) / _power(take)).clip(1.0 / _MOST, _MOST)
        made: Stereo = (take * gain).astype(np.float32)
        return made

    def woven(self, take: Stereo) -> Stereo:
        """A take, (2, gap), led into by the track that leaves and out of by the one that enters, at constant power."""
        length = take.shape[1]
        angle = np.pi * (np.arange(length) + 0.5) / length  # half a turn: each half of the gap is one cross-fade
        out, into = np.cos(np.minimum(angle, np.pi / 2)), np.sin(np.maximum(angle - np.pi / 2, 0.0))
        made: Stereo = (out * self.leaving + np.sin(angle) * take + into * self.entering).astype(np.float32)
        return made

    def strays(self, take: Stereo) -> float:
        """How far a take, (2, gap), is from going evenly over, on the beat; 0 is neither.

        Onsets that are not those of the cross-fade (1 less the correlation), and the course: in each part of the gap,
        how far it has come from the one track to the other by their mel spectra, RMS from a straight line.
        """
        heard, meant = (self._onsets(audio) for audio in (take, self.faded))
        alike = float(heard @ meant) / max(float(np.linalg.norm(heard) * np.linalg.norm(meant)), 1e-9)
        there, left, right = (song_features(np.ascontiguousarray(x)) for x in (take, self.leaving, self.entering))
        gone, ahead = (_parts(np.abs(there - side).mean(1)) for side in (left, right))
        come = gone / np.maximum(gone + ahead, 1e-9)
        straight = (np.arange(len(come)) + 0.5) / len(come)
        return 1.0 - alike + _COURSE * float(np.sqrt(np.mean((come - straight) ** 2)))

    def _onsets(self, take: Stereo) -> Float[np.ndarray, " frames"]:
        """Onset strength in the gap, less its mean."""
        audio = np.concatenate([self.before, take, self.after], 1)
        strength = 2.0 ** _ONSETS(torch.from_numpy(audio[None]))[0].numpy().astype(np.float64)
        first = self.before.shape[1] // _ONSETS.hop
        inside = strength[first : first + take.shape[1] // _ONSETS.hop]
        centred: Float[np.ndarray, " frames"] = inside - inside.mean()
        return centred


def _power(audio: Stereo) -> Float[np.ndarray, " samples"]:
    power: Float[np.ndarray, " samples"] = uniform_filter1d(
        np.square(k_weighted(audio)).mean(0), _LEVEL, mode="nearest"
    )
    return power + 1e-10


def _parts(values: Float[np.ndarray, " frames"]) -> Float[np.ndarray, " parts"]:
    return np.array([part.mean() for part in np.array_split(values, min(_PARTS, len(values)))])
