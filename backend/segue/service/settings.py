"""How the service runs: its devices and its limits."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from segue.errors import InvalidRequest

StorePlace = tuple[Path, int]
"""Folder and limit in bytes of a store."""


@runtime_checkable
class Device(Protocol):
    """What a pool keeps a render process on: here (:class:`DeviceSettings`) or in a cluster (service/farm)."""

    @property
    def name(self) -> str:
        """As messages call it."""

    @property
    def kind(self) -> str:
        """Its class: cpu, cuda."""

    @property
    def tries(self) -> int:
        """How often a job is begun, where its process is lost under it: more than once, it must come out the same."""

    def command(self, store: StorePlace | None) -> list[str]:
        """The program, on this machine, that speaks the frames of :mod:`segue.service.worker.child`."""


@dataclass(frozen=True)
class DeviceSettings:
    """One render process. ``kind`` and ``index`` of the device, ``threads`` it may use (None: one for each core).

    ``bundle``: loaded at the start, by name or path, None for the embedded one; it is that of jobs that name none.
    ``cache_mb``: most that prepared songs (audio at 44.1 kHz, features) may hold between jobs; ``address_space_mb``:
    hard limit on the process, where the system knows one; None for no limit.
    """

    kind: Literal["cpu", "cuda"] = "cpu"
    index: int = 0
    threads: int | None = None
    bundle: str | None = None
    cache_mb: int = 1024
    address_space_mb: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("cpu", "cuda"):
            raise InvalidRequest(f"unknown device {self.kind!r}; expected cpu or cuda")
        for name in ("index", "cache_mb"):
            if getattr(self, name) < 0:
                raise InvalidRequest(f"{name} must be 0 or more, got {getattr(self, name)}")
        for name in ("threads", "address_space_mb"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise InvalidRequest(f"{name} must be at least 1, or None for no limit, got {value}")

    @property
    def name(self) -> str:
        """As messages call it: cpu, cuda:1."""
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.index}"

    @property
    def tries(self) -> int:
        """Once: what ends a process here would end the next one too."""
        return 1

    def command(self, store: StorePlace | None) -> list[str]:
        """A child process that opens the store by itself."""
        place = None if store is None else {"folder": str(store[0]), "limit": store[1]}
        return module_command("segue.service.worker.child", {"device": asdict(self), "store": place})


def module_command(module: str, given: object) -> list[str]:
    """A module of ours as a program, told what it is ``given`` as JSON."""
    return [sys.executable, "-P", "-m", module, json.dumps(given)]  # -P: never modules of the working folder


@dataclass(frozen=True)
class Limits:
    """``waiting``: jobs in the queue, with at most ``waiting_mb`` MiB of audio (one alone may hold more).

    Seconds: ``silence`` after which a process that says nothing is taken for lost (it says something twice a second);
    ``start`` it may take to load; ``grace`` between asking it to stop a job and ending it; ``longest_pause`` before it
    is started again, which doubles from half a second while it keeps failing.
    """

    waiting: int = 8
    waiting_mb: int = 2048
    silence: float = 10.0
    start: float = 180.0
    grace: float = 20.0
    longest_pause: float = 30.0

    def __post_init__(self) -> None:
        for name in ("waiting", "waiting_mb", "silence", "start", "grace", "longest_pause"):
            if not getattr(self, name) > 0:
                raise InvalidRequest(f"{name} must be more than 0, got {getattr(self, name)}")
