"""The song: all that may be recalled, as one signal, and what of it may not be heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.prior.codecs.mel import MelCodec
from segue.prior.contract import REFERENCE_RMS
from segue.recall.blocked import known_after, known_before, merged
from segue.recall.donors import DonorPair, donors_in_turn, find_donors
from segue.recall.features import RATE, mel_frames, song_features

Stereo = Float[np.ndarray, "2 _samples"]

JOIN = 4096
"""Samples of silence, blocked, between two files: no frame hears both."""

_SILENT_RMS = 1e-5

SHORTEST_SOUND = 1.0
"""Seconds a song must last for units of its sound."""

EASY_DB = 5.0
HARD_DB = 7.0


@dataclass(frozen=True)
class Recallable:
    """How well the song can recall a gap: the mean context distance of its best place, in words.

    Under 5 dB a copy is nearly right ("easy"), from 7 dB on it is not ("hard"); "none" where there is no place at all.
    """

    distance_db: float | None
    word: Literal["easy", "middle", "hard", "none"]

    @staticmethod
    def of(pair: DonorPair | None) -> Recallable:
        """The report for a gap's donors."""
        if pair is None or pair.period is not None:
            return Recallable(None, "none")
        distance = pair.distance_db
        return Recallable(distance, "easy" if distance < EASY_DB else "middle" if distance < HARD_DB else "hard")


