"""Batches drawn ahead by a thread while the network learns."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from segue.errors import InvalidRequest

_DEPTH = 8
_PATIENCE = 0.1  # seconds between two looks at whether batches are still wanted

B = TypeVar("B")


@dataclass(frozen=True)
class _Failure:
    """What drawing came to instead of a batch."""

    error: BaseException


@contextmanager
def drawn_ahead(batches: Iterator[B]) -> Iterator[Callable[[], B]]:
    """What returns the next batch, or raises what drawing it raised; the thread ends with the block."""
    drawn: queue.Queue[B | _Failure] = queue.Queue(_DEPTH)
    over = threading.Event()

    def put(item: B | _Failure) -> None:
        while not over.is_set():
            with suppress(queue.Full):
                drawn.put(item, timeout=_PATIENCE)
                return

    def feed() -> None:
        try:
            for batch in batches:
                put(batch)
                if over.is_set():
                    return
            put(_Failure(InvalidRequest("expected batches without end, the examples ended: draw from a stream")))
        except BaseException as error:  # the network's thread waits for it
            put(_Failure(error))

    def take() -> B:
        item = drawn.get()
        if isinstance(item, _Failure):
            raise item.error
        return item

    thread = threading.Thread(target=feed, name="draws batches", daemon=True)
    thread.start()
    try:
        yield take
    finally:
        over.set()
        thread.join()
