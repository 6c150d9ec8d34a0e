"""From two tracks to the plan of their transition."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from segue.clip.analysis import integrated_loudness
from segue.clip.files import AudioFile
from segue.clip.gaps import seconds_to_samples
from segue.errors import InvalidRequest
from segue.joint.place import Place, asked, choose, plain
from segue.joint.plan import JoinPlan, Side, TrackFacts
from segue.joint.ramp import SAME, Fold, common_grid, fold, grid_beats
from segue.joint.settings import JointSettings
from segue.joint.track import Heard, listen
from segue.render.jobs import check_alike

Times = Float[np.ndarray, " _n"]

BEATLESS_BAR = 2.0
"""Seconds a bar stands for where there is no beat."""

_BESIDE_SECONDS = 8.0  # of each track beside the joint, whose loudness is matched
_ROOM = 1.5  # how much longer than half the overlap a track must go on past the joint, for it may be sped up
_SPARE = 3.1  # beats beyond that which the ramp's outer side may take
_LEAST_GAIN = 0.5  # LU that nobody hears


def plan_transition(
    left: AudioFile,
    right: AudioFile,
    settings: JointSettings | None = None,
    *,
    overlap: float = 2.5,
    heard: tuple[Heard, Heard] | None = None,
) -> JoinPlan:
    """Listen to both tracks and propose how one flows into the other; nothing is rendered.

    ``overlap``: seconds to be regenerated, with the joint in their middle. ``heard``: what
    :func:`segue.joint.track.listen` heard of the left track's end and the right one's start, where that is known.

    Raises:
        InvalidRequest: tracks of different rates or channels, or too short; tempos that cannot be matched though asked;
            a joint that has no room.
    """
    settings = settings or JointSettings()
    check_alike(left, right)
    samples = seconds_to_samples(overlap, left.rate, "the overlap")
    for track in (left, right):
        if not 0 < samples < track.length:
            raise InvalidRequest(
                f"the overlap of {overlap:g} s must be more than 0 and shorter than both tracks, {track.name} lasts "
                f"{track.length / track.rate:.3f} s: choose a shorter overlap"
            )
    heard = heard or (
        listen(left, settings.search_seconds, end=True),
        listen(right, settings.search_seconds, end=False),
    )
    return _Proposal(settings, (left, right), heard, samples).plan()


@dataclass
class _Meeting:
    """The joint in both tracks, and the grid beats of each around it; ``before`` and ``after`` count them."""

    places: tuple[Place, Place]
    before: int
    after: int
    times: tuple[Times, Times]
    grid: Times | None
    ratio: float | None


class _Proposal:
    """One plan in the making; notes gather on the way."""

    def __init__(
        self, settings: JointSettings, tracks: tuple[AudioFile, AudioFile], heard: tuple[Heard, Heard], overlap: int
    ) -> None:
        self.settings, self.tracks, self.heard, self.overlap = settings, tracks, heard, overlap
        self.rate = tracks[0].rate
        self.half = (overlap // 2 / self.rate, (overlap - overlap // 2) / self.rate)
        self.notes: list[str] = []

    def plan(self) -> JoinPlan:
        """The whole plan."""
        meeting = self._meet()
        matched = [] if meeting.grid is None and not self._agree(meeting) else ["tempo"]
        sides = self._sides(meeting)
        loud = tuple(self._loudness(i, meeting.places[i]) for i in (0, 1))
        semitones, gain = self._semitones(), self._gain(loud, meeting)
        matched += ["key"] if semitones is not None else []
        matched += ["loudness"] if gain else []
        left, right = _with_ramps(*sides, self.overlap, semitones or 0, gain)
        return JoinPlan(
            rate=self.rate,
            digest=self.tracks[0].digest,
            right_digest=self.tracks[1].digest,
            overlap=self.overlap,
            bars=self.settings.bars,
            left=left,
            right=right,
            matched=tuple(matched),
            ratio=None if meeting.ratio is None else round(meeting.ratio, 6),
            facts=(self._facts(0, meeting, loud[0]), self._facts(1, meeting, loud[1])),
            notes=tuple(self.notes),
        )

    # ---- where ------------------------------------------------------------------------------------------------------

    def _meet(self) -> _Meeting:
        s = self.settings
        places = (self._place(0, s.at_a, "--at-a"), self._place(1, s.at_b, "--at-b"))
        folded = self._fold(places)
        if folded is None:
            return self._without_tempo(places)
        assert self.heard[0].bars is not None
        meters = [one.bars.meter for one in self.heard if one.bars is not None]
        if len(set(meters)) > 1:
            self.notes.append(f"bars of {meters[0]} beats lead into bars of {meters[1]}")
        unit = self.heard[0].bars.meter * max(folded.left, folded.right)
        wanted = max(2, s.bars * unit // 2)
        before, after = self._reach(places, folded, wanted)
        times = []
        for heard, place, multiple in zip(self.heard, places, (folded.left, folded.right), strict=True):
            assert heard.beats is not None and place.beat is not None
            times.append(grid_beats(heard.beats.times, place.beat, multiple, before, after))
        meeting = _Meeting(places, before, after, (times[0], times[1]), None, folded.ratio)
        if not self._agree(meeting):
            meeting.grid = common_grid(times[0], times[1])
        return meeting

    def _place(self, index: int, at: float | None, option: str) -> Place:
        heard, end = self.heard[index], index == 0
        room = (self.half[0] * _ROOM + 0.05, self.half[1] * _ROOM + 0.05)
        if at is not None:
            return asked(heard, at, room, option)
        if heard.beats is not None and all(one.has_beat for one in self.heard):
            beats = _SPARE * 60.0 / heard.beats.tempo  # the ramp begins and ends with whole beats
            return choose(
                heard, self.settings.bars, (room[0] + beats, room[1]) if end else (room[0], room[1] + beats), end=end
            )
        return plain(heard, self.half, end=end)

    def _fold(self, places: tuple[Place, Place]) -> Fold | None:
        """How the tempos are matched; None where they are not, which is noted, or refused where they were to be."""
        beats = (self.heard[0].beats, self.heard[1].beats)
        beatless = [one.name for one in self.heard if not one.has_beat]
        why = instead = None
        folded = None
        if beatless or beats[0] is None or beats[1] is None:
            why = f"no clear beat in {' and '.join(beatless)}"
            named = self.settings.at_a is not None and self.settings.at_b is not None
            instead = "joined where asked" if named else "joined end to start, not on a downbeat"
        elif self.settings.match_tempo is False:
            self.notes.append("tempos are left as they are, as asked")
        elif any(place.beat is None for place in places):
            why, instead = (
                "a joint was asked for where no beat is near or none was listened to",
                "tempos are left as they are",
            )
        else:
            folded = fold(beats[0].tempo, beats[1].tempo)
            ratio, limit = max(folded.ratio, 1.0 / folded.ratio), self.settings.max_tempo_ratio
            if ratio > limit:
                tempos = f"{beats[0].tempo:.1f} and {beats[1].tempo:.1f} BPM"
                why = f"tempos of {tempos} are a factor of {ratio:.3f} apart, more than {limit:g}"
                instead, folded = "downbeat is laid on downbeat, tempos are left as they are", None
        if why is not None:
            if self.settings.match_tempo:
                raise InvalidRequest(
                    f"the tempos cannot be matched: {why}; leave --match-tempo out (then: {instead}), or join others"
                )
            self.notes.append(f"{why}: {instead}")
        return folded

    def _reach(self, places: tuple[Place, Place], folded: Fold, wanted: int) -> tuple[int, int]:
        """Grid beats of the ramp before and after the joint, as many as the tracks have; fewer are noted."""
        assert self.heard[0].beats is not None and self.heard[1].beats is not None
        beats = (self.heard[0].beats, self.heard[1].beats)
        lengths = [60.0 / b.tempo / m for b, m in zip(beats, (folded.left, folded.right), strict=True)]
        least = [math.ceil(half * _ROOM / length) + 1 for half, length in zip(self.half, lengths, strict=True)]
        wanted = max(wanted, *least)
        before = min(wanted, int(places[0].second / lengths[0]) - 1)
        after = min(wanted, int((self.heard[1].seconds - places[1].second) / lengths[1]) - 1)
        if before < least[0] or after < least[1]:
            raise InvalidRequest(
                f"the joint at {places[0].second:.2f} s of {self.heard[0].name} and {places[1].second:.2f} s of "
                f"{self.heard[1].name} leaves too little music for the overlap: choose another place, or less overlap"
            )
        if before + after < 2 * wanted:
            self.notes.append(f"the tracks leave room for {before} beats before the joint and {after} after it")
        return before, after

    def _without_tempo(self, places: tuple[Place, Place]) -> _Meeting:
        """A stretch as long as the ramp would be, in which nothing is stretched."""
        tempo = self.heard[0].beats.tempo if self.heard[0].beats is not None and self.heard[0].has_beat else None
        bars = self.heard[0].bars
        bar = BEATLESS_BAR if tempo is None or bars is None else 60.0 * bars.meter / tempo
        seconds = self.settings.bars / 2 * bar
        lasts = (
            min(seconds, places[0].second),
            min(seconds, self.heard[1].seconds - places[1].second),
        )
        around = np.array([-lasts[0], 0.0, lasts[1]])
        return _Meeting(places, 1, 1, (places[0].second + around, places[1].second + around), None, None)

    def _agree(self, meeting: _Meeting) -> bool:
        """Whether the beats of both meet within the overlap though neither is stretched."""
        if meeting.ratio is None:
            return False
        left, right = (times - times[meeting.before] for times in meeting.times)
        within = (left >= -self.half[0] - 0.5) & (left <= self.half[1] + 0.5)
        return bool(np.abs(left - right)[within].max() < SAME)

    # ---- how --------------------------------------------------------------------------------------------------------

    def _sides(self, meeting: _Meeting) -> tuple[Side, Side]:
        """Both sides in samples; without a grid each keeps its own time, to the sample."""
        rate, k = self.rate, meeting.before
        joints = [round(place.second * rate) for place in meeting.places]
        if meeting.grid is None:
            grid = (meeting.times[0] - meeting.times[0][k], meeting.times[1] - meeting.times[1][k])
        else:
            grid = (meeting.grid - meeting.grid[k], meeting.grid - meeting.grid[k])
        first, last = self.overlap // 2, self.overlap - self.overlap // 2
        before, after = max(first, round(-grid[0][0] * rate)), max(last, round(grid[1][-1] * rate))
        cut = joints[0] - before if meeting.grid is None else round(meeting.times[0][0] * rate)
        end = joints[1] + after if meeting.grid is None else round(meeting.times[1][-1] * rate)
        left, right = _knots(meeting.times[0], grid[0], rate, before), _knots(meeting.times[1], grid[1], rate, first)
        if meeting.grid is None:
            left = ((float(cut), 0.0), (float(joints[0] + last), float(before + last)))
            right = ((float(joints[1] - first), 0.0), (float(end), float(first + after)))
        return (
            Side(cut=cut, length=before + last, joint=joints[0], knots=left),
            Side(cut=end, length=first + after, joint=joints[1], knots=right),
        )

    def _semitones(self) -> int | None:
        """How far the right track is moved to the left one's key; None where keys are left alone."""
        if not self.settings.match_key:
            return None
        keys = (self.heard[0].key, self.heard[1].key)
        if keys[0] is None or keys[1] is None or not (keys[0].clear and keys[1].clear):
            unclear = [h.name for h, key in zip(self.heard, keys, strict=True) if key is None or not key.clear]
            self.notes.append(f"no clear key in {' and '.join(unclear)}: keys are left as they are")
            return None
        shift = keys[1].shift_to(keys[0])
        if abs(shift) > self.settings.max_semitones:
            self.notes.append(
                f"{keys[0].name} and {keys[1].name} are {abs(shift)} semitones apart, more than "
                f"{self.settings.max_semitones}: keys are left as they are"
            )
            return None
        return shift

    def _loudness(self, index: int, place: Place) -> float | None:
        """Integrated loudness of the 8 s that the joint ends or begins."""
        track, rate = self.tracks[index], self.rate
        at, beside = round(place.second * rate), round(_BESIDE_SECONDS * rate)
        low, high = (max(0, at - beside), at) if index == 0 else (at, min(track.length, at + beside))
        return integrated_loudness(replace(track, samples=track.samples[:, low:high]).clip().samples, rate)

    def _gain(self, loud: tuple[float | None, ...], meeting: _Meeting) -> float:
        """LU from the left track's loudness to the right one's; 0 where it is left alone."""
        if not self.settings.match_loudness or loud[0] is None or loud[1] is None:
            return 0.0
        apart = loud[1] - loud[0]
        limit = self.settings.max_loudness
        if abs(apart) > limit:
            self.notes.append(f"loudness differs by {apart:+.1f} LU, of which {limit:g} are matched")
        gain = max(-limit, min(limit, apart))
        return 0.0 if abs(gain) < _LEAST_GAIN else round(gain, 2)

    def _facts(self, index: int, meeting: _Meeting, loudness: float | None) -> TrackFacts:
        heard, place = self.heard[index], meeting.places[index]
        key = heard.key if heard.key is not None and heard.key.clear else None
        facts = TrackFacts(
            name=heard.name,
            second=place.second,
            confidence=place.confidence,
            reasons=place.reasons,
            key=None if key is None else key.name,
            key_wheel=None if key is None else key.wheel,
            loudness=None if loudness is None else round(loudness, 2),
        )
        if heard.beats is None or heard.bars is None or not heard.has_beat:
            return facts
        reach = meeting.times[index][-1] - meeting.times[index][0] + 4.0
        beats = heard.beats.times
        near = np.abs(beats - place.second) <= reach
        down = np.isin(np.arange(len(beats)), heard.downbeats) & near
        found = {
            "tempo": round(heard.beats.tempo, 3),
            "clarity": round(heard.beats.clarity, 3),
            "meter": heard.bars.meter,
            "beats": tuple(round(float(t), 4) for t in beats[near]),
            "downbeats": tuple(round(float(t), 4) for t in beats[down]),
        }
        return facts.model_copy(update=found)


def _knots(times: Times, grid: Times, rate: int, origin: int) -> tuple[tuple[float, float], ...]:
    """Pairs of samples of a track and of its stretch, whose joint (grid 0) stands at ``origin``."""
    return tuple(
        (round(float(t) * rate, 3), round(float(g) * rate + origin, 3)) for t, g in zip(times, grid, strict=True)
    )


def _with_ramps(left: Side, right: Side, overlap: int, semitones: int, gain: float) -> tuple[Side, Side]:
    """Key and loudness go in a straight line over the whole changed stretch, both tracks together at each moment."""
    whole = left.length + right.length - overlap
    ends, begins = left.length / whole, (left.length - overlap) / whole
    return (
        left.model_copy(
            update={"semitones": (0.0, round(-semitones * ends, 6)), "gain_db": (0.0, round(gain * ends, 6))}
        ),
        right.model_copy(
            update={
                "semitones": (round(semitones * (1.0 - begins), 6), 0.0),
                "gain_db": (round(-gain * (1.0 - begins), 6), 0.0),
            }
        ),
    )
