"""Control: whether a rendering follows the curve that was drawn."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from segue.guidance.curve import Curve
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE
from segue_export.train.measures import mel_db

_BLOCK = 0.1  # seconds a measured point averages over


def control_correlation(asked: Float[np.ndarray, " points"], measured: Float[np.ndarray, " points"]) -> float | None:
    """Pearson correlation of two curves at the same moments; None with under 3, or where a constant was asked.

    A rendering that does not move at all follows nothing: 0.
    """
    if len(asked) < 3 or np.ptp(asked) < 1e-9:
        return None
    if np.ptp(measured) < 1e-9:
        return 0.0
    return float(np.corrcoef(asked, measured)[0, 1])


def freedom_control(curve: Curve, start: int, x_bar: Stereo, rendered: Stereo) -> float | None:
    """Correlation of the asked freedom with how far the rendering left ``x_bar``, both (2, gap), the gap at ``start``.

    Departure is the distance in dB between the log-mels, averaged over 0.1 s. None where the curve is flat in the gap.
    """
    hop = 512
    apart = np.abs(mel_db(rendered, hop=hop) - mel_db(x_bar, hop=hop)).mean((0, 1))
    per = round(_BLOCK * RATE / hop)
    blocks = len(apart) // per
    departure = apart[: blocks * per].reshape(blocks, per).mean(1)
    seconds = (start + (np.arange(blocks) + 0.5) * per * hop) / RATE
    return control_correlation(curve.at(seconds), departure.astype(np.float64))
