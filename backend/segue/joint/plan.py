"""The plan of a transition: all that is needed to render it, and to render it again."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.joint.ramp import extended

Finite = Annotated[float, Field(allow_inf_nan=False)]
Samples = Annotated[int, Field(ge=0)]
Line = tuple[Finite, Finite]

_RIGID = 1e-9


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(_Plain):
    """How one track is played around the joint; samples at the tracks' rate.

    ``cut``: of the left track the first sample that is changed, of the right one the first that is not. The changed
    stretch, the overlap in it, lasts ``length`` samples; ``knots`` are pairs of a place of the track and the place of
    the stretch at which it sounds, with straight lines between. ``semitones`` and ``gain_db`` go in a straight line
    from the start to the end of the stretch. ``joint``: the place of the track that is the joint.
    """

    cut: Samples
    length: Samples
    joint: Samples
    knots: tuple[Line, ...] = Field(min_length=2, max_length=4096)
    semitones: Line = (0.0, 0.0)
    gain_db: Line = (0.0, 0.0)

    @model_validator(mode="after")
    def _rises(self) -> Side:
        if not (np.diff(np.array(self.knots), axis=0) > 0.0).all():
            raise ValueError("expected knots that rise in both tracks")
        return self

    @property
    def rigid(self) -> bool:
        """Whether the track keeps its tempo and pitch; its level may change."""
        steps = np.diff(np.array(self.knots), axis=0)
        return self.semitones == (0.0, 0.0) and bool((np.abs(steps[:, 0] - steps[:, 1]) < _RIGID * steps[:, 0]).all())

    def source_of(self, places: Float[np.ndarray, " _n"]) -> Float[np.ndarray, " _n"]:
        """The places of the track at which places of the stretch are taken; beyond the knots, as between the last."""
        knots = np.array(self.knots)
        return extended(places, knots[:, 1], knots[:, 0])


class TrackFacts(_Plain):
    """What was found of a track: ``tempo`` in beats a minute, ``key``, ``loudness`` near the joint in LUFS, or None.

    ``clarity`` of the beat; ``meter``: beats a bar; ``reasons`` for the joint, and the ``confidence``, 0 to 1, that it
    is on a downbeat. ``beats`` and ``downbeats``: seconds of the track, around the joint.
    """

    name: str
    second: Finite
    confidence: Finite
    reasons: tuple[str, ...]
    tempo: Finite | None = None
    clarity: Finite | None = None
    meter: int | None = None
    key: str | None = None
    key_wheel: str | None = None
    loudness: Finite | None = None
    beats: tuple[Finite, ...] = ()
    downbeats: tuple[Finite, ...] = ()


class JoinPlan(_Plain):
    """Where two tracks are joined, and how each is played there; rendered by :func:`segue.joint.job.joined`.

    ``digest`` and ``right_digest`` name the tracks' audio. ``overlap``: samples that are regenerated, the joint in
    their middle. ``matched``: which of tempo, key, loudness move from the left track's to the right one's over
    ``bars``. ``notes``: what could not be done as asked or as usual, for people.
    """

    rate: Annotated[int, Field(gt=0)]
    digest: str
    right_digest: str
    overlap: Annotated[int, Field(gt=0)]
    bars: int
    left: Side
    right: Side
    matched: tuple[str, ...]
    ratio: Finite | None
    facts: tuple[TrackFacts, TrackFacts]
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> Span:
        """The samples of the output that are neither track's, bit for bit."""
        return Span(self.left.cut, self.left.cut + self.left.length + self.right.length - self.overlap)

    @property
    def regenerated(self) -> Span:
        """The samples of the output that are rendered anew."""
        stop = self.left.cut + self.left.length
        return Span(stop - self.overlap, stop)

    @property
    def joint(self) -> int:
        """The sample of the output at which the right track takes over."""
        return self.regenerated.start + self.overlap // 2

    def lines(self) -> list[str]:
        """The plan for people."""
        rate = self.rate
        lines = [_track_line(side, facts) for side, facts in zip(("left ", "right"), self.facts, strict=True)]
        matched = ", ".join(self.matched) or "nothing"
        ratio = "" if self.ratio is None else f" (tempo ratio {self.ratio:.3f})"
        lines.append(f"matched over {self.bars} bars: {matched}{ratio}")
        a, b = self.changed, self.regenerated
        lines.append(
            f"changed: {a.start / rate:.3f}:{a.stop / rate:.3f} of the result (samples {a.start} to {a.stop}), "
            f"of which {b.start / rate:.3f}:{b.stop / rate:.3f} is regenerated; all else is bit-exact"
        )
        return lines + [f"note: {note}" for note in self.notes]

    def plain(self) -> dict[str, Any]:
        """The plan as JSON can hold it; inverse of :meth:`from_plain`."""
        return self.model_dump(mode="json")

    @staticmethod
    def from_plain(value: object) -> JoinPlan:
        """A plan out of a recipe or a report.

        Raises:
            InvalidRequest: damaged.
        """
        try:
            return JoinPlan.model_validate(value, strict=False)
        except (ValidationError, RecursionError) as error:
            raise InvalidRequest(
                f"the plan of the transition is damaged ({error.__class__.__name__}): it was changed after it was made"
            ) from error


def _track_line(side: str, facts: TrackFacts) -> str:
    tempo = "no clear beat" if facts.tempo is None else f"{facts.tempo:.2f} BPM, {facts.meter}/4"
    key = "no clear key" if facts.key is None else f"{facts.key} ({facts.key_wheel})"
    loudness = "silent" if facts.loudness is None else f"{facts.loudness:.1f} LUFS"
    why = "; ".join(facts.reasons)
    return f"{side} {facts.name}: {tempo}, {key}, {loudness}; joint at {facts.second:.3f} s ({why})"
