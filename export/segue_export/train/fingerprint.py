"""The same recording under another name: fingerprints of mel frames, found again at any offset.

After Haitsma and Kalker, "A highly robust audio fingerprinting system" (ISMIR 2002): a word of 32 bits says, of each of
33 bands, whether its level rose more than its neighbour's. Another codec, gain or trim leaves most bits as they are;
other music agrees in half of them. Another tempo or key is another recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt32

from segue.prior.codecs.mel import MelSettings

_STRIDE = 4  # frames from one word to the next
_SMOOTH = 8  # words over which levels are averaged
_LAG = 4  # words over which a level rises or falls
_BANDS = slice(6, 72)  # of the mid signal: 0.2 to 7 kHz, what every codec keeps; averaged in twos
_SILENT = -4.0  # mean log10 power of a word that says nothing
_COMMON = 64  # a word that occurs more often leads nowhere
_VOTES = 4  # words in common at one offset, from which it is looked at
_OFFSETS = 3  # offsets of two tracks that are looked at
_RUN = 256  # words, 12 s, that must agree
SAME = 0.3
"""Share of differing bits, over 12 s, up to which two recordings are one; 0.5 is chance."""

WORD_SECONDS = _STRIDE * MelSettings.hop / MelSettings.rate


@dataclass(frozen=True)
class Fingerprint:
    """Words of a track, and which of them are of silence."""

    words: UInt32[np.ndarray, " words"]
    silent: Bool[np.ndarray, " words"]


@dataclass(frozen=True)
class Match:
    """Two tracks that hold the same 12 s: ``one`` has them ``later_s`` seconds later than ``other``."""

    one: str
    other: str
    later_s: float
    error: float


def fingerprint(frames: Float[np.ndarray, "frames bands"]) -> Fingerprint:
    """Of mel frames in log10 power at hop 512, mid bands first; without words where there are too few frames."""
    bands = frames[::_STRIDE, _BANDS].astype(np.float64)
    levels = (bands[:, ::2] + bands[:, 1::2]) / 2
    total = np.concatenate([np.zeros((1, levels.shape[1])), levels.cumsum(0)])
    smooth = (total[_SMOOTH:] - total[:-_SMOOTH]) / _SMOOTH
    slope = np.diff(smooth, axis=1)
    rising = slope[_LAG:] > slope[:-_LAG]
    words = np.packbits(rising, axis=1).view(np.uint32)[:, 0]
    return Fingerprint(words, smooth[_LAG:].mean(1) < _SILENT)


def difference(one: Fingerprint, other: Fingerprint, later: int) -> float:
    """The least share of differing bits over any 12 s of two tracks laid together; 1 where they share less.

    ``later``: words by which ``one`` has the same later than ``other``. Silence agrees with nothing.
    """
    low, high = max(0, later), min(len(one.words), len(other.words) + later)
    if high - low < _RUN:
        return 1.0
    apart = one.words[low:high] ^ other.words[low - later : high - later]
    wrong = np.unpackbits(np.ascontiguousarray(apart).view(np.uint8).reshape(-1, 4), axis=1).mean(1)
    wrong[one.silent[low:high] | other.silent[low - later : high - later]] = 0.5
    total = np.concatenate([[0.0], wrong.cumsum()])
    return float((total[_RUN:] - total[:-_RUN]).min() / _RUN)


def _index(tracks: Mapping[str, Fingerprint]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], np.ndarray]:
    """Track numbers, positions and words of all that is not silent."""
    numbers = [np.full(len(f.words), i) for i, f in enumerate(tracks.values())]
    places = [np.arange(len(f.words)) for f in tracks.values()]
    sounding = ~np.concatenate([f.silent for f in tracks.values()])
    words = np.concatenate([f.words for f in tracks.values()])
    return np.concatenate(numbers)[sounding], np.concatenate(places)[sounding], words[sounding]


def _candidates(ones: Mapping[str, Fingerprint], others: Mapping[str, Fingerprint]) -> Iterator[tuple[int, int, int]]:
    """Numbers of two tracks and an offset (of 4 words' precision) at which several of their words are the same."""
    (number, place, word), (number_2, place_2, word_2) = _index(ones), _index(others)
    order = word_2.argsort(kind="stable")
    first, last = (np.searchsorted(word_2[order], word, side) for side in ("left", "right"))
    count = np.where(last - first > _COMMON, 0, last - first)
    mine = np.repeat(np.arange(len(word)), count)
    theirs = order[np.repeat(first, count) + np.arange(len(mine)) - np.repeat(count.cumsum() - count, count)]
    votes = np.stack([number[mine], number_2[theirs], (place[mine] - place_2[theirs]) // 4], 1)
    found, agreeing = np.unique(votes, axis=0, return_counts=True)
    looked: dict[tuple[int, int], int] = {}
    for i in agreeing.argsort(kind="stable")[::-1]:
        if agreeing[i] < _VOTES:
            return
        a, b, offset = (int(v) for v in found[i])
        looked[a, b] = looked.get((a, b), 0) + 1
        if looked[a, b] <= _OFFSETS:
            yield a, b, offset * 4


def matches(ones: Mapping[str, Fingerprint], others: Mapping[str, Fingerprint]) -> list[Match]:
    """Pairs of tracks, by name, that hold the same recording for 12 s or more, each once at its best offset."""
    if not ones or not others:
        return []
    names, names_2 = list(ones), list(others)
    best: dict[tuple[str, str], Match] = {}
    for a, b, offset in _candidates(ones, others):
        one, other = names[a], names_2[b]
        if one == other:
            continue
        error, later = min((difference(ones[one], others[other], at), at) for at in range(offset - 2, offset + 6))
        if error <= SAME and ((one, other) not in best or error < best[one, other].error):
            best[one, other] = Match(one, other, later * WORD_SECONDS, error)
    return sorted(best.values(), key=lambda m: m.error)
