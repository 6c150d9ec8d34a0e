"""What pedalboard (JUCE's VST3 host, without a transport) does with the plug-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.hosts.holes import RATE
from tests.hosts.vst3_preset import state_of, with_state


def _load(vst3: Path) -> Any:
    import pedalboard  # its JUCE lives in the child alone

    return pedalboard.load_plugin(str(vst3))


def processed(vst3: Path, audio: np.ndarray, block: int) -> np.ndarray:
    return _load(vst3)(audio, RATE, buffer_size=block)


def preset(vst3: Path) -> bytes:
    """A .vstpreset of the plug-in as it is at first."""
    return bytes(_load(vst3).preset_data)


def state_round_trip(vst3: Path) -> tuple[dict[str, str], dict[str, str], bool]:
    """Texts of all parameters, changed, then of another plug-in that was given the first one's state; and whether
    that one's state is the same.
    """
    first, second = _load(vst3), _load(vst3)
    first.task, first.freedom, first.gap, first.candidate = "Transition", 0.25, True, 3
    first(np.zeros((2, 512), np.float32), RATE)  # parameters travel with a block
    second.raw_state = first.raw_state
    return _texts(first), _texts(second), state_of(first.preset_data) == state_of(second.preset_data)


def _texts(plugin: Any) -> dict[str, str]:
    return {name: str(getattr(plugin, name)) for name in plugin.parameters}


def played(vst3: Path, state: bytes, audio: np.ndarray, position: str) -> np.ndarray:
    """What is heard of a song from its beginning, after a state was loaded."""
    plugin = _load(vst3)
    plugin.preset_data = with_state(plugin.preset_data, state)
    plugin.position = position
    plugin(np.zeros((2, 512), np.float32), RATE)
    return plugin(audio, RATE, buffer_size=480, reset=True)
