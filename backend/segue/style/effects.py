"""The effects a post-chain is made of, by name with their parameters: a choice of pedalboard's own.

Imports no pedalboard: presets are checked where nothing is rendered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from segue.errors import InvalidRequest


@dataclass(frozen=True)
class Range:
    """What a parameter may be: ``low`` to ``high``, ``default`` where it is left out."""

    low: float
    high: float
    default: float


@dataclass(frozen=True)
class EffectKind:
    """``plugin``: the class in pedalboard; ``parameters`` by pedalboard's names."""

    plugin: str
    about: str
    parameters: Mapping[str, Range]


def _hertz(default: float) -> Range:
    return Range(20.0, 20_000.0, default)


_MIX = Range(0.0, 1.0, 0.5)
_SHELF = {"cutoff_frequency_hz": _hertz(1000.0), "gain_db": Range(-24.0, 24.0, 0.0), "q": Range(0.1, 10.0, 0.7071)}

EFFECTS: Mapping[str, EffectKind] = {
    "bitcrush": EffectKind("Bitcrush", "fewer bits", {"bit_depth": Range(2.0, 24.0, 10.0)}),
    "chorus": EffectKind(
        "Chorus",
        "several voices, slightly apart",
        {
            "rate_hz": Range(0.05, 10.0, 1.0),
            "depth": Range(0.0, 1.0, 0.25),
            "centre_delay_ms": Range(1.0, 50.0, 7.0),
            "feedback": Range(0.0, 0.9, 0.0),
            "mix": _MIX,
        },
    ),
    "compressor": EffectKind(
        "Compressor",
        "loud things softer",
        {
            "threshold_db": Range(-60.0, 0.0, -20.0),
            "ratio": Range(1.0, 20.0, 3.0),
            "attack_ms": Range(0.1, 200.0, 5.0),
            "release_ms": Range(5.0, 2000.0, 100.0),
        },
    ),
    "delay": EffectKind(
        "Delay",
        "echoes",
        {"delay_seconds": Range(0.01, 2.0, 0.25), "feedback": Range(0.0, 0.9, 0.3), "mix": _MIX},
    ),
    "distortion": EffectKind("Distortion", "a soft clipper driven hard", {"drive_db": Range(0.0, 40.0, 10.0)}),
    "gain": EffectKind("Gain", "louder or softer", {"gain_db": Range(-24.0, 24.0, 0.0)}),
    "highpass": EffectKind("HighpassFilter", "nothing below", {"cutoff_frequency_hz": _hertz(100.0)}),
    "high shelf": EffectKind("HighShelfFilter", "the treble up or down", _SHELF),
    "limiter": EffectKind(
        "Limiter",
        "louder up to full scale and no further, from the threshold on squeezed",
        {"threshold_db": Range(-40.0, 0.0, -6.0), "release_ms": Range(5.0, 1000.0, 100.0)},
    ),
    "lowpass": EffectKind("LowpassFilter", "nothing above", {"cutoff_frequency_hz": _hertz(8000.0)}),
    "low shelf": EffectKind("LowShelfFilter", "the bass up or down", _SHELF),
    "peak": EffectKind("PeakFilter", "a band up or down", _SHELF),
    "phaser": EffectKind(
        "Phaser",
        "moving notches",
        {
            "rate_hz": Range(0.05, 10.0, 0.5),
            "depth": Range(0.0, 1.0, 0.5),
            "centre_frequency_hz": _hertz(1300.0),
            "feedback": Range(0.0, 0.9, 0.0),
            "mix": _MIX,
        },
    ),
    "resample": EffectKind("Resample", "a lower rate and back", {"target_sample_rate": Range(2000.0, 44_100.0, 12e3)}),
    "reverb": EffectKind(
        "Reverb",
        "a room (its dry level of 0.5 is the sound as it was)",
        {
            "room_size": Range(0.0, 1.0, 0.5),
            "damping": Range(0.0, 1.0, 0.5),
            "wet_level": Range(0.0, 1.0, 0.25),
            "dry_level": Range(0.0, 1.0, 0.75),
            "width": Range(0.0, 1.0, 1.0),
        },
    ),
}
"""All effects by the name presets use: a new one needs an entry here."""


@dataclass(frozen=True)
class Effect:
    """One effect with its parameters; those that are left out have their defaults.

    Raises:
        InvalidRequest: an unknown effect or parameter, or a value out of its range.
    """

    kind: str
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in EFFECTS:
            raise InvalidRequest(f"unknown effect {self.kind!r}; expected one of {', '.join(EFFECTS)}")
        known = EFFECTS[self.kind].parameters
        for name, value in self.parameters.items():
            if name not in known:
                raise InvalidRequest(f"{self.kind} has no parameter {name!r}; expected of {', '.join(known)}")
            span = known[name]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidRequest(f"expected {name} of {self.kind} as a number, got {value!r}")
            if not (math.isfinite(value) and span.low <= value <= span.high):
                raise InvalidRequest(f"expected {name} of {self.kind} in {span.low:g} to {span.high:g}, got {value:g}")

    @property
    def values(self) -> dict[str, float]:
        """All parameters, with the defaults of those left out."""
        return {n: float(self.parameters.get(n, span.default)) for n, span in EFFECTS[self.kind].parameters.items()}
