"""Seams: clicks, breaks and steps of loudness where a rendering meets its context, and dips of loudness between."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from segue.clip.analysis import SeamReference, loudness_jump_db, seam_z
from segue.clip.span import Span
from segue.guidance.operators.loudness import Loudness
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE

_BESIDE = 2.0  # seconds of context whose loudness a dip is measured from
_FLOOR_LUFS = -70.0  # the absolute gate of BS.1770: below it, quieter is no dip


def worst_seam_z(audio: Stereo, seams: Iterable[Span], reference: SeamReference) -> float | None:
    """The largest seam z (:func:`segue.clip.analysis.seam_z`) of the spans' ends; None where none can be measured."""
    found = [seam_z(audio, span, reference) for span in seams]
    return max((z for z in found if z is not None), default=None)


def worst_jump_db(audio: Stereo, seams: Iterable[Span]) -> float | None:
    """The largest step of loudness across the spans' ends, in LU; None where none can be measured."""
    found = [loudness_jump_db(audio, span) for span in seams]
    return max((jump for jump in found if jump is not None), default=None)


def loudness_dip_lu(audio: Stereo, gap: Span) -> float | None:
    """How far the loudness of 0.4 s falls, at most, below a straight line between the two contexts' loudness, in LU.

    Below 0 where it is above the line throughout. None without 0.4 s of context on both sides.
    """
    operator = Loudness(float(RATE))
    n_fft, hop = operator.n_fft, operator.hop
    first, last = max(0, gap.start - round(_BESIDE * RATE)), min(audio.shape[1], gap.stop + round(_BESIDE * RATE))
    if min(gap.start - first, last - gap.stop) < n_fft or gap.length < hop:
        return None
    lufs = operator(torch.from_numpy(np.ascontiguousarray(audio[None, :, first:last])))[0].numpy()
    lufs = np.maximum(lufs, _FLOOR_LUFS)
    at = first + np.arange(len(lufs)) * hop
    before, after = lufs[at + n_fft // 2 <= gap.start].mean(), lufs[at - n_fft // 2 >= gap.stop].mean()
    inside = (at >= gap.start) & (at < gap.stop)
    line = before + (after - before) * (at[inside] - gap.start) / gap.length
    return float((line - lufs[inside]).max())
