"""What an embedder and a classifier are: differentiable functions of audio."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

Audio = Float[Tensor, "batch channels samples"]


@runtime_checkable
class Embedder(Protocol):
    """A describes audio by a vector. Item by item, differentiable; resampling to its own rate is its own business."""

    @property
    def rate(self) -> int:
        """Hertz of the audio it expects."""

    def __call__(self, audio: Audio) -> Float[Tensor, "batch features"]:
        """The embedding; features in the units the embedder documents."""


@runtime_checkable
class Classifier(Embedder, Protocol):
    """An embedder whose features are logits of p(c_i given x); goes with the distance ``bce``."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
