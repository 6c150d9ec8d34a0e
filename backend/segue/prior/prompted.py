"""A denoiser that has heard its prompt: what is left to bind is what the clip gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from segue.guidance.cfg import PromptGuidance, PromptGuided
from segue.prior.contract import Denoiser
from segue.prior.prompts import GIVEN, Prompts
from segue.sampling.contract import Prior

_SECONDS = "seconds"


@dataclass(frozen=True, eq=False)
class Prompted:
    """``whole`` with ``prompt`` for its prompt inputs, guided as the bundle says; None: its answer without a prompt."""

    whole: Denoiser
    prompts: Prompts
    prompt: str | None = None
    guidance: PromptGuidance = field(default_factory=PromptGuidance)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the conditioning inputs that are left, and the window's seconds, which a prompt may speak of."""
        left = [name for name in self.whole.inputs if name != GIVEN and name not in self.prompts.specs]
        return (*left, *(() if _SECONDS in left else (_SECONDS,)))

    @property
    def device(self) -> torch.device:
        """Where x_t must lie."""
        return self.whole.device

    def bind(self, conditioning: Mapping[str, Tensor]) -> Prior:
        """The prior under this conditioning and the prompt.

        Raises:
            InvalidRequest: as the whole, or the prompt cannot be read.
        """
        rows = max(len(value) for value in conditioning.values())
        seconds = float(conditioning[_SECONDS][0, 1] - conditioning[_SECONDS][0, 0])
        known = {name: value for name, value in conditioning.items() if name in self.whole.inputs}
        if self.prompt is None:
            return self.whole.bind(_rows({**known, **self.prompts.nothing()}, rows, 0.0))
        known |= self.prompts.encode(self.prompt, seconds)
        prompted = _rows(known, rows, 1.0)
        if self.guidance.is_off:
            return self.whole.bind(prompted)
        plain = _rows(known, rows, 0.0)
        both = {name: torch.cat([value, plain[name]]) for name, value in prompted.items()}
        return PromptGuided(self.whole.bind(both), self.guidance.begin())


def _rows(conditioning: Mapping[str, Tensor], rows: int, given: float) -> dict[str, Tensor]:
    whole = {**conditioning, GIVEN: torch.full((rows, 1), given)}
    return {name: value.expand(rows, *value.shape[1:]) for name, value in whole.items()}
