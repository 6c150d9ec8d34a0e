"""The front's sockets, with their limits set."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import zmq

from segue.errors import InvalidRequest, ResourceError
from segue.service.front.settings import FrontSettings
from segue.service.keys import KeyPair
from segue.service.zap import DOMAIN
from segue_protocol import limits

Context: TypeAlias = "zmq.Context[zmq.Socket[bytes]]"
Socket: TypeAlias = "zmq.Socket[bytes]"

HANDSHAKE_MS = 3000
"""A connection that is not through by then is closed."""
MESSAGES = 16
"""High-water mark of each client, both ways: of at most 1 MiB each."""
_MAX_IPC = 100  # bytes of a path that every system takes for a socket

EVENTS = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


def router(context: Context, keys: KeyPair) -> Socket:
    """A ROUTER that only clients of the key ring get into, not bound yet."""
    made = context.socket(zmq.ROUTER)
    made.linger = 0
    made.curve_server = True
    made.curve_publickey, made.curve_secretkey = keys.public.encode(), keys.secret.encode()
    made.zap_domain = DOMAIN
    made.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    made.router_mandatory = True
    made.maxmsgsize = limits.SOCKET_MAX_FRAME_BYTES
    made.sndhwm = made.rcvhwm = MESSAGES
    made.handshake_ivl = HANDSHAKE_MS
    made.heartbeat_ivl = limits.HEARTBEAT_INTERVAL_MS
    made.heartbeat_timeout = limits.HEARTBEAT_TIMEOUT_MS
    made.heartbeat_ttl = limits.HEARTBEAT_TIMEOUT_MS
    made.backlog = 1024
    made.ipv6 = True
    return made


def bind(router_: Socket, settings: FrontSettings) -> str:
    """Bind all endpoints; the one that clients connect to.

    Raises:
        ResourceError: an address is taken or not this machine's. InvalidRequest: it is no address.
    """
    bound = [_bind_one(router_, endpoint) for endpoint in settings.bind]
    return settings.advertise or _reachable(bound[0])


def _bind_one(router_: Socket, endpoint: str) -> str:
    if endpoint.startswith("ipc://"):
        path = Path(endpoint.removeprefix("ipc://"))
        if len(str(path).encode()) > _MAX_IPC:
            raise InvalidRequest(
                f"expected a path of at most {_MAX_IPC} bytes for a local socket, got {path}: choose a shorter "
                "--connection-file, or --bind tcp://127.0.0.1:*"
            )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        router_.bind(endpoint)
    except zmq.ZMQError as error:
        kind = InvalidRequest if error.errno in (zmq.EINVAL, zmq.EPROTONOSUPPORT) else ResourceError
        raise kind(f"cannot bind {endpoint} ({error.strerror}): choose another --bind") from error
    if endpoint.startswith("ipc://"):
        path.chmod(0o600)
    return bytes(router_.getsockopt(zmq.LAST_ENDPOINT)).decode().rstrip("\0")


def _reachable(endpoint: str) -> str:
    """An endpoint bound to every address, by this machine's name."""
    if endpoint.startswith("ipc://"):
        return endpoint
    parts = urlsplit(endpoint)
    return f"tcp://{socket.gethostname()}:{parts.port}" if parts.hostname in ("0.0.0.0", "::") else endpoint


def local_endpoint(connection_file: Path) -> str:
    """Where to listen for clients of this machine alone: a socket beside the connection file, where there are such."""
    if sys.platform == "win32":
        return "tcp://127.0.0.1:*"
    return f"ipc://{connection_file.absolute().with_suffix('.sock')}"


def clean_up(settings: FrontSettings) -> None:
    """Remove the files of local sockets, which libzmq leaves behind."""
    for endpoint in settings.bind:
        if endpoint.startswith("ipc://"):
            with suppress(OSError):
                Path(endpoint.removeprefix("ipc://")).unlink()
