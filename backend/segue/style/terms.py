"""The parts of a wish as plain, frozen values: what is written into presets, recipes and jobs.

A term says what is wanted; :mod:`segue.style.aims` knows how it is measured. A new kind needs a class and a line in
:data:`TERMS` here, and one in ``aims/registry.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.plain import jsonable
from segue.style.features import Means, check_followed, feature
from segue.style.tags import check_tag

MAX_WEIGHT = 100.0


@dataclass(frozen=True)
class SteeringTerm:
    """What all terms have: ``weight`` against the other terms, 0 to 100."""

    kind: ClassVar[str]
    weight: float = 1.0

    @property
    def by(self) -> Means:
        """What brings it about."""
        return "samples"

    @property
    def measured(self) -> bool:
        """Whether a formula says how far it is fulfilled."""
        return self.by != "samples"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and 0.0 <= self.weight <= MAX_WEIGHT):
            raise InvalidRequest(f"expected a weight from 0 to {MAX_WEIGHT:g} for {self.kind}, got {self.weight}")


@dataclass(frozen=True)
class Tags(SteeringTerm):
    """``wanted``: pairs of a tag of the guiding ear and its probability in [0, 1]; all other tags are left alone.

    The loss is the mean cross-entropy over the tags that are named: one that is not named has no part in it.
    """

    kind: ClassVar[str] = "tags"
    wanted: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.wanted:
            raise InvalidRequest("expected at least one tag, got none")
        names = [check_tag(name) for name, _ in self.wanted]
        if len(set(names)) != len(names):
            raise InvalidRequest(f"expected each tag once, got {', '.join(names)}")
        for name, value in self.wanted:
            if not 0.0 <= value <= 1.0:
                raise InvalidRequest(f"expected the probability of {name!r} in [0, 1], got {value}")
        object.__setattr__(self, "wanted", tuple((n, float(v)) for n, (_, v) in zip(names, self.wanted, strict=True)))


@dataclass(frozen=True)
class Reference(SteeringTerm):
    """To sound like the reference clips: L2 to the mean of their embeddings."""

    kind: ClassVar[str] = "reference"


@dataclass(frozen=True)
class FeatureTerm(SteeringTerm):
    """What terms of a feature have: the ``feature``'s name."""

    feature: str = ""

    @property
    def by(self) -> Means:
        """What brings it about."""
        return feature(self.feature).by


@dataclass(frozen=True)
class Match(FeatureTerm):
    """To keep a feature of the original or, where nothing is known of it, of the music around the gap.

    ``shift`` moves what is kept, in the feature's unit: brightness by -1 is an octave darker. ``original``: only that
    of an original is kept; where nothing is known of the gap, nothing is asked.
    """

    kind: ClassVar[str] = "match"
    shift: float = 0.0
    original: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        it = feature(self.feature)
        if not math.isfinite(self.shift) or abs(self.shift) > 60.0 or (self.shift and not it.shift):
            raise InvalidRequest(f"{self.feature} cannot be moved by {self.shift} {it.shift}: leave shift at 0")


@dataclass(frozen=True)
class Follow(FeatureTerm):
    """To follow a drawn curve of a feature: points (seconds of the track, value in the feature's unit)."""

    kind: ClassVar[str] = "follow"
    points: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_followed(self.feature, self.curve)

    @property
    def curve(self) -> Curve:
        """The curve."""
        return Curve(self.points)


TERMS: dict[str, type[SteeringTerm]] = {one.kind: one for one in (Tags, Reference, Match, Follow)}
"""All kinds of term by the name that JSON has."""


def to_plain(term: SteeringTerm) -> dict[str, Any]:
    """A term as JSON holds it."""
    plain: dict[str, Any] = jsonable(asdict(term))  # type: ignore[assignment]
    return {"kind": term.kind, **plain}


def from_plain(plain: Mapping[str, Any]) -> SteeringTerm:
    """Inverse of :func:`to_plain`.

    Raises:
        InvalidRequest: an unknown kind, or fields that do not fit it.
    """
    kind = plain.get("kind")
    if kind not in TERMS:
        raise InvalidRequest(f"unknown kind of steering {kind!r}; expected one of {', '.join(TERMS)}")
    given = {name: value for name, value in plain.items() if name != "kind"}
    known = [field.name for field in fields(TERMS[kind])]
    if unknown := sorted(set(given) - set(known)):
        raise InvalidRequest(f"the steering {kind!r} has no {', '.join(unknown)}; expected of {', '.join(known)}")
    try:
        return TypeAdapter(TERMS[kind]).validate_python(given)
    except ValidationError as error:
        faults = "; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors()[:3])
        raise InvalidRequest(f"the steering {kind!r} is not as expected: {faults}") from error
