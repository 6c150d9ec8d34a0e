"""The store as a job sees it: opened by the process that renders, or asked for through its pipe."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol, runtime_checkable

from segue.errors import Cancelled, SegueError
from segue.service.events import Failed, Finished
from segue.service.settings import StorePlace
from segue.service.store.entry import Entry
from segue.service.store.store import Store

_log = logging.getLogger(__name__)


@runtime_checkable
class Shelf(Protocol):
    """Results that are there already; ``note``: why one was not kept."""

    @property
    def note(self) -> str:
        """For the client; empty where nothing went wrong."""

    def get(self, key: str, request: str) -> Entry | None:
        """What is kept under a recipe; the request is then known to lead to it."""

    def put(self, entry: Entry, request: str) -> None:
        """Keep a result."""


class OpenShelf:
    """The store, for one job. It may fail, a render never does because of it: ``note`` says what went wrong."""

    def __init__(self, place: StorePlace | None) -> None:
        self.note = ""
        self._store: Store | None = None
        with self._noting("the store cannot be used"):
            self._store = None if place is None else Store(*place)

    def get(self, key: str, request: str) -> Entry | None:
        """What is kept under a recipe; the request is then known to lead to it."""
        if self._store is None:
            return None
        with self._noting("the store cannot be asked"):
            entry = self._store.get(key)
            if entry is not None:
                self._store.remember(request, key)
            return entry
        return None

    def put(self, entry: Entry, request: str) -> None:
        """Keep a result."""
        if self._store is not None:
            with self._noting("the result was not kept"):
                self._store.put(entry, request)

    @contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        try:
            yield
        except SegueError as error:
            self.note = f"{what}: {error}"
            _log.warning(self.note)


class AskedShelf:
    """A store that only the pool can open, from another machine: it looks there, and keeps what this process sends.

    Index and files are then used from one machine alone, as SQLite wants it, and no node has to see them.
    """

    note = ""

    def __init__(self, ask: Callable[[str, str], bool]) -> None:
        """``ask``: whether the pool has the result of a recipe, for a request."""
        self._ask = ask

    def get(self, key: str, request: str) -> Entry | None:
        """None: it is to be rendered.

        Raises:
            Cancelled: the pool has it, and answers the client by itself.
        """
        if self._ask(key, request):
            raise Cancelled("the pool has the result")
        return None

    def put(self, entry: Entry, request: str) -> None:
        """The pool does."""


class AskingDesk:
    """The pool's end of an :class:`AskedShelf`, for one job."""

    def __init__(self, place: StorePlace | None) -> None:
        self._place = place
        self._shelf: OpenShelf | None = None
        self._request = ""
        self.found: Finished | None = None
        """The job's answer, where the store had it."""

    def finds(self, key: str, request: str) -> bool:
        """Whether the store has the result of a recipe."""
        self._shelf, self._request = OpenShelf(self._place), request
        entry = self._shelf.get(key, request)
        if entry is not None:
            self.found = Finished(entry.renditions, entry.report, (), key, from_store=True, note=self._shelf.note)
        return entry is not None

    def keep(self, final: Finished | Failed) -> Finished | Failed:
        """Put a result into the store, where the process sought it there first."""
        if self._shelf is None or isinstance(final, Failed):
            return final
        self._shelf.put(Entry(final.renditions, final.report), self._request)
        return replace(final, note=self._shelf.note)
