"""A wish, resolved: what is steered towards, how hard, over what course, and what the sound goes through at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from segue.clip.files import AudioFile
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.style.effects import Effect
from segue.style.terms import Match, Reference, SteeringTerm, from_plain, to_plain

Mode = Literal["fast", "exact"]

MAX_STRENGTH = 1.0
MAX_GUIDANCE = 2.0
MAX_REFERENCES = 16


@dataclass(frozen=True)
class Steering:
    """What a render is steered by; frozen, whole, and the same in presets, recipes and jobs.

    ``terms``: what is wanted. ``strength``: kappa, the RMS of a step in units of the noise level, 0 to 1. ``mode``:
    "fast", a mean step on the prediction, or "exact", the gradient through the denoiser, at two to three times the
    work. ``until``: the noise time at which guidance ends, 0 for never. ``guidance``: a factor on the strength over
    the seconds of the track, 0 to 2. ``amount``: how much of it all is wanted, 0 to 1 over time: it scales the strength
    and mixes the ``chain``, which the gap's audio goes through in the end; with ``keep_level`` at its loudness before.
    ``references``: what a reference term means. ``preset``: where it came from, for people.

    Raises:
        InvalidRequest: a value out of its range; a reference term without references, or the other way round.
    """

    terms: tuple[SteeringTerm, ...] = ()
    strength: float = 0.2
    mode: Mode = "fast"
    until: float = 0.0
    guidance: Curve = field(default_factory=lambda: Curve.constant(1.0))
    amount: Curve = field(default_factory=lambda: Curve.constant(1.0))
    chain: tuple[Effect, ...] = ()
    keep_level: bool = True
    references: tuple[AudioFile, ...] = field(default=(), repr=False)
    preset: str | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and 0.0 <= self.strength <= MAX_STRENGTH):
            raise InvalidRequest(f"expected a guidance strength from 0 to {MAX_STRENGTH:g}, got {self.strength}")
        if self.mode not in get_args(Mode):
            raise InvalidRequest(
                f"expected the mode of guidance as one of {', '.join(get_args(Mode))}, got {self.mode!r}"
            )
        if not 0.0 <= self.until < 1.0:
            raise InvalidRequest(f"expected the time until which is guided from 0 to below 1, got {self.until}")
        check_curve("guidance", self.guidance, MAX_GUIDANCE)
        check_curve("style", self.amount, 1.0)
        if len(self.references) > MAX_REFERENCES:
            raise InvalidRequest(f"expected at most {MAX_REFERENCES} references, got {len(self.references)}")
        if bool(self.references) != any(isinstance(term, Reference) for term in self.terms):
            raise InvalidRequest("expected references and a reference term together, got one without the other")

    @property
    def guides(self) -> bool:
        """Whether anything is guided, anywhere."""
        on = any(v > 0.0 for _, v in self.guidance.points) and any(v > 0.0 for _, v in self.amount.points)
        return on and self.strength > 0.0 and any(term.weight > 0.0 for term in self.terms)

    def asked(self, *, of_original: bool) -> tuple[SteeringTerm, ...]:
        """What counts at a gap; ``of_original``: whether it is known what stood there."""
        counts = (term for term in self.terms if term.weight > 0.0)
        return tuple(one for one in counts if of_original or not (isinstance(one, Match) and one.original))

    def plain(self) -> dict[str, Any]:
        """As a recipe holds it: references by name and digest."""
        return {
            "terms": [to_plain(term) for term in self.terms],
            "strength": self.strength,
            "mode": self.mode,
            "until": self.until,
            "guidance": [list(point) for point in self.guidance.points],
            "style": [list(point) for point in self.amount.points],
            "chain": [{"kind": effect.kind, **effect.values} for effect in self.chain],
            "keep_level": self.keep_level,
            "references": [file.digest for file in self.references],
            "preset": self.preset,
        }

    @staticmethod
    def from_plain(plain: Mapping[str, Any], references: Sequence[AudioFile]) -> Steering:
        """Inverse of :meth:`plain`, with the references it names.

        Raises:
            InvalidRequest: not what :meth:`plain` gives, or other references.
        """
        try:
            digests = [str(digest) for digest in plain["references"]]
            if digests != [file.digest for file in references]:
                raise InvalidRequest("the references are not those the recipe names: give the originals with --source")
            return Steering(
                terms=tuple(from_plain(term) for term in plain["terms"]),
                strength=plain["strength"],
                mode=plain["mode"],
                until=plain["until"],
                guidance=_curve(plain["guidance"]),
                amount=_curve(plain["style"]),
                chain=tuple(_effect(effect) for effect in plain["chain"]),
                keep_level=plain["keep_level"],
                references=tuple(references),
                preset=plain["preset"],
            )
        except (KeyError, TypeError) as error:
            raise InvalidRequest(f"the recipe's steering is damaged ({error}): it was changed since") from error


def check_curve(name: str, curve: Curve, most: float) -> None:
    """Refuse values out of [0, most].

    Raises:
        InvalidRequest: the curve has one.
    """
    values = [value for _, value in curve.points]
    if not all(0.0 <= value <= most for value in values):
        raise InvalidRequest(f"expected the curve {name} in 0 to {most:g}, got {min(values):g} to {max(values):g}")


def _curve(points: Sequence[Sequence[float]]) -> Curve:
    return Curve(tuple((float(t), float(v)) for t, v in points))


def _effect(plain: Mapping[str, Any]) -> Effect:
    return Effect(plain["kind"], {name: value for name, value in plain.items() if name != "kind"})
