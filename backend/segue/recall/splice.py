"""Donors to audio: the two-donor splice, the copy, and what the donors would sound like over a longer window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.recall.blocked import is_clear
from segue.recall.donors import MARGIN, DonorPair
from segue.recall.fades import correlation, crossfade
from segue.recall.song import Song

Stereo = Float[np.ndarray, "2 _samples"]


@dataclass(frozen=True)
class SpliceSettings:
    """``fade``: length of the cross-fade at the switch; ``search``: how far the switch may move for it; ``step`` of the
    search; all in seconds.
    """

    fade: float = 0.06
    search: float = 0.1
    step: float = 0.002


def copy(song: Song, pair: DonorPair, gap: Span, margin: int) -> Stereo:
    """The single best place, (2, gap + 2 margin): samples [gap.start - margin, gap.stop + margin) of the timeline.

    Raises:
        InvalidRequest: ``margin`` is not 0 to ``donors.MARGIN``; the pair is of another gap or song.
    """
    return _heard(song, pair.copy, gap, margin)


def splice(
    song: Song, pair: DonorPair, gap: Span, margin: int, settings: SpliceSettings | None = None
) -> tuple[Stereo, int]:
    """The left donor, then, after the switch, the right one, and the switch in samples into the gap.

    (2, gap + 2 margin): samples [gap.start - margin, gap.stop + margin) of the timeline. Both donors are aligned to
    their contexts, so neither is moved: the switch is, within ``settings.search``, to where their waveforms are most
    alike.

    Raises:
        InvalidRequest: as :func:`copy`.
    """
    s = settings or SpliceSettings()
    left, right = _heard(song, pair.left, gap, margin), _heard(song, pair.right, gap, margin)
    if pair.left == pair.right:
        return left, pair.switch
    fade = min(int(s.fade * 44100), gap.length)
    switch = _moment(left, right, margin, pair.switch, gap.length, fade, s)
    first = margin + switch - fade // 2
    result = np.concatenate([left[:, : first + fade], right[:, first + fade :]], 1)
    result[:, first : first + fade] = crossfade(left[:, first : first + fade], right[:, first : first + fade])
    return result, switch


def donor_audio(
    song: Song, pair: DonorPair, gap: Span, window: Span
) -> tuple[Float[np.ndarray, "2 2 samples"], Bool[np.ndarray, "2 samples"]]:
    """What the two donors would sound like over ``window``, samples of the timeline around ``gap``.

    (donors, channels, samples): left donor first. Presence is False, and the audio 0, where a donor would leave the
    song or enter a blocked span.
    """
    audio = np.zeros((2, 2, window.length), np.float32)
    presence = np.zeros((2, window.length), bool)
    for k, place in enumerate((pair.left, pair.right)):
        start = place + window.start - gap.start
        low, high = max(0, start), min(song.samples, start + window.length)
        if low >= high:
            continue
        audio[k, :, low - start : high - start] = song.audio[:, low:high]
        presence[k, low - start : high - start] = True
        for span in song.blocked:
            hidden = slice(max(0, span.start - start), max(0, span.stop - start))
            audio[k, :, hidden] = 0.0
            presence[k, hidden] = False
    return audio, presence


def _heard(song: Song, place: int, gap: Span, margin: int) -> Stereo:
    """The song from ``place`` - margin on, for the length of the gap and both margins."""
    if not 0 <= margin <= MARGIN:
        raise InvalidRequest(f"the margin around a recalled gap must be 0 to {MARGIN} samples, got {margin}")
    span = Span(place - margin, place + gap.length + margin)
    if not is_clear(span, song.samples, song.blocked):
        raise InvalidRequest(
            f"a donor must be known material of the song (0:{song.samples}), got {span.start}:{span.stop}; "
            "search donors again with this song and gap"
        )
    return song.audio[:, span.start : span.stop].copy()


def _moment(
    left: Stereo, right: Stereo, margin: int, near: int, length: int, fade: int, settings: SpliceSettings
) -> int:
    """The switch, in samples into the gap, whose cross-fade joins the waveforms that are most alike."""
    low, high = fade // 2, length - (fade - fade // 2)
    reach, step = int(settings.search * 44100), max(1, int(settings.step * 44100))
    around: list[int] = np.unique(np.clip(np.arange(near - reach, near + reach + 1, step), low, high)).tolist()

    def alike(switch: int) -> float:
        at = slice(margin + switch - fade // 2, margin + switch - fade // 2 + fade)
        return correlation(left[:, at], right[:, at])

    return max(around, key=alike)
