"""All operators by name: a new one needs a file of its own, an import and a line here (or ``OPERATORS.register``)."""

from __future__ import annotations

from segue.guidance.operators.band_energy import BandEnergy
from segue.guidance.operators.block_mean import BlockMean
from segue.guidance.operators.brightness import Brightness
from segue.guidance.operators.chroma import Chroma
from segue.guidance.operators.contract import Operator
from segue.guidance.operators.identity import Identity
from segue.guidance.operators.keep import Keep
from segue.guidance.operators.loudness import Loudness
from segue.guidance.operators.low_pass import LowPass
from segue.guidance.operators.onset_strength import OnsetStrength
from segue.guidance.operators.select import Select
from segue.guidance.operators.within import Within
from segue.registry import Registry

OPERATORS: Registry[Operator] = Registry(
    "operator",
    {
        "identity": Identity,
        "keep": Keep,
        "low_pass": LowPass,
        "block_mean": BlockMean,
        "band_energy": BandEnergy,
        "loudness": Loudness,
        "onset_strength": OnsetStrength,
        "brightness": Brightness,
        "chroma": Chroma,
        "select": Select,
        "within": Within,
    },
)
