"""Nothing to recall: the gap's own contexts, mirrored, as an excitation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from segue.errors import InvalidRequest

Stereo = Float[np.ndarray, "2 _samples"]

_SILENT_RMS = 1e-4  # of material at an RMS of 0.1: -60 dB


@dataclass(frozen=True)
class Mirror:
    """``audio`` (2, length + 2 margin); ``note`` says for the report what it is made of."""

    audio: Stereo
    silent: bool
    note: str


def mirror(left: Stereo, right: Stereo, length: int, margin: int = 0) -> Mirror:
    """Both contexts, mirrored at the gap's edges and repeated back and forth, cross-faded at constant power.

    ``left`` (2, n) ends where the gap of ``length`` samples begins, ``right`` (2, m) begins where it ends; where one is
    empty the other stands alone. The result covers ``margin`` samples on each side as well, where it is the context
    itself as far as that reaches. Silent contexts give silence: that is what fits them.

    Raises:
        InvalidRequest: both contexts are empty, or a length is negative.
    """
    if length < 0 or margin < 0:
        raise InvalidRequest(f"length and margin must be 0 samples or more, got {length} and {margin}")
    if not left.shape[1] and not right.shape[1]:
        raise InvalidRequest("a gap needs at least one sample of known context beside it, got none; widen the clip")
    time = np.arange(-margin, length + margin)
    parts = []
    if left.shape[1]:
        parts.append(left[:, ::-1][:, _fold(time, left.shape[1])])
    if right.shape[1]:
        parts.append(right[:, _fold(length - 1 - time, right.shape[1])])
    audio = parts[0]
    if len(parts) == 2:
        phase = np.clip((time + 0.5) / max(1, length), 0.0, 1.0) * (np.pi / 2)
        audio = parts[0] * np.cos(phase) + parts[1] * np.sin(phase)
    audio = np.ascontiguousarray(audio, dtype=np.float32)
    silent = not audio.size or float(np.sqrt(np.mean(audio**2))) < _SILENT_RMS
    sides = "both contexts" if len(parts) == 2 else "the left context" if left.shape[1] else "the right context"
    note = f"nothing to recall: {sides} mirrored over the gap"
    return Mirror(audio, silent, f"{note}; silent, as silence is what fits" if silent else note)


def _fold(time: np.ndarray, count: int) -> np.ndarray:
    """Indices back and forth over ``count`` samples: 0 .. count - 1, count - 1 .. 0, and so on; -1 mirrors onto 0.

    Counted away from the gap's edge; before the edge (negative time) the context itself is read, see :func:`mirror`.
    """
    return np.where((time % (2 * count)) < count, time % (2 * count), 2 * count - 1 - time % (2 * count))
