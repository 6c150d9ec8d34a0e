"""One pool with a real render process for all tests that need one, and an ear for a job's events."""

from __future__ import annotations

import atexit
import functools
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from segue.clip.clip import Clip
from segue.clip.span import Span
from segue.render.settings import Progress, RenderSettings
from segue.service.events import (
    Cancelled,
    CandidateReady,
    Event,
    Failed,
    Final,
    Finished,
    Progressed,
    TimedOut,
)
from segue.service.jobs import Job
from segue.service.pool import Pool
from segue.service.settings import DeviceSettings, Limits
from segue.service.store.store import Store
from segue.service.ticket import Ticket
from tests.songs import loop_song

RATE = 44100
PATIENCE = 240.0  # seconds; only a hang takes as long
FINALS = Finished | Failed | Cancelled | TimedOut

_scratch = tempfile.TemporaryDirectory(prefix="segue-pool-")


@functools.cache
def shared_store() -> Store:
    """The store of :func:`shared_pool`."""
    return Store(Path(_scratch.name) / "store")


@functools.cache
def shared_pool() -> Pool:
    """One render process with the embedded bundle; whoever kills it gets another."""
    return Pool([DeviceSettings(threads=1)], shared_store(), Limits(waiting=4, silence=8.0, longest_pause=1.0))


def close_shared_pool() -> None:
    """End its process and threads; for the end of a module's tests.

    The threads run under the type checker of the tests, which draws random numbers: hypothesis, at work in another
    module, would take that for a test that is not repeatable.
    """
    if shared_pool.cache_info().currsize:
        shared_pool().close()
        shared_pool.cache_clear()


atexit.register(close_shared_pool)


@functools.cache
def song(seconds: float = 10.0, rate: int = RATE) -> Clip:
    """Music to fill; the same object each time."""
    return Clip(loop_song(rate, seconds), rate)


def fill(seed: int = 0, clip: Clip | None = None, settings: RenderSettings | None = None, **more: Any) -> Job:
    """A gap of a second; by default the quickest of renders."""
    clip = clip or song()
    settings = settings or RenderSettings(seed, steps=1, method="splice")
    return Job("infill", clip, settings, gaps=(Span(5 * clip.rate, 6 * clip.rate),), **more)


def endless(seed: int = 0, **more: Any) -> Job:
    """More steps than any test waits for."""
    return fill(settings=RenderSettings(seed, steps=1000), **more)


class Ear:
    """Hears a job's events; hand it to ``submit`` as the listener."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    @property
    def finals(self) -> list[Event]:
        return [event for event in self.events if isinstance(event, FINALS)]

    @property
    def candidates(self) -> list[CandidateReady]:
        return [event for event in self.events if isinstance(event, CandidateReady)]

    @property
    def progress(self) -> list[Progress]:
        return [event.progress for event in self.events if isinstance(event, Progressed)]

    def wait_for_step(self, step: int) -> None:
        """Until the sampler has done that many steps."""

        def there() -> bool:
            return any(p.stage == "sample" and p.step >= step for p in self.progress) or bool(self.finals)

        with self._changed:
            assert self._changed.wait_for(there, PATIENCE)
        assert not self.finals, self.finals


def ended(ticket: Ticket) -> Final:
    """Its final event."""
    final = ticket.wait(PATIENCE)
    assert final is not None, "no final event came"
    return final


def finished(pool: Pool, job: Job) -> Finished:
    """The result of a job that must succeed."""
    ticket = pool.submit(job, lambda event: None)
    final = ended(ticket)
    assert isinstance(final, Finished), final
    return final


def same_audio(one: Finished, other: Finished) -> bool:
    """Whether two results are the same, bit for bit."""
    pairs = zip(one.renditions, other.renditions, strict=True)
    return all(
        a.tobytes() == b.tobytes() for x, y in pairs for a, b in zip(x.audio, y.audio, strict=True)
    ) and np.array_equal([r.recipe.digest for r in one.renditions], [r.recipe.digest for r in other.renditions])
