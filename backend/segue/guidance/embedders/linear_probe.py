"""A classifier made of any embedder: one linear layer on its features."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.embedders.contract import Audio, Embedder


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """Logits = embedding @ weight + bias; ``weight`` (features, classes), ``bias`` (classes,), a label for each class.

    Raises:
        InvalidRequest: the numbers of classes differ.
    """

    embedder: Embedder
    weight: Float[Tensor, "features classes"]
    bias: Float[Tensor, " classes"]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.weight.shape[1] == self.bias.shape[0] == len(self.labels):
            raise InvalidRequest(
                f"expected as many labels and biases as columns of weight ({self.weight.shape[1]}), "
                f"got {len(self.labels)} and {self.bias.shape[0]}"
            )

    @property
    def rate(self) -> int:
        """Hertz of the audio the embedder expects."""
        return self.embedder.rate

    def __call__(self, audio: Audio) -> Float[Tensor, "batch classes"]:
        """Logits of p(c_i given audio)."""
        return self.embedder(audio) @ self.weight.to(audio) + self.bias.to(audio)
