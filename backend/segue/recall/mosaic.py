"""The mosaic: units of the song chosen to follow a given course of the spectrum (concatenative synthesis).

Unit selection as in Hunt and Black 1996: a target cost for each unit, a join cost between neighbours, the cheapest path
by Viterbi. Neighbours that continue each other in the song cost nothing to join and become one run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.recall.blocked import clear_frames
from segue.recall.joining import JoinSettings, Run, join

Stereo = Float[np.ndarray, "2 _samples"]
Frames = Float[np.ndarray, "_frames _bands"]

_FAR = np.float32(1e9)
_BLOCK = 256  # target frames compared with the song at once, bounding memory for long gaps


@dataclass(frozen=True)
class MosaicSettings:
    """How units are chosen; costs are mean squared differences of standardised log-mel, weighted by band.

    ``unit``: frames of a unit (all units of a target are within one frame of each other, near this). ``around``: frames
    compared before and after it. ``candidates``: best places kept for each unit; ``beam``: paths kept to be continued.
    ``join``: cost of a join, to which ``mismatch`` times the squared distance of the frames at the join is added;
    ``seam``: the same factor where the first and last unit meet the gap's contexts. ``side_weight``: of the bands from
    ``mid_bands`` on. ``hop``: samples of a frame.
    """

    unit: int = 6
    around: int = 2
    candidates: int = 32
    beam: int = 128
    join: float = 0.2
    mismatch: float = 0.15
    seam: float = 0.5
    side_weight: float = 0.5
    mid_bands: int = 96
    hop: int = 512
    joining: JoinSettings = field(default_factory=JoinSettings)

    def __post_init__(self) -> None:
        for name in ("join", "mismatch", "seam", "side_weight"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise InvalidRequest(f"mosaic setting {name} must be 0 or more, got {getattr(self, name)}")
        least = {"unit": 1, "around": 0, "candidates": 1, "beam": 1, "hop": 1}
        for name, minimum in least.items():
            if getattr(self, name) < minimum:
                raise InvalidRequest(f"mosaic setting {name} must be {minimum} or more, got {getattr(self, name)}")


@dataclass(frozen=True)
class Mosaic:
    """``audio`` (2, samples + 2 fade) covers [start - fade, stop + fade) of the target.

    ``runs``: the places of the song it is made of; ``cost``: of the path, for each unit.
    """

    audio: Stereo
    runs: tuple[Run, ...]
    fade: int
    cost: float


def unit_borders(frames: int, unit: int) -> list[int]:
    """Borders of the units of a target: as many as come nearest to ``unit`` frames each, equal within one frame."""
    count = max(1, (frames + unit // 2) // unit)
    return [i * frames // count for i in range(count + 1)]


def mosaic(
    song_audio: Stereo,
    song_frames: Frames,
    target_frames: Frames,
    blocked: Sequence[Span],
    context_left_frames: Frames,
    context_right_frames: Frames,
    settings: MosaicSettings | None = None,
    *,
    samples: int | None = None,
    left_audio: Stereo | None = None,
    right_audio: Stereo | None = None,
) -> Mosaic | None:
    """Audio from ``song_audio`` that follows ``target_frames``, or None where the song has no known place for a unit.

    ``target_frames``: standardised log-mel, frame k centred on sample hop k of the target; ``song_frames``: the song's,
    on the same terms. Context frames are what is known right before and after the target (possibly none); the nearest
    few take part in choosing. ``left_audio`` and ``right_audio``: the known audio there, to which the ends are aligned.
    ``samples``: the target's length if it ends inside its last frame. ``blocked`` spans of the song are never heard;
    units may come from another song, with nothing blocked.

    Raises:
        InvalidRequest: no target frames or frames that are not finite, band counts that differ, or ``samples`` that do
            not end in the last frame.
    """
    s = settings or MosaicSettings()
    samples = len(target_frames) * s.hop if samples is None else samples
    _check(song_frames, target_frames, context_left_frames, context_right_frames, samples, s)
    near = max(1, s.around)
    weights = _band_weights(song_frames.shape[1], s)
    course = _Course(
        target_frames * weights,
        context_left_frames[max(0, len(context_left_frames) - near) :] * weights,
        context_right_frames[:near] * weights,
        unit_borders(len(target_frames), s.unit),
    )
    chosen = _choose(song_frames * weights, song_audio.shape[1], blocked, course, s)
    if chosen is None:
        return None
    path, cost = chosen
    audio, runs = join(song_audio, _runs(path, course.borders, samples, s.hop), s.joining, left_audio, right_audio)
    return Mosaic(audio, runs, s.joining.fade, cost / len(path))


def _check(song: Frames, target: Frames, left: Frames, right: Frames, samples: int, s: MosaicSettings) -> None:
    counts = [f.shape[1] for f in (song, target, left, right)]
    if len(set(counts)) != 1:
        raise InvalidRequest(f"song, target and contexts must have the same bands, got {counts}; use one codec for all")
    if not len(target) or not np.isfinite(target).all():
        raise InvalidRequest(f"a mosaic needs target frames, all finite, got {len(target)} frames; render them again")
    if not (len(target) - 1) * s.hop < samples <= len(target) * s.hop:
        raise InvalidRequest(
            f"{len(target)} target frames must cover the target to within one hop of {s.hop}, got {samples} samples"
        )


def _band_weights(bands: int, s: MosaicSettings) -> Float[np.ndarray, " bands"]:
    """Square roots of the bands' weights, which sum to 1: with them, squared distances are weighted means."""
    weights = np.ones(bands, np.float32)
    weights[s.mid_bands :] = s.side_weight
    roots: Float[np.ndarray, " bands"] = np.sqrt(weights / weights.sum())
    return roots


