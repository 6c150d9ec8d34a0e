"""Music made for tests: a two-bar loop of drums and chords, exact from bar to bar."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

BEAT = 0.5  # seconds


def loop_song(rate: int, seconds: float, seed: int = 0) -> Float32[np.ndarray, "2 samples"]:
    """Stereo at an RMS of about 0.1; repeats every 4 s."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(rate * 4.0)) / rate
    bar = np.zeros((2, len(time)))
    for beat, root in enumerate((110.0, 110.0, 146.83, 146.83, 98.0, 98.0, 164.81, 110.0)):
        since = time - beat * BEAT
        on = (since >= 0) & (since < BEAT)
        decay = np.exp(-4.0 * np.where(on, since, 0.0)) * on
        for ratio, pan in ((1.0, 0.5), (1.25, 0.3), (1.5, 0.7), (2.0, 0.4), (3.0, 0.6)):
            note = np.sin(2 * np.pi * root * ratio * since) * decay / ratio
            bar += np.stack([(1 - pan) * note, pan * note])
        hit = rng.normal(size=(2, len(time))) * np.exp(-40.0 * np.where(on, since, 0.0)) * on
        bar += 0.4 * hit
    repeats = int(np.ceil(seconds / 4.0)) + 1
    song = np.tile(bar, (1, repeats))[:, : int(rate * seconds)]
    return (song * (0.1 / np.sqrt(np.mean(song**2)))).astype(np.float32)
