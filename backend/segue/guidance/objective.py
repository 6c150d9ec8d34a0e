"""The objective: a weighted sum of distances between what is wanted and what is measured, one number per item."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.distances import DISTANCES, Distance
from segue.guidance.embedders.contract import Audio, Embedder
from segue.guidance.embedders.registry import EMBEDDERS
from segue.guidance.operators.contract import Measurement, Operator
from segue.guidance.operators.registry import OPERATORS
from segue.registry import Choice
from segue.sampling.contract import Latents

Decode = Callable[[Latents], Audio]
"""Latents to audio, differentiable: a codec's decoder, its excitation bound."""


@dataclass(frozen=True, eq=False)
class Term:
    """weight * d(y, A(x)).

    ``target`` is y (batch, ...), of the measurement's shape, or (1, ...), the same for all items. ``on`` says what A
    measures: latents, or the audio they decode to. With an ``embedder`` the operator measures the embedding of the
    audio.

    Raises:
        InvalidRequest: a weight that is not finite; an embedder on latents.
    """

    operator: Operator
    distance: Distance
    target: Measurement
    weight: float = 1.0
    on: Literal["latents", "audio"] = "latents"
    embedder: Embedder | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight):
            raise InvalidRequest(f"expected a finite weight, got {self.weight}")
        if self.embedder is not None and self.on != "audio":
            raise InvalidRequest('an embedder hears audio: expected on="audio", got "latents"')

    def __call__(self, x: Audio | Latents) -> Float[Tensor, " batch"]:
        """The weighted distance of each item.

        Raises:
            InvalidRequest: target and measurement differ in shape.
        """
        measured = self.operator(x if self.embedder is None else self.embedder(x))
        if measured.shape[1:] != self.target.shape[1:] or self.target.shape[0] not in (1, measured.shape[0]):
            raise InvalidRequest(
                f"expected a target of the measurement's shape {tuple(measured.shape)}, "
                f"got {tuple(self.target.shape)}; measure the reference with the same operator, once for each item "
                "or once for all"
            )
        return self.weight * self.distance(self.target.to(measured).expand_as(measured), measured)


@runtime_checkable
class Goal(Protocol):
    """What guidance goes down: an :class:`Objective`, or anything that measures latents as one does."""

    def check_decode(self, decode: Decode | None) -> None:
        """Refuse to start without the decoder it needs."""

    def __call__(self, x: Latents, decode: Decode | None = None) -> Float[Tensor, " batch"]:
        """The loss of each item, differentiable in ``x``."""


@dataclass(frozen=True, eq=False)
class Objective:
    """The sum of its terms.

    Raises:
        InvalidRequest: no terms.
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise InvalidRequest(
                "an objective needs at least one term; to sample without guidance pass the prior itself"
            )

    @property
    def needs_audio(self) -> bool:
        """Whether a term measures audio."""
        return any(term.on == "audio" for term in self.terms)

    def check_decode(self, decode: Decode | None) -> None:
        """Refuse to start without the decoder the terms need.

        Raises:
            InvalidRequest: a term measures audio and ``decode`` is None.
        """
        if self.needs_audio and decode is None:
            raise InvalidRequest("a term of the objective measures audio: expected a decoder, got decode=None")

    def __call__(self, x: Latents, decode: Decode | None = None) -> Float[Tensor, " batch"]:
        """The loss of each item; ``decode`` runs once, however many terms hear its audio."""
        self.check_decode(decode)
        audio = decode(x) if decode is not None and self.needs_audio else x
        losses = [term(audio if term.on == "audio" else x) for term in self.terms]
        total = losses[0]
        for loss in losses[1:]:
            total = total + loss
        return total


@dataclass(frozen=True, eq=False)
class TermSpec:
    """A :class:`Term` by the names of its parts; without an operator the signal or embedding itself is measured."""

    distance: Choice
    target: Tensor
    operator: Choice = field(default_factory=lambda: Choice("identity"))
    embedder: Choice | None = None
    on: Literal["latents", "audio"] = "latents"
    weight: float = 1.0

    def build(self) -> Term:
        """The term.

        Raises:
            InvalidRequest: unknown names or settings.
        """
        return Term(
            operator=OPERATORS.build(self.operator),
            distance=DISTANCES.build(self.distance),
            target=self.target,
            weight=self.weight,
            on=self.on,
            embedder=None if self.embedder is None else EMBEDDERS.build(self.embedder),
        )


@dataclass(frozen=True, eq=False)
class ObjectiveSpec:
    """An :class:`Objective` by the names of its parts."""

    terms: tuple[TermSpec, ...]

    def build(self) -> Objective:
        """The objective.

        Raises:
            InvalidRequest: no terms, unknown names or settings.
        """
        return Objective(tuple(term.build() for term in self.terms))
