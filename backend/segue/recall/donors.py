"""Donors: the places of the song that fit the gap's contexts best.

The left donor is a place whose preceding second and a half resembles the gap's left context; the right donor a place
whose following second and a half resembles the right context. A pair switches once. Of the likely places
:mod:`segue.recall.choose` takes those that are expected to be nearest to the missing music.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from jaxtyping import Float, Integer

from segue.clip.span import Span
from segue.recall.blocked import clear_frames, is_clear, known_after, known_before, touching_frames
from segue.recall.choose import MOST, Chosen, choices
from segue.recall.consensus import Consensus
from segue.recall.fades import best_shift, correlations
from segue.recall.features import FLOOR_DB, HOP, N_FFT, RATE
from segue.recall.foretold import Side, differences, foretell_parts, spread_over

MARGIN = int(0.1 * RATE)
"""Samples on each side of the gap that a donor is sure to cover as well, for the seams."""

_CONTEXT = int(1.5 * RATE / HOP)  # frames compared on each side
_MIN_CONTEXT = 8  # a shorter context says nothing
_FAR = np.float32(1e9)
_ALIGN_WINDOW = int(0.4 * RATE)
_ALIGN_REACH = int(0.025 * RATE)
_EACH, _BOTH = 14, 20  # candidates for one context, and for both together
_APART = 6  # frames between two candidates
_SMOOTH = 9  # frames over which the moment to switch between two loops is judged
_FADING = 40.0  # frames away from the gap in which a context frame's weight falls by 1 / e


@dataclass(frozen=True)
class DonorPair:
    """Two places of the song for one gap.

    ``left`` and ``right`` are song samples that would stand at the gap's start; up to ``switch`` samples into the gap
    the left one sounds, then the right one. ``copy`` is the single place that fits both contexts best (the left donor,
    where no place has room for both). Each is known for the length of the gap and :data:`MARGIN` on both sides.
    ``left_db`` and ``right_db`` are the context distances, NaN for a side that has no context or no place to match it;
    ``distance_db`` is the mean context distance of ``copy``: under 5 dB the song can be recalled nearly right, over
    7 dB it cannot. ``expected_db``: by how much the pair is expected to differ from the gap's own music, see
    :mod:`segue.recall.choose`. ``period``: samples at which the contexts were looped to make the donors
    (:mod:`segue.recall.loop`), None for places of the song. ``consensus``: all likely places, None for a loop. ``lap``:
    how many times every choice has had its turn before. Pairs of the same places are equal: a NaN equals none.
    """

    left: int
    right: int
    switch: int
    copy: int
    left_db: float = field(compare=False)
    right_db: float = field(compare=False)
    distance_db: float = field(compare=False)
    period: int | None = None
    expected_db: float | None = field(default=None, compare=False)
    consensus: Consensus | None = field(default=None, compare=False)
    lap: int = field(default=0, compare=False)


@dataclass(frozen=True)
class _Context:
    """One side of a gap.

    ``offset``: its first frame, from the one at the gap's start; ``weights``: of its frames, 0 where unknown, lower the
    further from the gap; ``reference``: the samples nearest to the gap, by which donors are aligned.
    """

    frames: Float[np.ndarray, "length bands"]
    weights: Float[np.ndarray, " length"]
    offset: int
    reference: Span


_Heard = tuple[_Context | None, Float[np.ndarray, " frames"] | None]
"""A context, and the distance to it of a donor at each frame."""


def sliding_distance(
    song: Float[np.ndarray, "frames bands"],
    context: Float[np.ndarray, "length bands"],
    weights: Float[np.ndarray, " length"],
) -> Float[np.ndarray, " starts"]:
    """Weighted mean squared difference (dB^2) between ``context`` and every run of equal length in ``song``."""
    starts = len(song) - len(context) + 1
    song_energy, context_energy = np.einsum("fb,fb->f", song, song), np.einsum("fb,fb->f", context, context)
    cross = context @ song.T
    total = np.full(starts, float(weights @ context_energy), np.float32)
    for i in np.flatnonzero(weights):
        total += weights[i] * (song_energy[i : i + starts] - 2.0 * cross[i, i : i + starts])
    distance: Float[np.ndarray, " starts"] = np.maximum(total, 0.0) / np.float32(weights.sum() * song.shape[1])
    return distance


def _contexts(
    features: Float[np.ndarray, "frames bands"], samples: int, gap: Span, blocked: Sequence[Span]
) -> tuple[_Context | None, _Context | None]:
    """The left and right context of a gap in a track of ``samples``, each None where fewer than 8 frames are known."""
    start, stop = gap.start // HOP, -(-gap.stop // HOP)
    features = features[: samples // HOP + 1]  # what follows the track in a song is no context of it
    unknown = touching_frames(len(features), HOP, N_FFT // 2, N_FFT // 2, blocked)
    before, after = known_before(gap.start, blocked), known_after(gap.stop, samples, blocked)
    references = (
        Span(gap.start - min(before, _ALIGN_WINDOW), gap.start),
        Span(gap.stop, gap.stop + min(after, _ALIGN_WINDOW)),
    )
    lows, highs = (max(0, start - _CONTEXT), stop + 1), (start, stop + 1 + _CONTEXT)
    contexts: list[_Context | None] = []
    for low, high, reference in zip(lows, highs, references, strict=True):
        known = ~unknown[low:high]
        away = np.arange(len(known)) if low > start else np.arange(len(known))[::-1]
        weights = np.where(known, np.exp(-away / _FADING), 0.0).astype(np.float32)
        usable = known.sum() >= _MIN_CONTEXT
        contexts.append(_Context(features[low:high], weights, low - start, reference) if usable else None)
    return contexts[0], contexts[1]


def _distances(
    features: Float[np.ndarray, "frames bands"],
    samples: int,
    context: _Context | None,
    gap: Span,
    blocked: Sequence[Span],
) -> Float[np.ndarray, " frames"] | None:
    """Context distance (dB^2) of a donor standing at each frame; 1e9 where it, its margin or its context is not clear.

    None where there is no context to compare, or no clear place.
    """
    if context is None:
        return None
    count = len(features)
    found = sliding_distance(features, context.frames, context.weights)
    at = np.arange(len(found)) - context.offset
    inside = (at >= 0) & (at < count)
    distance = np.full(count, _FAR)
    distance[at[inside]] = found[inside]
    seam = MARGIN + _ALIGN_REACH
    low, high = context.offset * HOP - N_FFT // 2, (context.offset + len(context.frames) - 1) * HOP + N_FFT // 2
    before, after = max(seam, -low), max(HOP + gap.length + seam, high)
    distance[~clear_frames(count, HOP, before, after, samples, blocked)] = _FAR
    return distance if distance.min() < _FAR else None


def best_places(distance: Float[np.ndarray, " frames"], count: int) -> list[int]:
    """The ``count`` lowest local minima, at least 6 frames apart."""
    left = distance.copy()
    places: list[int] = []
    for _ in range(count):
        place = int(left.argmin())
        if left[place] >= _FAR / 10:
            break
        places.append(place)
        left[max(0, place - _APART) : place + _APART] = _FAR
    return places


def best_switch(features: Float[np.ndarray, "frames bands"], left: int, right: int, length: int) -> tuple[float, int]:
    """Distance (dB^2) and frame of the moment at which two donors are most alike, in the mean over 17 frames."""
    edge = min(4, length // 3)
    apart = ((features[left : left + length] - features[right : right + length]) ** 2).mean(1)
    smooth = np.convolve(np.pad(apart, _SMOOTH // 2, mode="edge"), np.ones(_SMOOTH) / _SMOOTH, "valid")
    at = int(smooth[edge : length - edge].argmin()) + edge
    return float(smooth[at]), at


def likely_places(
    left: Float[np.ndarray, " frames"] | None, right: Float[np.ndarray, " frames"] | None
) -> Integer[np.ndarray, " places"]:
    """Frames at which donors may stand: the nearest to both contexts, then those to one, where both are possible."""
    if left is None or right is None:
        one = left if left is not None else right
        return np.array(best_places(one, _BOTH) if one is not None else [], int)
    found = [*best_places((left + right) / 2, _BOTH), *best_places(left, _EACH), *best_places(right, _EACH)]
    possible = [p for p in dict.fromkeys(found) if max(left[p], right[p]) < _FAR / 10]
    return np.array(possible, int)


def side_of(context: _Context, *, before: bool) -> Side:
    """A context as :mod:`segue.recall.foretold` hears it, from the gap outwards."""
    frames = np.where(context.weights[:, None] > 0.0, context.frames, np.nan)
    if before:
        return Side(frames[::-1], context.offset + len(frames) - 1, -1)
    return Side(frames, context.offset, 1)


def _align(
    song: Float[np.ndarray, "2 samples"], place: int, gap: Span, reference: Span, blocked: Sequence[Span]
) -> int:
    """``place`` moved, by at most 25 ms, to where what lies beside it best matches the gap's ``reference``."""
    low = place + reference.start - gap.start - _ALIGN_REACH
    around = Span(low, low + reference.length + 2 * _ALIGN_REACH)
    if not reference.length or not is_clear(around, song.shape[1], blocked):
        return place
    heard = correlations(song[:, around.start : around.stop], song[:, reference.start : reference.stop])
    return place + best_shift(heard)


