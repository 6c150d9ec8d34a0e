"""What needs no network: silence, the contexts themselves, copies of the song, interpolation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.recall.donors import MARGIN as PASTE
from segue.recall.fades import crossfade
from segue.recall.loop import Loop, find_loop, looped
from segue.recall.splice import copy, splice
from segue.render.candidates import interpolated
from segue.render.sound import MARGIN, Sound, mirrored
from segue.tasks.plan import Stereo
from segue.tasks.transition import constant_power
from segue_bench.methods.context_splice import context_pair
from segue_bench.methods.filling import ALL, Filling
from segue_bench.workbench import Made, Workbench

_LOOP_CONTEXT = 6 * MODEL_RATE


def _silence(bench: Workbench, seed: int) -> Made:
    return bench.inside(np.zeros((2, bench.gap.length), np.float32), "silence")


def _crossfade(bench: Workbench, seed: int) -> Made:
    """As much as the gap is long from before it, going out, and from after it, coming in."""
    length = bench.gap.length
    left, right = bench.song.context(bench.gap, length)
    parts = [np.tile(side, (1, -(-length // side.shape[1])))[:, :length] for side in (left, right) if side.shape[1]]
    if not parts:
        raise InvalidRequest("a cross-fade of the contexts needs one: the gap has nothing on either side")
    if len(parts) == 1:
        return bench.inside(parts[0].copy(), "one context again")
    falling, rising = constant_power(length)
    return bench.inside((falling * parts[0] + rising * parts[1]).astype(np.float32), "both contexts again, cross-faded")


def _mirrored(bench: Workbench, seed: int) -> Made:
    made = mirrored(bench.song, bench.gap)
    return bench.inside(made.audio[:, MARGIN : MARGIN + bench.gap.length], made.how)


def _loop(bench: Workbench, seed: int) -> Made:
    """The left context looped (the right one where there is no other), in the song around the gap alone."""
    song, gap = bench.song, bench.gap
    before, after = song.context(gap, _LOOP_CONTEXT)
    room = max(before.shape[1], after.shape[1])
    if room < MARGIN:
        raise InvalidRequest(
            f"a loop needs {MARGIN} samples or more beside the gap, got {room}: leave more of the clip"
        )
    near = np.concatenate([before, np.zeros((2, gap.length), np.float32), after], 1)
    at = Span(before.shape[1], before.shape[1] + gap.length)
    around = replace(song, audio=near, timeline=near.shape[1], blocked=(at,))
    found = find_loop(around, at)
    loop = found or Loop(min(gap.length, room), math.nan)
    whole, pair = looped(around, at, loop)
    how = f"{loop.period / MODEL_RATE:.3f} s again" + ("" if found else ", as long as the gap")
    return _pasted(bench, copy(whole, pair, at, MARGIN), MARGIN, how)


def _copy(bench: Workbench, seed: int) -> Made:
    return _pasted(bench, copy(bench.song, bench.place, bench.gap, PASTE), PASTE, "one place of the song")


def _pasted(bench: Workbench, audio: Stereo, margin: int, how: str) -> Made:
    """``audio`` (2, margin + gap + margin) cross-faded with the contexts over both margins.

    A gap without that much context on a side (a continuation) has nothing to be pasted over: it is joined by the seam.
    """
    gap = bench.gap
    before, after = bench.song.context(gap, margin)
    if min(before.shape[1], after.shape[1]) < margin:
        inner = audio[:, margin - MARGIN : margin + gap.length + MARGIN]
        return bench.joined(Sound(inner, f"{how}, joined inside the gap"))
    pasted = audio.copy()
    pasted[:, :margin] = crossfade(before, audio[:, :margin])
    pasted[:, margin + gap.length :] = crossfade(audio[:, margin + gap.length :], after)
    return Made(bench.at_track_level(pasted), how, margin)


def _context_splice(bench: Workbench, seed: int) -> Made:
    known = bench.place
    pair = context_pair(bench.song, bench.gap) or known
    return _pasted(bench, splice(bench.song, pair, bench.gap, PASTE)[0], PASTE, "two places of the song")


def _splice(bench: Workbench, seed: int) -> Made:
    how = "two places of the song" if bench.donors.period is None else "looped contexts"
    return bench.joined(Sound(bench.spliced, how))


def _janssen(bench: Workbench, seed: int) -> Made:
    made = interpolated(bench.studio, bench.region)
    return bench.inside(made.audio[:, MARGIN : MARGIN + bench.gap.length], made.how)


def _plain(name: str, about: str, fill: Callable[[Workbench, int], Made]) -> Filling:
    return Filling(name, about, fill, ALL, seeded=False)


BASELINES = (
    _plain("silence", "nothing", _silence),
    _plain("cross-fade", "as much as the gap from before and from after it, cross-faded at constant power", _crossfade),
    _plain("mirrored", "both contexts mirrored at the gap's edges, cross-faded", _mirrored),
    _plain("loop", "what stands before the gap again, at its period where it has one; 23 ms cross-fades", _loop),
    _plain("copy", "the place of the song that fits both contexts best, pasted with 100 ms cross-fades", _copy),
    _plain("context splice", "two donors by their contexts alone, pasted with 100 ms cross-fades", _context_splice),
    _plain("splice", "the two-donor splice, joined by the seam", _splice),
    _plain("janssen", "autoregressive interpolation, for gaps up to 80 ms", _janssen),
)
