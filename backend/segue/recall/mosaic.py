"""The mosaic: units of the song chosen to follow a given course of the spectrum (concatenative synthesis).

Unit selection as in Hunt and Black 1996: a target cost for each unit, a join cost between neighbours, the cheapest path
by Viterbi. Neighbours that continue each other in the song cost nothing to join and become one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.recall.blocked import clear_frames
from segue.recall.joining import JoinSettings, Run, join

Stereo = Float[np.ndarray, "2 samples"]
Frames = Float[np.ndarray, "frames bands"]

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

    unit: int = 8
    around: int = 2
    candidates: int = 32
    beam: int = 128
    join: float = 0.3
    mismatch: float = 0.15
    seam: float = 0.15
    side_weight: float = 0.5
    mid_bands: int = 96
    hop: int = 512
    joining: JoinSettings = field(default_factory=JoinSettings)

    def __post_init__(self) -> None:
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
    target_frames: Float[np.ndarray, "target bands"],
    blocked: Sequence[Span],
    context_left_frames: Float[np.ndarray, "left bands"],
    context_right_frames: Float[np.ndarray, "right bands"],
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
        InvalidRequest: no target frames, band counts that differ, or ``samples`` that do not end in the last frame.
    """
    s = settings or MosaicSettings()
    target = len(target_frames)
    samples = target * s.hop if samples is None else samples
    _check(song_frames, target_frames, context_left_frames, context_right_frames, samples, s)
    left = context_left_frames[max(0, len(context_left_frames) - max(1, s.around)) :]
    right = context_right_frames[: max(1, s.around)]
    weight = _band_weights(song_frames.shape[1], s)
    song = song_frames * weight
    course = np.concatenate([left, target_frames, right]) * weight
    search = _Search(song, course, len(left), len(right), unit_borders(target, s.unit), s)
    chosen = search.run(song_audio.shape[1], blocked)
    if chosen is None:
        return None
    path, cost = chosen
    runs = _runs(path, search.borders, samples, s.hop)
    audio, joined = join(song_audio, runs, s.joining, left_audio, right_audio)
    return Mosaic(audio, joined, s.joining.fade, cost / len(path))


def _check(song: Frames, target: Frames, left: Frames, right: Frames, samples: int, s: MosaicSettings) -> None:
    counts = [f.shape[1] for f in (song, target, left, right)]
    if len(set(counts)) != 1:
        raise InvalidRequest(f"song, target and contexts must have the same bands, got {counts}; use one codec for all")
    if not (len(target) - 1) * s.hop < samples <= len(target) * s.hop:
        raise InvalidRequest(
            f"{len(target)} target frames must cover the target to within one hop of {s.hop}, got {samples} samples"
        )


def _band_weights(bands: int, s: MosaicSettings) -> Float[np.ndarray, " bands"]:
    """Square roots of the bands' weights, which sum to 1."""
    weight = np.ones(bands, np.float32)
    weight[s.mid_bands :] = s.side_weight
    return np.sqrt(weight / weight.sum())


def _runs(path: list[int], borders: list[int], samples: int, hop: int) -> list[Run]:
    """Units that continue each other as one run each."""
    firsts = [0] + [u for u in range(1, len(path)) if path[u] != path[u - 1] + borders[u] - borders[u - 1]]
    stops = [borders[u] * hop for u in firsts[1:]] + [samples]
    return [Run(borders[u] * hop, stop, path[u] * hop) for u, stop in zip(firsts, stops, strict=True)]