def _runs(path: Sequence[int], borders: Sequence[int], samples: int, hop: int) -> list[Run]:
    """Units that continue each other as one run each."""
    firsts = [0] + [u for u in range(1, len(path)) if path[u] != path[u - 1] + borders[u] - borders[u - 1]]
    stops = [borders[u] * hop for u in firsts[1:]] + [samples]
    return [Run(borders[u] * hop, stop, path[u] * hop) for u, stop in zip(firsts, stops, strict=True)]


@dataclass(frozen=True)
class _Course:
    """What the units are to follow, weighted by band: the target, the contexts' nearest frames, the units' borders."""

    target: Float[np.ndarray, "target bands"]
    left: Float[np.ndarray, "left bands"]
    right: Float[np.ndarray, "right bands"]
    borders: list[int]

    @property
    def lengths(self) -> list[int]:
        """Frames of each unit."""
        return [b - a for a, b in zip(self.borders, self.borders[1:], strict=False)]


def _choose(
    song: Frames, samples: int, blocked: Sequence[Span], course: _Course, s: MosaicSettings
) -> tuple[list[int], float] | None:
    """The song frame of each unit on the cheapest path, and its cost; None where a unit has no clear place."""
    lengths, reach = course.lengths, s.joining.reach
    clear = {n: clear_frames(len(song), s.hop, reach, n * s.hop + reach, samples, blocked) for n in set(lengths)}
    places: list[Int[np.ndarray, " states"]] = []
    backs: list[Int[np.ndarray, " states"]] = []
    total = np.zeros(0, np.float32)
    for u, cost in enumerate(_unit_costs(song, course, s)):
        cost[~clear[lengths[u]]] = _FAR
        here = _candidates(cost, places[-1] + lengths[u - 1] if u else None, s.candidates)
        if not len(here):
            return None
        if u:
            back, total = _step(song, places[-1], total, here, lengths[u - 1], s)
        else:
            back, total = here, _seam(song, here - 1, course.left[-1:], s)
        total = total + cost[here]
        if u == len(lengths) - 1:
            total = total + _seam(song, here + lengths[u], course.right[:1], s)
        best = np.argsort(total, kind="stable")[: s.beam]
        places.append(here[best])
        backs.append(back[best])
        total = total[best]
    at, path = int(total.argmin()), []
    cheapest = float(total[at])
    for here, back in zip(reversed(places), reversed(backs), strict=True):
        path.append(int(here[at]))
        at = int(back[at])
    return path[::-1], cheapest


def _unit_costs(song: Frames, course: _Course, s: MosaicSettings) -> Iterator[Float[np.ndarray, " frames"]]:
    """For each unit, the mean distance of the frames in and around it to those of every place of the song."""
    whole = np.concatenate([course.left, course.target, course.right])
    energy = np.einsum("fb,fb->f", song, song)
    count, begin = len(song), len(course.left)
    low, rows = 0, np.zeros((0, count), np.float32)
    for start, stop in zip(course.borders, course.borders[1:], strict=False):
        first, last = max(0, begin + start - s.around), min(len(whole), begin + stop + s.around)
        if last > low + len(rows):
            low = first
            block = whole[low : max(last, low + _BLOCK)]
            rows = np.einsum("fb,fb->f", block, block)[:, None] + energy - 2.0 * (block @ song.T)
        cost = np.zeros(count, np.float32)
        for row in range(first, last):
            offset = row - begin - start  # from the unit's first frame; beyond the song's ends nothing is added
            a, b = max(0, -offset), count - max(0, offset)
            if a < b:
                cost[a:b] += rows[row - low, a + offset : b + offset]
        yield cost / np.float32(last - first)


def _candidates(
    cost: Float[np.ndarray, " frames"], onward: Int[np.ndarray, " states"] | None, count: int
) -> Int[np.ndarray, " places"]:
    """The ``count`` cheapest places and those that continue the paths so far, without the ones that are not clear."""
    count = min(count, len(cost))
    here = np.argpartition(cost, count - 1)[:count] if count else np.zeros(0, np.intp)
    if onward is not None:
        here = np.concatenate([here, onward[onward < len(cost)]])
    return np.unique(here[cost[here] < _FAR])


def _step(
    song: Frames,
    before: Int[np.ndarray, " states"],
    total: Float[np.ndarray, " states"],
    here: Int[np.ndarray, " places"],
    length: int,
    s: MosaicSettings,
) -> tuple[Int[np.ndarray, " places"], Float[np.ndarray, " places"]]:
    """The best predecessor of each place, and the cost of its path with the join; continuing costs nothing."""
    a, b = song[np.minimum(before + length, len(song) - 1)], song[here]
    apart = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2.0 * a @ b.T
    cost = s.join + s.mismatch * np.maximum(apart, 0.0)
    cost[(before + length)[:, None] == here] = 0.0
    cost += total[:, None]
    back = cost.argmin(0)
    return back, cost[back, np.arange(len(here))]


def _seam(
    song: Frames, beside: Int[np.ndarray, " places"], context: Float[np.ndarray, "count bands"], s: MosaicSettings
) -> Float[np.ndarray, " places"]:
    """Cost of meeting a context: its nearest frame (if any) against the song's frames ``beside`` the places."""
    if not len(context):
        return np.zeros(len(beside), np.float32)
    apart = song[np.clip(beside, 0, len(song) - 1)] - context
    cost: Float[np.ndarray, " places"] = np.float32(s.seam) * np.einsum("pb,pb->p", apart, apart)
    return cost
