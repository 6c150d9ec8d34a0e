"""The post-chain: effects on the gap's audio alone, heard in its place and faded in within the gap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pedalboard
from jaxtyping import Float

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.errors import SegueError
from segue.guidance.curve import Curve
from segue.render.scene import cut
from segue.style.effects import EFFECTS, Effect
from segue.tasks.plan import Stereo

BEFORE = 2.0
"""Seconds of the music before the gap that the effects hear first: what they remember is in its place."""

FADE = 0.03
"""Seconds over which the effects come in and go out within the gap, at most a quarter of it."""

_AFTER = 0.05  # seconds: what an effect looks ahead to
_SILENT = 1e-5
_MOST = 10.0 ** (24.0 / 20.0)


def processed(timeline: Stereo, take: Stereo, gap: Span, effects: Sequence[Effect], *, keep_level: bool) -> Stereo:
    """The take (2, gap) after the effects, among what stands around it; all at 44.1 kHz and the reference level.

    ``keep_level``: brought back to the take's own RMS, by 24 dB at the most.

    Raises:
        SegueError: an effect gave NaN or infinity.
    """
    before, after = round(BEFORE * MODEL_RATE), round(_AFTER * MODEL_RATE)
    around = Span(gap.start - before, gap.stop + after)
    audio = cut(timeline, around)
    audio[:, before : before + gap.length] = take
    board = pedalboard.Chain([_plugin(effect) for effect in effects])
    out = board.process(audio, MODEL_RATE, reset=True)[:, before : before + gap.length]
    if not np.isfinite(out).all():
        raise SegueError("an effect of the post-chain gave NaN or infinite samples: make its settings milder")
    if keep_level:
        was, now = _rms(take), _rms(out)
        if now > _SILENT:
            out = out * np.float32(min(_MOST, was / now))
    return np.ascontiguousarray(out, np.float32)


def mixed(take: Stereo, wet: Stereo, gap: Span, amount: Curve) -> Stereo:
    """From the take to what the effects made of it, as much as ``amount`` (seconds of the timeline) says.

    At both edges of the gap the take is as it was: nothing can click there.
    """
    return np.ascontiguousarray(take + (wet - take) * share(gap, amount), np.float32)


def share(gap: Span, amount: Curve) -> Float[np.ndarray, " samples"]:
    """How much of the effects is heard at each sample of a gap: the amount, faded to 0 at both edges."""
    fade = max(1, min(round(FADE * MODEL_RATE), gap.length // 4))
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / fade)
    edge = np.ones(gap.length)
    edge[:fade], edge[gap.length - fade :] = ramp, ramp[::-1]
    seconds = (gap.start + np.arange(gap.length)) / MODEL_RATE
    return np.asarray(edge * amount.at(seconds), np.float32)


def _plugin(effect: Effect) -> pedalboard.Plugin:
    plugin: pedalboard.Plugin = getattr(pedalboard, EFFECTS[effect.kind].plugin)(**effect.values)
    return plugin


def _rms(audio: Stereo) -> float:
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if audio.size else 0.0
