"""Renders in DawDreamer (JUCE's VST3 host): a transport from 0 at 120 beats a minute, as fast as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.hosts.holes import RATE


def render(
    vst3: Path,
    audio: np.ndarray,
    block: int,
    lanes: Mapping[str, np.ndarray],
    preset: Path | None = None,
    until_other: bool = False,
) -> np.ndarray:
    """What is heard of a song, (2, samples); ``lanes``: a value of a parameter for each sample; ``until_other``: pass
    after pass, until something else than the song is heard.
    """
    engine, plugin = _engine(vst3, audio, block)
    if preset is not None:
        assert plugin.load_vst3_preset(str(preset))
    numbers = {about["name"]: about["index"] for about in plugin.get_parameters_description()}
    for name, lane in lanes.items():
        plugin.set_automation(numbers[name], lane.astype(np.float32))
    for _ in range(100):
        engine.render(audio.shape[1] / RATE)
        heard = np.array(engine.get_audio()[:, : audio.shape[1]])
        if not until_other or np.any(heard != audio):
            return heard
    raise AssertionError("nothing else is ever heard")


def _engine(vst3: Path, audio: np.ndarray, block: int) -> tuple[Any, Any]:
    import dawdreamer  # its JUCE lives in the child alone

    engine = dawdreamer.RenderEngine(RATE, block)
    engine.set_bpm(120.0)
    player = engine.make_playback_processor("song", audio)
    plugin = engine.make_plugin_processor("segue", str(vst3))
    engine.load_graph([(player, []), (plugin, ["song"])])
    return engine, plugin
