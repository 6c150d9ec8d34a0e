"""A Ray cluster: reaching it, what it has to render on, and putting an actor there."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from segue.errors import ResourceError
from segue.service.farm.actor import Host

_PATIENCE = 30.0  # seconds that a node is given to start an actor
_LOOK = 1.0  # seconds between looks at the cluster

Actor = Any
"""A handle of a :class:`segue.service.farm.actor.Host`: its methods return what is to come."""


@dataclass(frozen=True)
class Seat:
    """Room for an actor: a GPU of a node, or all of a node without; ``number`` of the node, ``cpus`` it takes."""

    node: str
    address: str
    kind: str
    number: int
    cpus: int

    @property
    def name(self) -> str:
        """What no two actors of a pool are called."""
        return f"{self.node}-{self.number}"


def connect(address: str, farm: str) -> None:
    """Become a user of the cluster; ``farm`` is whose actors are found by name.

    Raises:
        ResourceError: there is none, or it refuses.
    """
    os.environ["RAY_CLIENT_RECONNECT_GRACE_PERIOD"] = "0"  # else an actor outlives its user by half a minute
    warnings.filterwarnings("ignore", message="More than 10MB of messages")  # audio: as it should be
    try:
        ray.init(address, namespace=farm, log_to_driver=False, logging_level=logging.WARNING)
    except (RayError, OSError, RuntimeError, ValueError, ImportError) as error:
        raise ResourceError(told(error)) from error


def seats(threads: int | None, kind: str | None = None) -> list[Seat]:
    """All of a ``kind`` that could be rendered on now, with ``threads`` each.

    None: the GPUs ("cuda"), or, where there are none, the nodes with CPUs ("cpu").
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    on_gpus = [seat for node in nodes for seat in _gpus(node, threads)] if kind != "cpu" else []
    return on_gpus if on_gpus or kind == "cuda" else [seat for node in nodes for seat in _cpus(node, threads)]


def _gpus(node: dict[str, Any], threads: int | None) -> Iterator[Seat]:
    count, cpus = int(node["Resources"].get("GPU", 0)), int(node["Resources"].get("CPU", 0))
    for number in range(count):
        if (taken := threads or cpus // count) <= cpus:
            yield Seat(node["NodeID"], node["NodeManagerAddress"], "cuda", number, taken)


def _cpus(node: dict[str, Any], threads: int | None) -> Iterator[Seat]:
    cpus = int(node["Resources"].get("CPU", 0))
    if 0 < (taken := threads or cpus) <= cpus:
        yield Seat(node["NodeID"], node["NodeManagerAddress"], "cpu", 0, taken)


def sit_down(first: int, kind: str, threads: int | None, waiting: Callable[[str], None]) -> tuple[Actor, Seat]:
    """An actor on a free seat of a ``kind``; ``waiting`` is told, once a second, why there is none yet.

    Where several look at once, each begins at another, the ``first``: names are given once by the cluster.
    """
    while True:
        there = seats(threads, kind)
        start = first % max(1, len(there))
        state = (
            f"all {len(there)} devices ({kind}) are in use by this renderer" if there else f"it has no {kind} device"
        )
        why = f"no node of the Ray cluster is free: {state}"
        for seat in (*there[start:], *there[:start]):
            actor = _take(seat)
            if actor is None:
                continue
            try:
                _wait(actor, seat, waiting)
                return actor, seat
            except RayError as error:
                why = f"the node {seat.address} cannot start an actor: {told(error)}"
                ray.kill(actor)
        waiting(why)
        time.sleep(_LOOK)


def _take(seat: Seat) -> Actor | None:
    """An actor that is about to start there, None where another of this pool has the seat."""
    remote = ray.remote(Host).options(
        name=seat.name,
        num_cpus=seat.cpus,
        num_gpus=1 if seat.kind == "cuda" else 0,
        max_concurrency=4,  # it reads and writes at once
        max_restarts=0,  # its pool sees it die, and begins another
        scheduling_strategy=NodeAffinitySchedulingStrategy(seat.node, soft=False),
    )
    try:
        return remote.remote()
    except ValueError:  # the name is taken
        return None


def _wait(actor: Actor, seat: Seat, waiting: Callable[[str], None]) -> None:
    """Until the actor runs.

    Raises:
        RayError: it does not.
    """
    here, until = actor.here.remote(), time.monotonic() + _PATIENCE
    while True:
        try:
            ray.get(here, timeout=_LOOK)
            return
        except GetTimeoutError as error:
            if time.monotonic() > until:
                raise GetTimeoutError(
                    f"its {seat.cpus} CPUs{' and a GPU' if seat.kind == 'cuda' else ''} were not free within "
                    f"{_PATIENCE:g} s: other work of the cluster holds them (ray status)"
                ) from error
            waiting("")


def told(error: BaseException) -> str:
    """What an error of Ray says, in a line: the one that gives a reason, or the first; without its traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no reason given"]
    reasons = [line for line in lines if "because" in line]
    return f"{type(error).__name__}: {(reasons or lines)[0]}"