@dataclass
class _Search:
    """The cheapest path; frames are already weighted, ``course`` is left context, target, right context."""

    song: Frames
    course: Float[np.ndarray, "course bands"]
    left: int
    right: int
    borders: list[int]
    settings: MosaicSettings

    def run(self, samples: int, blocked: Sequence[Span]) -> tuple[list[int], float] | None:
        """The song frame of each unit and the path's cost, or None where a unit has no clear place."""
        s, units = self.settings, len(self.borders) - 1
        lengths = np.diff(self.borders)
        reach = s.joining.reach
        clear = {
            n: clear_frames(len(self.song), s.hop, reach, int(n) * s.hop + reach, samples, blocked) for n in set(lengths)
        }
        places: list[Int[np.ndarray, " states"]] = []
        backs: list[Int[np.ndarray, " states"]] = []
        total = np.zeros(0, np.float32)
        for u, cost in enumerate(self._unit_costs()):
            cost[~clear[lengths[u]]] = _FAR
            keep = min(s.candidates, len(cost))
            here = np.argpartition(cost, keep - 1)[:keep] if keep else np.zeros(0, int)
            if u:
                onward = places[-1] + lengths[u - 1]
                here = np.concatenate([here, onward[onward < len(cost)]])
            here = np.unique(here[cost[here] < _FAR])
            if not len(here):
                return None
            back, total = self._step(places[-1], total, here, int(lengths[u - 1])) if u else (here * 0, self._first(here))
            total = total + cost[here] + (self._final(here, int(lengths[u])) if u == units - 1 else 0.0)
            best = np.argsort(total, kind="stable")[: s.beam]
            places.append(here[best])
            backs.append(back[best])
            total = total[best]
        at = int(total.argmin())
        least, path = float(total[at]), []
        for here, back in zip(reversed(places), reversed(backs), strict=True):
            path.append(int(here[at]))
            at = int(back[at])
        return path[::-1], least

    def _unit_costs(self):  # type: ignore[no-untyped-def]
        """For each unit, the mean distance of the frames around it to those around every place of the song."""
        s, count = self.settings, len(self.song)
        energy = np.einsum("fb,fb->f", self.song, self.song)
        low = high = 0
        rows = np.zeros((0, count), np.float32)
        for u in range(len(self.borders) - 1):
            first = max(0, self.left + self.borders[u] - s.around)
            stop = min(len(self.course), self.left + self.borders[u + 1] + s.around)
            if stop > high or first < low:
                low, high = first, min(len(self.course), max(stop, first + _BLOCK))
                block = self.course[low:high]
                rows = -2.0 * (block @ self.song.T)
                rows += np.einsum("fb,fb->f", block, block)[:, None]
                rows += energy
            cost = np.zeros(count, np.float32)
            for row in range(first, stop):
                offset = row - self.left - self.borders[u]
                a, b = max(0, -offset), count - max(0, offset)
                if a < b:
                    cost[a:b] += rows[row - low, a + offset : b + offset]
            yield cost / np.float32(stop - first)

    def _step(self, before, total, here, length):  # type: ignore[no-untyped-def]
        """Best predecessor of each place, and the path's cost with the join; continuing costs nothing."""
        s = self.settings
        onward = np.minimum(before + length, len(self.song) - 1)
        a, b = self.song[onward], self.song[here]
        apart = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2.0 * a @ b.T
        cost = s.join + s.mismatch * np.maximum(apart, 0.0)
        cost[(before + length)[:, None] == here] = 0.0
        cost += total[:, None]
        back = cost.argmin(0)
        return back, cost[back, np.arange(len(here))]

    def _first(self, here):  # type: ignore[no-untyped-def]
        """The join to the left context: its last frame against the frame before each place."""
        if not self.left:
            return np.zeros(len(here), np.float32)
        return self.settings.seam * ((self.song[np.maximum(here - 1, 0)] - self.course[self.left - 1]) ** 2).sum(1)

    def _final(self, here, length):  # type: ignore[no-untyped-def]
        """The join to the right context: its first frame against the frame after each place."""
        if not self.right:
            return np.zeros(len(here), np.float32)
        after = self.song[np.minimum(here + length, len(self.song) - 1)]
        return self.settings.seam * ((after - self.course[len(self.course) - self.right]) ** 2).sum(1)
