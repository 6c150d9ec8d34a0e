"""A registry: names to the classes they make, so that a recipe or a message can name a part."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from segue.errors import InvalidRequest

T = TypeVar("T")


@dataclass(frozen=True)
class Choice:
    """A part by name with its settings, as a recipe or preset writes it."""

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)


class Registry(Generic[T]):
    """Factories by name. ``kind`` is what the messages call an entry ("sampler", "operator")."""

    def __init__(self, kind: str, entries: Mapping[str, Callable[..., T]]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    @property
    def names(self) -> tuple[str, ...]:
        """Known names, sorted."""
        return tuple(sorted(self._entries))

    def register(self, name: str, factory: Callable[..., T]) -> None:
        """Add an entry.

        Raises:
            InvalidRequest: the name is taken.
        """
        if name in self._entries:
            raise InvalidRequest(f"the {self.kind} name {name!r} is taken; register yours under another name")
        self._entries[name] = factory

    def make(self, name: str, **settings: object) -> T:
        """The named part, built with ``settings``.

        Raises:
            InvalidRequest: unknown name, or settings the part does not have or needs and lacks.
        """
        if name not in self._entries:
            raise InvalidRequest(f"unknown {self.kind} {name!r}; expected one of {', '.join(self.names)}")
        factory = self._entries[name]
        signature = inspect.signature(factory)
        try:
            signature.bind(**settings)
        except TypeError as wrong:
            raise InvalidRequest(
                f"settings of {self.kind} {name!r} do not fit: {wrong}; it takes {signature}, got {sorted(settings)}"
            ) from wrong
        return factory(**settings)

    def build(self, choice: Choice) -> T:
        """:meth:`make` from a :class:`Choice`."""
        return self.make(choice.name, **choice.settings)