@dataclass(frozen=True, eq=False)
class DonorSearch:
    """The likely places for a gap, and how they differ from it beside it.

    ``features``: of the song, what is blocked at the floor; ``left`` and ``right``: each context with the distance of
    every frame to it; ``cells``: :func:`segue.recall.foretold.differences` of the places on either side.
    """

    features: Float[np.ndarray, "frames bands"]
    left: _Heard
    right: _Heard
    places: Integer[np.ndarray, " places"]
    cells: tuple[Float[np.ndarray, "places cells"] | None, Float[np.ndarray, "places cells"] | None]


def donor_search(
    features: Float[np.ndarray, "frames bands"],
    samples: int,
    gap: Span,
    blocked: Sequence[Span],
    track: int | None = None,
) -> DonorSearch | None:
    """Where donors may stand, or None where the song holds no room for one; the rest as :func:`find_donors`."""
    masked = features.copy()
    masked[touching_frames(len(features), HOP, N_FFT // 2, N_FFT // 2, blocked)] = FLOOR_DB
    contexts = _contexts(features, samples if track is None else track, gap, blocked)
    if contexts == (None, None):  # of such a track nothing is known: it is led into what follows it in the song
        contexts = _contexts(features, samples, gap, blocked)
    left, right = (_distances(masked, samples, context, gap, blocked) for context in contexts)
    places = likely_places(left, right)
    if not len(places):
        return None
    before, after = ((c, d) for c, d in zip(contexts, (left, right), strict=True))
    cells = [
        None if c is None or d is None else differences(masked, side_of(c, before=is_left), places)
        for (c, d), is_left in ((before, True), (after, False))
    ]
    return DonorSearch(masked, before, after, places, (cells[0], cells[1]))


def find_donors(
    song: Float[np.ndarray, "2 samples"],
    features: Float[np.ndarray, "frames bands"],
    gap: Span,
    blocked: Sequence[Span],
    track: int | None = None,
) -> DonorPair | None:
    """The best donor pair of ``song`` for ``gap``, or None where the song holds no room for one.

    ``song`` is 44.1 kHz stereo at an RMS of about 0.1, ``features`` its :func:`song_features`; ``blocked`` are the
    spans that must not be heard (this gap, other gaps, joins of files). A gap at an edge of the song uses its one
    context. ``track``: samples of the track the gap is in, where other files follow it in the song.
    """
    found = donors_in_turn(song, features, gap, blocked, (0,), track)
    return found[0] if found else None


def donors_in_turn(
    song: Float[np.ndarray, "2 samples"],
    features: Float[np.ndarray, "frames bands"],
    gap: Span,
    blocked: Sequence[Span],
    turns: Sequence[int],
    track: int | None = None,
) -> tuple[DonorPair, ...]:
    """A donor pair for each of ``turns``, or none where there is no room; the rest as :func:`find_donors`.

    Turn 0 has the best pair; others take turns with it, see :func:`segue.recall.choose.choices`.
    """
    blocked = [*blocked, gap]
    search = donor_search(features, song.shape[1], gap, blocked, track)
    if search is None:
        return ()
    length = -(-gap.stop // HOP) - gap.start // HOP
    parts = foretell_parts(*search.cells)
    alone = search.left[1] is None or search.right[1] is None  # one context says nothing of a second donor
    all_choices = choices(search.features, search.places, spread_over(parts, length), alone=alone)
    chosen = list(islice(all_choices, min(max(turns) + 1, MOST)))
    if alone:
        at = 0 if search.left[1] is None else length
        chosen = [replace(choice, switch=at) for choice in chosen]
    consensus = Consensus.of(search.places * HOP + gap.start % HOP, parts)
    laps, places = zip(*(divmod(turn, len(chosen)) for turn in turns), strict=True)
    pairs = {n: aligned_pair(song, gap, blocked, chosen[n], search) for n in set(places)}
    return tuple(replace(pairs[n], consensus=consensus, lap=lap) for lap, n in zip(laps, places, strict=True))


def aligned_pair(
    song: Float[np.ndarray, "2 samples"], gap: Span, blocked: Sequence[Span], chosen: Chosen, search: DonorSearch
) -> DonorPair:
    """A choice of ``search`` from frames to samples: each donor aligned to its context."""
    before, after = search.left, search.right
    references = [c.reference for c, _ in (before, after) if c is not None]

    def fine(frame: int, reference: Span) -> int:
        return _align(song, frame * HOP + gap.start % HOP, gap, reference, blocked)

    def distance(frame: int, of: Float[np.ndarray, " frames"] | None) -> float:
        return float(of[frame]) if of is not None else float("nan")

    beside = (distance(chosen.copy, before[1]), distance(chosen.copy, after[1]))
    return DonorPair(
        left=fine(chosen.left, references[0]),
        right=fine(chosen.right, references[-1]),
        switch=min(gap.length, chosen.switch * HOP),
        copy=fine(chosen.copy, references[-1]),
        left_db=float(np.sqrt(distance(chosen.left, before[1]))),
        right_db=float(np.sqrt(distance(chosen.right, after[1]))),
        distance_db=float(np.sqrt(np.nanmean(beside))),
        expected_db=chosen.expected,
    )
