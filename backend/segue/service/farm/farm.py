"""A Ray cluster as devices for a pool. Ray itself is used in child processes alone (:mod:`segue.service.farm.relay`).

Ray ends the process that uses it where the cluster's head is lost; clients of the renderer are to hear of that instead.
"""

from __future__ import annotations

import importlib.util
import json
import re
import secrets
import socket
import subprocess
import tempfile
from dataclasses import asdict, dataclass

from segue.errors import InvalidRequest, ResourceError
from segue.service.settings import DeviceSettings, StorePlace, module_command
from segue_protocol.limits import MAX_LISTED

CONNECT_SECONDS = 30.0
"""Within which a cluster must answer, once its port is open."""

TRIES = 3
"""How often a job is begun where machines are lost under it."""

_PORT_SECONDS = 5.0
_ADDRESS = re.compile(r"auto|(?:ray://)?(?P<host>[^\s:/@]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class FarmDevice:
    """One of the cluster's devices, whichever is free: an actor that is begun on another machine where its own is lost.

    ``number`` of ``farm``, the pool's name among the users of the cluster; ``render``: as on this machine, but that
    ``threads`` None is all CPUs of the node, or a GPU's share of them.
    """

    address: str
    number: int
    render: DeviceSettings
    farm: str

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"ray:{self.number}"

    @property
    def kind(self) -> str:
        """Its class: cpu, cuda."""
        return self.render.kind

    @property
    def tries(self) -> int:
        """Machines come and go; a job that ends its process on several is not begun for ever."""
        return TRIES

    def command(self, store: StorePlace | None) -> list[str]:
        """A child process that passes frames on to the actor; the actor asks the pool for what the store has."""
        given = {**asdict(self), "name": self.name, "store": None if store is None else "asked"}
        return module_command("segue.service.farm.relay", given)


@dataclass(frozen=True)
class FarmSettings:
    """As of :class:`segue.service.settings.DeviceSettings`, for each of the cluster's devices."""

    threads: int | None = None
    bundle: str | None = None
    cache_mb: int = 1024
    address_space_mb: int | None = None

    def render(self, kind: str) -> DeviceSettings:
        """The settings of the process on a node: an actor sees its own GPU alone, and as the first."""
        return DeviceSettings(kind, 0, **asdict(self))  # type: ignore[arg-type]


def find_farm(address: str, settings: FarmSettings | None = None) -> tuple[FarmDevice, ...]:
    """The devices of a cluster: its GPUs, or its nodes where it has none. For :class:`segue.service.pool.Pool`.

    Args:
        address: "auto" (a node of the cluster runs on this machine), "HOST:PORT" of its head (likewise), or
            "ray://HOST:PORT" of its Ray Client server, from any machine.
        settings: of the process on each device.

    Raises:
        InvalidRequest: the address is of no known form.
        ResourceError: Ray is not installed here, no cluster answers there, or it has nothing to render on.
    """
    check_port(address)
    if importlib.util.find_spec("ray") is None:
        raise ResourceError("a farm needs Ray; install it with: pip install segue[farm]")
    settings = settings or FarmSettings()
    found = _probe(address, settings.threads)
    if not found:
        least = f"{settings.threads} free CPUs" if settings.threads else "a GPU or a CPU"
        raise ResourceError(f"expected a node with {least} in the Ray cluster at {address}, it has none: start one")
    if len(found) > MAX_LISTED:
        raise ResourceError(
            f"expected at most {MAX_LISTED} devices, the Ray cluster at {address} has {len(found)}: serve parts of it"
        )
    farm = f"segue-{secrets.token_hex(4)}"
    return tuple(FarmDevice(address, number, settings.render(kind), farm) for number, kind in enumerate(found))


def check_port(address: str) -> None:
    """Refuse an address that is none, or where nothing listens.

    Raises:
        InvalidRequest, ResourceError: see :func:`find_farm`.
    """
    form = _ADDRESS.fullmatch(address)
    if form is None:
        raise InvalidRequest(f"expected a Ray cluster as auto, HOST:PORT or ray://HOST:PORT, got {address!r}")
    if address == "auto":
        return
    host, port = form["host"].strip("[]"), int(form["port"])
    try:
        socket.create_connection((host, port), _PORT_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise ResourceError(
            f"expected a Ray cluster at {address}, nothing answers there ({error}): start it with ray start --head, "
            "or name the address that this has printed"
        ) from error


def _probe(address: str, threads: int | None) -> list[str]:
    """Kinds of the cluster's devices, by a process that asks it."""
    command = module_command("segue.service.farm.probe", {"address": address, "threads": threads})
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=CONNECT_SECONDS,
            cwd=tempfile.gettempdir(),
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ResourceError(
            f"the Ray cluster at {address} did not answer within {CONNECT_SECONDS:g} s: from a machine that is no node "
            "of it use ray://HOST:10001, the address of its Ray Client server"
        ) from error
    except OSError as error:
        raise ResourceError(f"the process that asks the Ray cluster cannot be started ({error})") from error
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        raise ResourceError(
            f"the process that asks the Ray cluster at {address} ended with {done.returncode}: {done.stderr[-500:]}"
        ) from None
    if "error" in answer:
        raise ResourceError(f"the Ray cluster at {address} cannot be used: {answer['error']}")
    return list(answer["devices"])
