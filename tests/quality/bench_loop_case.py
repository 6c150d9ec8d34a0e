"""A case of the bench whose truth the song holds: a gap in a loop that repeats every 4 s."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float32

from segue.clip.span import Span
from segue.prior.runtime import SessionSettings
from segue.render.renderer import Renderer
from segue.tasks.continuation import Continuation
from segue.tasks.infill import Infill
from segue.tasks.plan import Plan, Stereo
from segue.tasks.regenerate import Regenerate
from segue_bench.contract import RATE, Case, Excerpt, Method, Rendering, TaskName
from segue_bench.methods.filling import Filling
from segue_bench.methods.registry import METHODS
from segue_bench.workbench import Workbench
from tests.songs import loop_song

SECONDS, START = 12.0, 5.0


@cache
def renderer() -> Renderer:
    """The embedded bundle, on one thread."""
    return Renderer(None, SessionSettings(threads=1))


def clicks(period: float, seconds: float) -> Float32[np.ndarray, "2 _samples"]:
    """The same burst of noise every ``period`` seconds."""
    rng = np.random.default_rng(0)
    burst = rng.standard_normal((2, 8000)) * np.exp(-np.arange(8000) / 1500)
    song = np.zeros((2, int(seconds * RATE)))
    for start in np.arange(0.1, seconds - 0.2, period):
        song[:, int(start * RATE) : int(start * RATE) + 8000] += burst
    return np.asarray(song * (0.1 / np.sqrt(np.mean(song**2))), np.float32)


def loop_case(
    task: TaskName = "infill",
    seconds: float = 1.0,
    level: float = 1.0,
    song: Float32[np.ndarray, "2 _samples"] | None = None,
    start: float = START,
) -> Case:
    """A gap of ``seconds`` from ``start`` on, in a loop of 4 s unless a song is given; a continuation goes on there."""
    song = (loop_song(RATE, SECONDS) if song is None else song) * np.float32(level)
    first = int(start * RATE)
    gap = Span(first, first + int(seconds * RATE))
    other = loop_song(RATE, SECONDS, seed=1)[:, : gap.length]
    excerpt = Excerpt("loop", "made", "loop.wav", "", "Loop", "", "", "test", False, song.shape[1], first, 0.0)
    original = song[:, : gap.stop] if task == "continuation" else song
    return Case(excerpt, task, seconds, True, _plan(task, original, gap), original, other)


def _plan(task: TaskName, song: Float32[np.ndarray, "2 _samples"], gap: Span) -> Plan:
    if task == "continuation":
        return Continuation(gap.length / RATE).plan([song[:, : gap.start]])
    if task == "regenerate":
        return Regenerate((gap,)).plan([song])
    return Infill((gap,)).plan([song])


def quick(method: Method, steps: int) -> Filling:
    """The method with few steps, where it has any."""
    assert isinstance(method, Filling)
    fill: Any = method.fill
    return replace(method, fill=replace(fill, steps=steps) if hasattr(fill, "steps") else fill)


def rendered(bench: Workbench, name: str, seed: int = 0, steps: int = 1) -> Rendering:
    """What the named method makes, in few steps."""
    return quick(METHODS[name], steps).render(bench, seed)


def check(bench: Workbench, made: Rendering) -> None:
    """Shape, type, finite, and a word on how it was made."""
    assert made.audio.shape == (2, bench.gap.length + 2 * made.margin)
    assert made.audio.dtype == np.float32
    assert np.isfinite(made.audio).all()
    assert made.how


def check_twice(bench: Workbench, name: str) -> None:
    """Right, and the same samples from the same seed."""
    made, again = rendered(bench, name), rendered(bench, name)
    check(bench, made)
    assert np.array_equal(made.audio, again.audio)
    assert (made.forward, made.vjp, made.how) == (again.forward, again.vjp, again.how)


def inside(bench: Workbench, made: Rendering) -> Stereo:
    """The gap without the margins."""
    return made.audio[:, made.margin : made.margin + bench.gap.length]


def error_db(bench: Workbench, made: Rendering) -> float:
    """The difference to the truth, over the truth."""
    truth = bench.case.truth
    return float(10.0 * np.log10(np.mean((inside(bench, made) - truth) ** 2) / np.mean(truth**2) + 1e-12))
