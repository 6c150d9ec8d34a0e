"""What Prometheus reads: the front's counts and the pool's state, on a port of this machine alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from segue.errors import InvalidRequest, ResourceError

if TYPE_CHECKING:
    from segue.service.front.server import Server

ADDRESS = "127.0.0.1"
"""Metrics carry no secrets, but they are nobody else's business: a studio puts its own proxy in front."""


class ServiceCollector(Collector):
    """Reads counts when asked; the loop that makes them never waits for that."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterator[Metric]:
        """All metrics at this moment."""
        tally, status = self._server.dispatch.tally, self._server.pool_status()
        yield _counter("segue_sessions", "Sessions begun.", {"": tally.sessions})
        yield _counter("segue_jobs_accepted", "Jobs accepted.", {"": tally.accepted})
        yield _counter("segue_jobs_busy", "Jobs answered BUSY.", {"": tally.busy})
        yield _counter("segue_jobs_ended", "Accepted jobs by final message.", tally.ended, "final")
        yield _counter("segue_jobs_from_store", "Jobs answered from the store.", {"": status.counts.from_store})
        yield _counter("segue_messages_refused", "Messages answered by ERROR, by code.", tally.errors, "code")
        yield _counter("segue_messages_dropped", "Messages that changed nothing, by code.", tally.dropped, "code")
        yield _counter("segue_connections_refused", "Connections refused.", self._server.gate.refused, "reason")
        yield _counter("segue_clients_evicted", "Clients given up for not reading.", {"": tally.evicted})
        yield _counter("segue_received_bytes", "Payload received.", {"": tally.bytes_in})
        yield _counter("segue_sent_bytes", "Payload sent.", {"": tally.bytes_out})
        yield _gauge("segue_clients", "Clients connected.", {"": len(self._server.dispatch.peers)})
        yield _gauge("segue_jobs_waiting", "Jobs in the queue.", {"": status.counts.waiting})
        yield _gauge("segue_jobs_running", "Jobs that render.", {"": status.counts.running})
        yield _gauge("segue_uptime_seconds", "Seconds since the start.", {"": status.uptime})
        states = {device.name: float(device.state in ("idle", "busy")) for device in status.devices}
        yield _gauge("segue_device_up", "Whether a device can render.", states, "device")
        starts = {device.name: float(device.restarts) for device in status.devices}
        yield _counter("segue_device_restarts", "Render processes started anew.", starts, "device")


def _counter(name: str, about: str, values: Mapping[str, float], label: str = "") -> Metric:
    return _filled(CounterMetricFamily(name, about, labels=[label] if label else []), values)


def _gauge(name: str, about: str, values: Mapping[str, float], label: str = "") -> Metric:
    return _filled(GaugeMetricFamily(name, about, labels=[label] if label else []), values)


def _filled(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]) -> Metric:
    for value_of, value in list(values.items()):  # a copy: the loop counts on meanwhile
        family.add_metric([value_of] if value_of else [], value)
    return family


def serve_metrics(port: int, server: Server) -> None:
    """Serve them on a thread that ends with the process.

    Raises:
        InvalidRequest: there is no such port.
        ResourceError: the port is taken.
    """
    if not 1 <= port <= 65535:
        raise InvalidRequest(f"expected a port of 1 to 65535 for metrics, got {port}")
    registry = CollectorRegistry()
    registry.register(ServiceCollector(server))
    try:
        start_http_server(port, ADDRESS, registry)
    except OSError as error:
        raise ResourceError(f"cannot serve metrics on port {port} ({error.strerror}): choose another") from error
