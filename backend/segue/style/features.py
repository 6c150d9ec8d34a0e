"""What can be matched and followed: each feature names an operator, its unit and how a drawn curve is read.

Imports no torch: the service's front and clients ask it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.registry import Choice

Values = Float[np.ndarray, " n"]

Means = Literal["samples", "spectrum", "gain"]
"""What brings a wish about in the end: the samples, guided by a network, which would be pleased by what nobody hears if
more were done; the spectrum, moved until a formula is fulfilled; or a gain over time, as by a fader.
"""

ONSET_FLOOR = 0.05
"""Added to the onset strength before its logarithm, in dB a frame: what does not move at all has a value too."""


@dataclass(frozen=True)
class Place:
    """What a drawn curve is read by: ``gain`` from the musician's level to the renderer's; ``usual``: what the operator
    measures in the music around the gap, see :class:`Feature`.
    """

    gain: float
    usual: float


Asked = Callable[[Values, Place], Values]


@dataclass(frozen=True)
class Feature:
    """A measure of sound over time.

    ``operator``: of :data:`segue.guidance.operators.registry.OPERATORS`, its rate left open; ``hop`` and ``n_fft``: its
    frames. ``scale``: the difference, in the operator's unit, that counts 1 in a loss and is plainly heard. ``unit``:
    of drawn curves, whose values lie in ``low`` to ``high``; ``shift``: the operator's unit, in which a match may be
    moved. ``asked``: drawn values as the operator measures them; None for what cannot be drawn. ``summed``: it measures
    octaves of what adds up over time, whose mean is what is usual; of others it is the median. ``slowly``: settings of
    the operator for drawn curves (:attr:`drawn`). ``by``: what brings it about.
    """

    about: str
    operator: Choice
    hop: int
    n_fft: int
    scale: float
    shift: str
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    asked: Asked | None = None
    summed: bool = False
    slowly: Mapping[str, int | float] = field(default_factory=dict)
    by: Means = "spectrum"

    @property
    def drawn(self) -> Feature:
        """This feature as a drawn curve means it: a smooth line says how much there is, not when each stroke comes.

        Measured as finely as what is kept, strokes would have to melt into the line.
        """
        return self._set(**self.slowly)

    def fitting(self, samples: int) -> Feature:
        """This feature over a stretch of so many samples: a stretch shorter than its frame is measured as one."""
        return self if samples >= self.n_fft else self._set(n_fft=samples - samples % 2)

    def _set(self, **settings: int | float) -> Feature:
        operator = Choice(self.operator.name, {**self.operator.settings, **settings})
        return replace(self, operator=operator, n_fft=int(settings.get("n_fft", self.n_fft)))


def _lufs(values: Values, place: Place) -> Values:
    return np.asarray(values + 20.0 * np.log10(place.gain))


def _octaves(values: Values, place: Place) -> Values:
    return np.asarray(np.log2(values / 1000.0))


def _times_usual(values: Values, place: Place) -> Values:
    usual = max(0.0, 2.0**place.usual - ONSET_FLOOR)
    return np.asarray(np.log2(values * usual + ONSET_FLOOR))


def _frames(name: str, n_fft: int, hop: int) -> Choice:
    return Choice(name, {"n_fft": n_fft, "hop": hop})


FEATURES: Mapping[str, Feature] = {
    "loudness": Feature(
        "how loud it is, K-weighted, over 0.19 s",
        _frames("loudness", 8192, 2048),
        2048,
        8192,
        scale=3.0,
        shift="dB",
        unit="LUFS",
        low=-70.0,
        high=0.0,
        asked=_lufs,
        slowly={"n_fft": 16384},
        by="gain",
    ),
    "onsets": Feature(
        "how much begins: the rise of all mel bands, over 0.2 s",
        Choice("onset_strength", {"n_fft": 1024, "hop": 256, "lag": 2}),
        256,
        1024,
        scale=0.75,
        shift="octaves",
        unit="times what is usual around the gap",
        low=0.0,
        high=8.0,
        asked=_times_usual,
        summed=True,
        slowly={"smooth": 0.6},
    ),
    "brightness": Feature(
        "where the middle of the spectrum lies",
        _frames("brightness", 4096, 2048),
        2048,
        4096,
        scale=0.33,
        shift="octaves",
        unit="Hz",
        low=20.0,
        high=20_000.0,
        asked=_octaves,
    ),
    "chroma": Feature(
        "which of the twelve notes sound",
        _frames("chroma", 8192, 2048),
        2048,
        8192,
        scale=0.1,
        shift="",
    ),
}
"""All features by name: a new one needs an operator and an entry here."""


def feature(name: str) -> Feature:
    """The named feature.

    Raises:
        InvalidRequest: there is none of that name.
    """
    if name not in FEATURES:
        raise InvalidRequest(f"unknown feature {name!r}; expected one of {', '.join(FEATURES)}")
    return FEATURES[name]


def check_followed(name: str, curve: Curve) -> None:
    """Refuse a curve that the feature cannot follow.

    Raises:
        InvalidRequest: no such feature, one that has no curve, or values out of its range.
    """
    it = feature(name)
    if it.asked is None:
        drawn = ", ".join(known for known, one in FEATURES.items() if one.asked is not None)
        raise InvalidRequest(f"{name} cannot be drawn as one curve; expected one of {drawn}; it can be matched")
    values = [value for _, value in curve.points]
    if not all(it.low <= value <= it.high for value in values):
        raise InvalidRequest(
            f"expected {name} in {it.unit}, {it.low:g} to {it.high:g}, got {min(values):g} to {max(values):g}"
        )
