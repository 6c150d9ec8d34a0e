"""How a bundle wants the steps of its sampler spaced, by name: what its manifest says, as schedules."""

from __future__ import annotations

from dataclasses import dataclass

from segue.errors import InvalidRequest
from segue.sampling.schedule import Schedule

SPACINGS = ("linear", "log_snr", "edm", "flow")
"""Names a manifest may give."""


@dataclass(frozen=True)
class Spacing:
    """``kind`` of :data:`SPACINGS`; ``low`` and ``high`` log-SNR for log_snr and edm, ``shift`` for flow.

    Raises:
        InvalidRequest: an unknown kind.
    """

    kind: str = "linear"
    low: float = -6.0
    high: float = 2.0
    shift: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in SPACINGS:
            raise InvalidRequest(f"expected a spacing of {', '.join(SPACINGS)}, got {self.kind!r}")

    def schedule(self, steps: int, start: float = 1.0) -> Schedule:
        """``steps`` steps from ``start`` down to 0; an edm one may begin a little below ``start``.

        Raises:
            InvalidRequest: numbers out of range, see :class:`segue.sampling.schedule.Schedule`.
        """
        if self.kind == "flow":
            return Schedule.flow(steps, self.shift, start)
        if self.kind == "log_snr":
            return Schedule.log_snr(steps, self.low, self.high, start)
        if self.kind == "edm":
            return Schedule.edm(steps, self.low, self.high, start)
        return Schedule.linear(steps, start)


LINEAR = Spacing()
"""Equal steps in t."""
