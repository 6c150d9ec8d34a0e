"""What jalv plays, in a process of its own: JACK's library leaves threads behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.hosts.jack_rig import rig


def played(lv2: Path, folder: Path, state: bytes, audio: np.ndarray, start: int, frames: int) -> np.ndarray:
    with rig(lv2, folder, state) as jalv:
        return jalv.play(audio, start, frames)
