"""``segue serve``: the renderer that plug-ins and clients talk to."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.options import with_options
from segue.errors import InvalidRequest, ResourceError, ServiceError

if TYPE_CHECKING:
    from segue.service.front.server import Server
    from segue.service.settings import Device, DeviceSettings
    from segue_protocol.connection_file import ConnectionFile


@dataclass(frozen=True)
class ServeOptions:
    """Where to listen, what to render on, and how much to take."""

    bind: Annotated[
        list[str] | None,
        typer.Option(metavar="ENDPOINT", help="tcp://HOST:PORT or ipc://PATH; may be given several times."),
    ] = None
    advertise: Annotated[
        str | None, typer.Option(metavar="ENDPOINT", help="What clients connect to, where it is not what is bound.")
    ] = None
    connection_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Written for clients.", show_default="the user's own")
    ] = None
    keys: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Keys.", show_default="the user's own")] = None
    devices: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="A render process each, such as cpu,cuda:0.", show_default="cpu"),
    ] = None
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Render on a Ray cluster: auto, HOST:PORT or ray://HOST:PORT."),
    ] = None
    threads: Annotated[int | None, typer.Option(help="Of each device.", show_default="one a core")] = None
    bundle: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="The default bundle.", show_default="the embedded one")
    ] = None
    queue: Annotated[int, typer.Option(metavar="N", help="Jobs that may wait; more are told to come back.")] = 8
    store: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Results by recipe.", show_default="the user's own")
    ] = None
    no_store: Annotated[bool, typer.Option("--no-store", help="Keep no results.")] = False
    metrics: Annotated[
        int | None, typer.Option(metavar="PORT", help="Prometheus metrics on this port of 127.0.0.1.")
    ] = None
    drain: Annotated[float, typer.Option(metavar="SECONDS", help="For jobs to finish when stopped.")] = 10.0
    stall: Annotated[float, typer.Option(metavar="SECONDS", help="After which a client that hangs is given up.")] = 30.0


@with_options(ServeOptions)
def serve(options: ServeOptions) -> None:
    """Render for plug-ins and clients until stopped.

    Prints one line once clients can connect. Ctrl-C, or a TERM signal, gives accepted jobs their time and ends; a
    second one ends at once. What happens is told on stderr: plainly on a terminal, else as a line of JSON each.
    """
    from segue.client.errors import local_error
    from segue.service import logs
    from segue.service.catalog import Catalog
    from segue.service.front.server import Place, Server
    from segue.service.front.settings import FrontSettings
    from segue.service.front.sockets import local_endpoint
    from segue.service.keys import KeyRing
    from segue.service.pool import Pool
    from segue.service.settings import Limits
    from segue.service.store.store import Store
    from segue_protocol.connection_file import default_path
    from segue_protocol.errors import ProtocolError

    file = options.connection_file or default_path()
    check_free(file)
    front = FrontSettings(
        tuple(options.bind or [local_endpoint(file)]), options.advertise, drain=options.drain, stall=options.stall
    )
    limits = Limits(waiting=options.queue)
    logs.configure()
    _allow_descriptors()
    place = Place(KeyRing(options.keys), file)
    catalog = Catalog(options.bundle)
    devices = find_devices(options)
    pool = Pool(devices, None if options.no_store else Store(options.store), limits)
    try:
        server = Server(pool, place, front, catalog, limits)
        _serve_metrics(options.metrics, server)
        _end_on_signals(server)
        content = server.open()  # last: what comes before may fail, and nothing is left behind
    except ProtocolError as error:
        pool.close()
        raise local_error(error) from error
    except BaseException:
        pool.close()
        raise
    print(f"segue serve: ready on {content.endpoint}, connection file {file}", flush=True)
    server.run()


def find_devices(options: ServeOptions) -> Sequence[Device]:
    """Those named, or those of the cluster.

    Raises:
        InvalidRequest, ResourceError: both are asked for, or the cluster cannot be used.
    """
    from segue.service.farm.farm import FarmSettings, find_farm

    if options.ray is None:
        return parse_devices(options)
    if options.devices is not None:
        raise InvalidRequest("expected --devices of this machine or --ray, got both")
    return find_farm(options.ray, FarmSettings(options.threads, options.bundle))


def parse_devices(options: ServeOptions) -> tuple[DeviceSettings, ...]:
    """The devices named in "cpu,cuda:0", each once.

    Raises:
        InvalidRequest: none, one twice, or something else is named.
    """
    from segue.service.settings import DeviceSettings

    devices: list[DeviceSettings] = []
    for name in (options.devices or "cpu").split(","):
        kind, _, index = name.strip().partition(":")
        if kind not in ("cpu", "cuda") or (index and not (index.isascii() and index.isdigit())):
            raise InvalidRequest(f"expected devices such as cpu or cuda:0,cuda:1, got {options.devices!r}")
        devices.append(DeviceSettings(kind, int(index or 0), options.threads, options.bundle))  # type: ignore[arg-type]
    if len({device.name for device in devices}) != len(devices):
        raise InvalidRequest(f"expected each device once, got {options.devices!r}")
    return tuple(devices)


def check_free(file: Path) -> None:
    """Refuse the place of a renderer that still runs: its clients would lose it.

    Raises:
        InvalidRequest: there is one.
    """
    from segue_protocol.connection_file import Owner, read_connection_file
    from segue_protocol.errors import ProtocolError

    try:
        other = read_connection_file(file, stale_ok=True)
    except ProtocolError:
        return  # none, or none that a client would take
    if other.owner is Owner.ALIVE and (other.started or _answers(other)):
        raise InvalidRequest(
            f"a renderer (process {other.pid}) already serves {file}: stop it, or give --connection-file another place"
        )


def _answers(other: ConnectionFile) -> bool:
    """Whether a renderer answers there: where the system does not tell when a process began, its number says little."""
    from segue.client.link import Link
    from segue_protocol.errors import Code

    try:
        Link(other, "segue serve").close()
    except ServiceError as error:
        return error.code != Code.CONNECTION
    return True


def _serve_metrics(port: int | None, server: Server) -> None:
    if port is None:
        return
    try:
        from segue.service.metrics import serve_metrics
    except ImportError as error:
        raise ResourceError("--metrics needs prometheus-client; install it with: pip install segue[service]") from error

    serve_metrics(port, server)


def _allow_descriptors() -> None:
    """As many as the system allows this process: a client takes one."""
    try:
        import resource
    except ImportError:  # Windows, where there is no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if most != resource.RLIM_INFINITY else 65536
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, 65536), most))


def _end_on_signals(server: Server) -> None:
    stopped = False

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal stopped
        server.stop(f"it was stopped by {signal.Signals(number).name}", at_once=stopped)
        stopped = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    signal.set_wakeup_fd(server.wakeup_fd, warn_on_full_buffer=False)
