"""One figure of a table: its interval, and how it stands to our default's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DEFAULT, REAL = "default", "real"
ALPHA = 0.05
BOOTSTRAPS = 1000
FEWEST_TRACKS = 5
"""Of fewer tracks no interval is given: a bootstrap of them has too few different samples to say anything."""

State = Literal["ahead", "behind", "level"]


@dataclass(frozen=True)
class Versus:
    """Against our default on the ``clips`` excerpts both have: the method's ``value`` and ``ours``.

    ``leans``: which way it goes, and ``sure``: whether beyond chance. ``p``: of figures of clips, by a paired Wilcoxon
    test, Holm-adjusted. Figures of sets are sure if the 95 % interval of the difference, both drawn alike from the
    tracks, leaves out 0.
    """

    value: float
    ours: float
    clips: int
    leans: State
    sure: bool
    p: float | None = None


@dataclass(frozen=True)
class Cell:
    """A figure: ``low`` and ``high`` of its 95 % interval (None: it has none), ``clips`` it is of.

    ``versus``: how it stands to our default on the excerpts both have; None for the default itself.
    """

    value: float
    clips: int
    low: float | None = None
    high: float | None = None
    versus: Versus | None = None

    def apart(self, other: Cell) -> bool:
        """Whether both intervals are known and do not touch."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return False
        return self.high < other.low or other.high < self.low


@dataclass(frozen=True)
class Comparison:
    """``one`` against ``other``: ahead, behind or level, and whether that is beyond chance.

    ``values``: of the excerpts both have, where that is known, else those of the cells.
    """

    one: Cell
    other: Cell
    values: tuple[float, float]
    state: State
    sure: bool

    @property
    def wins(self) -> bool:
        """Ahead, beyond chance."""
        return self.state == "ahead" and self.sure

    @property
    def loses(self) -> bool:
        """Behind, beyond chance."""
        return self.state == "behind" and self.sure