@dataclass(frozen=True, eq=False)
class Song:
    """44.1 kHz stereo material for recall: the timeline, whose samples keep their numbers, then further files.

    ``audio`` (2, samples) is at an RMS of 0.1 and silent inside ``blocked``; ``timeline`` is the length of its first
    part; ``gain`` is what the timeline was multiplied by: divide by it to go back to the musician's level. ``sound``:
    another song, of whose units a mosaic is made instead of this one's (:meth:`sounding_like`).
    """

    audio: Stereo
    timeline: int
    gain: float
    blocked: tuple[Span, ...]
    codec: MelCodec
    sound: Song | None = None

    @staticmethod
    def of(
        timeline: Stereo,
        gaps: Sequence[Span],
        codec: MelCodec,
        songs: Sequence[Stereo] = (),
        originals: Sequence[Stereo] = (),
    ) -> Song:
        """Gather a timeline with its gaps, and further files, each brought to the reference level by itself.

        The level is measured on known samples only; a part that is silent keeps its own (gain 1). Of a timeline that is
        all gap it is that of the ``originals``, what stood in the gaps, where they are known.

        Raises:
            InvalidRequest: a gap outside the timeline; samples that are not finite.
        """
        length = timeline.shape[1]
        for gap in gaps:
            if gap.start < 0 or gap.stop > length:
                raise InvalidRequest(
                    f"a gap must lie within the timeline, samples 0:{length}, got {gap.start}:{gap.stop}; move it"
                )
        blocked = list(merged(g for g in gaps if g.length))
        total = length + sum(JOIN + s.shape[1] for s in songs)
        audio = np.zeros((2, total), np.float32)
        audio[:, :length] = timeline
        for gap in blocked:
            audio[:, gap.start : gap.stop] = 0.0
        known = length - sum(g.length for g in blocked)
        if known or not originals:
            gain = _normalise(audio[:, :length], known, "the timeline")
        else:
            gain = _normalise(np.concatenate(originals, 1), length, "the timeline")
        at = length
        for number, other in enumerate(songs):
            blocked.append(Span(at, at + JOIN))
            at += JOIN
            part = audio[:, at : at + other.shape[1]]
            part[:] = other
            _normalise(part, other.shape[1], f"recall file {number + 1}")
            at += other.shape[1]
        return Song(audio, length, gain, merged(blocked), codec)

    def sounding_like(self, other: Stereo) -> Song:
        """This song, its mosaics made of units of ``other``, which is brought to the reference level too.

        Raises:
            InvalidRequest: ``other`` is shorter than :data:`SHORTEST_SOUND`, silent or not finite.
        """
        seconds = other.shape[1] / RATE
        if seconds < SHORTEST_SOUND:
            raise InvalidRequest(
                f"the song to take the sound from must last {SHORTEST_SOUND:g} s or more, got {seconds:.3f} s: "
                "give a longer file"
            )
        sound = Song.of(other, (), self.codec)
        if sound.is_silent:
            raise InvalidRequest("the song to take the sound from is silent: give a file with music in it")
        return replace(self, sound=sound)

    @property
    def units(self) -> Song:
        """Where a mosaic's units come from."""
        return self if self.sound is None else self.sound

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it is louder than -100 dBFS (RMS)."""
        return _rms(self.audio, self.known) < _SILENT_RMS

    @property
    def known(self) -> int:
        """Samples that may be heard."""
        return self.samples - sum(span.length for span in self.blocked)

    @property
    def samples(self) -> int:
        """Length of all parts and the silences between them."""
        return int(self.audio.shape[1])

    @cached_property
    def features(self) -> Float[np.ndarray, "frames bands"]:
        """The coarse log-mel donors are found by; made when first asked for."""
        return song_features(self.audio)

    @cached_property
    def frames(self) -> Float[np.ndarray, "frames bands"]:
        """The codec's standardised frames units are chosen by; made when first asked for."""
        return mel_frames(self.audio, self.codec)

    def donors(self, gap: Span) -> DonorPair | None:
        """The best donor pair for a gap of the timeline, or None where there is no room for one."""
        return find_donors(self.audio, self.features, gap, self.blocked, self.timeline)

    def turns(self, gap: Span, turns: Sequence[int]) -> tuple[DonorPair, ...]:
        """A donor pair for each of ``turns``, or none where there is no room: 0 has the best.

        Others take others that are foretold nearly as well, as long as there are any, and begin again.
        """
        return donors_in_turn(self.audio, self.features, gap, self.blocked, turns, self.timeline)

    def context(self, gap: Span, reach: int) -> tuple[Stereo, Stereo]:
        """What is known right before and right after ``gap``, up to ``reach`` samples each, (2, n) and (2, m)."""
        before = min(reach, known_before(gap.start, self.blocked))
        after = min(reach, known_after(gap.stop, self.timeline, self.blocked))
        return self.audio[:, gap.start - before : gap.start], self.audio[:, gap.stop : gap.stop + after]

    def context_frames(
        self, gap: Span, count: int
    ) -> tuple[Float[np.ndarray, "left bands"], Float[np.ndarray, "right bands"]]:
        """Up to ``count`` frames on each side of ``gap``, at gap.start - k hop and gap.stop + k hop.

        The gap's own silence is not heard: each context is analysed alone, reflected where the gap begins.
        """
        hop, n_fft = self.codec.settings.hop, self.codec.settings.n_fft
        left, right = self.context(gap, count * hop + n_fft)
        left = left[:, left.shape[1] % hop :]
        before, after = mel_frames(left, self.codec), mel_frames(right, self.codec)
        return before[max(0, len(before) - count) :], after[:count]


def _normalise(part: Stereo, known: int, name: str) -> float:
    """Bring ``part`` in place to the reference RMS, over its ``known`` samples (the rest is 0); the gain used."""
    rms = _rms(part, known)
    if not np.isfinite(rms):
        raise InvalidRequest(f"{name} must hold finite samples, got NaN or infinity; repair or re-export the file")
    if rms < _SILENT_RMS:
        return 1.0
    gain = REFERENCE_RMS / rms
    part *= np.float32(gain)
    return gain


def _rms(part: Stereo, known: int) -> float:
    """RMS of a part over its ``known`` samples; the rest is 0."""
    energy = float(np.einsum("cs,cs->", part, part, dtype=np.float64)) if part.size else 0.0
    return (energy / (2 * known)) ** 0.5 if known else 0.0
