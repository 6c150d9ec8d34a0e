"""Where a render stands: stages timed, progress told, cancel heard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from segue.errors import Cancelled
from segue.render.settings import Progress, ProgressCallback
from segue.sampling.contract import Step

SHARES = {"recall": 0.35, "sample": 0.35, "decode": 0.2, "seam": 0.1}
"""Share of a region's time each stage is expected to take; only the progress bar depends on it.

Candidates take turns at the stages, and how many there will be is not known: each turn takes half of what is left of
its stage's share, and the region's end the rest.
"""


@dataclass
class Progression:
    """Follows a render of ``regions`` regions; ``seconds`` of wall time per stage add up in it."""

    callback: ProgressCallback | None
    regions: int
    seconds: dict[str, float] = field(default_factory=dict)
    _region: int = 0
    _began: float = field(default_factory=time.monotonic)
    _fraction: float = 0.0
    _left: dict[str, float] = field(default_factory=lambda: dict(SHARES))

    def tell(self, stage: str, step: int, steps: int, message: str = "") -> None:
        """Report; raises Cancelled where the callback returns False."""
        if self.callback is None:
            return
        turn = 0.5 * self._left.get(stage, 0.0) * step / max(1, steps)
        done = 1.0 - sum(self._left.values()) + turn
        fraction = 1.0 if stage == "write" else min(1.0, (self._region + done) / max(1, self.regions))
        fraction = self._fraction = max(self._fraction, fraction)
        elapsed = time.monotonic() - self._began
        left = elapsed * (1.0 - fraction) / fraction if fraction > 0.02 else None
        if self.callback(Progress(stage, step, steps, fraction, left, message)) is False:
            raise Cancelled(f"stopped while at {stage}, step {step} of {steps}; nothing was written")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; tell its beginning and its end."""
        self.tell(name, 0, 1)
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
        self.tell(name, 1, 1)
        if name in self._left:
            self._left[name] *= 0.5

    def sampling(self, step: Step) -> bool:
        """A sampler's callback."""
        self.tell("sample", step.index + 1, step.steps)
        return True

    def next_region(self) -> None:
        """One region is done."""
        self._left = dict.fromkeys(SHARES, 0.0)
        self.tell("seam", 1, 1)
        self._region += 1
        self._left = dict(SHARES)
