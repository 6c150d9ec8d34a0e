"""A network evaluated one window at a time.

On a CPU a batch saves next to nothing: 2 to 8 seeds at once take 0.91 to 1.00 of the processor time of one after the
other (embedded bundle, 96 tokens, 1 thread; 2 seeds on 2 threads). And matrix products over batches of another size
add up in another order: 4 seeds at once are not what each is alone. Alone, an item comes out the same whatever its
neighbours, and takes the memory of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.prior.contract import Denoiser
from segue.sampling.contract import Latents, Prior


@dataclass(frozen=True)
class RowByRow:
    """A denoiser as its own ``whole``, with every item of a batch in a run of its own."""

    whole: Denoiser

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the conditioning inputs."""
        return self.whole.inputs

    @property
    def device(self) -> torch.device:
        """Where x_t must lie."""
        return self.whole.device

    def bind(self, conditioning: Mapping[str, Tensor]) -> Prior:
        """As the whole; a row of the conditioning for each item, or one for all.

        Raises:
            InvalidRequest: as the whole.
        """
        rows = max((len(value) for value in conditioning.values()), default=1)
        if rows == 1:
            return _Rows((self.whole.bind(conditioning),))
        every = {name: value.expand(rows, *value.shape[1:]) for name, value in conditioning.items()}
        alone = ({name: value[i : i + 1] for name, value in every.items()} for i in range(rows))
        return _Rows(tuple(self.whole.bind(one) for one in alone))


@dataclass(frozen=True)
class _Rows:
    """A prior of one prior for each item, or of one for all."""

    priors: tuple[Prior, ...]

    def __call__(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        priors = self.priors * len(x_t) if len(self.priors) == 1 else self.priors
        if len(priors) != len(x_t):
            raise InvalidRequest(f"expected {len(priors)} items, as many as the conditioning has, got {len(x_t)}")
        return torch.cat([prior(x_t[i : i + 1], t[i : i + 1]) for i, prior in enumerate(priors)])
