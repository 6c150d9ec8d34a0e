"""The loop: one ROUTER, one thread, nothing in it waits for a client, a worker or a disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import zmq
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

from segue.service import wire
from segue.service.catalog import Catalog
from segue.service.events import Event
from segue.service.front import sockets
from segue.service.front.dispatch import Dispatch, version
from segue.service.front.jobs import FrontJob
from segue.service.front.peers import Peer
from segue.service.front.settings import FrontSettings
from segue.service.front.wake import Wake
from segue.service.keys import LOCAL, KeyRing
from segue.service.pool import Pool, Status
from segue.service.settings import Limits
from segue.service.zap import Gatekeeper, Throttle
from segue_protocol.connection_file import (
    ConnectionFile,
    own_connection_file,
    remove_connection_file,
    write_connection_file,
)
from segue_protocol.errors import Code, ProtocolError
from segue_protocol.messages import Goodbye, Message
from segue_protocol.session import Nonces, as_message

_TICK = 0.5  # seconds between looks for what stalls
_RETRY = 0.005  # seconds until a client whose pipe was full is tried again
_TURN = 32  # messages handled, or sent to one client, before the others have their turn
_LAST_WORDS = 2.0  # seconds to send final messages at the end

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a front lives: its keys and its connection file."""

    ring: KeyRing
    connection_file: Path


class Server:
    """The front of a pool, which it closes at its end. :meth:`open`, then :meth:`run` until :meth:`stop`."""

    def __init__(self, pool: Pool, place: Place, settings: FrontSettings, catalog: Catalog, queue: Limits) -> None:
        """``queue``: the pool's limits, which the front applies to jobs whose audio is still on its way."""
        self._pool, self._place, self._settings = pool, place, settings
        self._wake, self._nonces, self._throttle = Wake(), Nonces(), Throttle()
        self.dispatch = Dispatch(pool, catalog, settings, queue, len(pool.status().devices), self._on_event)
        self._context: sockets.Context = zmq.Context()
        self.gate = Gatekeeper(self._context, place.ring)
        self._router = sockets.router(self._context, place.ring.renderer)
        self._monitor = self._router.get_monitor_socket(sockets.EVENTS)
        self._content: ConnectionFile | None = None
        self._fds: dict[int, bytes] = {}
        self._closer: threading.Thread | None = None
        self._drain_until = self._end_at = float("inf")
        self._ticked = time.monotonic()

    @property
    def wakeup_fd(self) -> int:
        """For :func:`signal.set_wakeup_fd`, so that a signal is seen at once."""
        return self._wake.signal_fd

    def pool_status(self) -> Status:
        """The pool's; from any thread."""
        return self._pool.status()

    def open(self) -> ConnectionFile:
        """Bind, and write the connection file; clients can connect from here on.

        Raises:
            ResourceError, InvalidRequest, ProtocolError: an address cannot be bound, the file not be written.
        """
        endpoint = sockets.bind(self._router, self._settings)
        keys = self._place.ring.client(LOCAL)
        content = own_connection_file(
            renderer=version(),
            endpoint=endpoint,
            server_public_key=self._place.ring.renderer.public,
            client_public_key=keys.public,
            client_secret_key=keys.secret,
        ).model_copy(update={"secret": keys.session})
        write_connection_file(self._place.connection_file, content)
        self._content = content
        return content

    def stop(self, reason: str = "the service was shut down", *, at_once: bool = False) -> None:
        """End: accepted jobs are given their time, then fail; ``at_once``: no time. From any thread or a signal."""
        self._wake.call(lambda: self._begin_end(reason, at_once))

    def run(self) -> None:
        """The loop, until :meth:`stop` has been done."""
        poller = zmq.Poller()
        for socket in (self._router, self.gate.socket, self._monitor, self._wake.socket):
            poller.register(socket, zmq.POLLIN)
        try:
            while not self._ended():
                ready = dict(poller.poll(self._patience()))
                if self.gate.socket in ready:
                    self.gate.answer()
                if self._monitor in ready:
                    self._listen()
                if self._wake.socket.fileno() in ready or self._wake.waits:
                    self._wake.run()
                if self._router in ready:
                    self._receive()
                self._tick()
                self._send()
        finally:
            self._close()

    # ---- in -----------------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        for _ in range(_TURN):
            try:
                route, *frames = self._router.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            peer = self.dispatch.peers.get(route.bytes)
            if peer is not None:
                self._hear(peer, [frame.buffer for frame in frames])
            else:
                self._meet(route.bytes, frames)

    def _meet(self, route: bytes, frames: Sequence[zmq.Frame]) -> None:
        """The first message of a connection, or the last one of a client that has left: it is kept if it says HELLO.

        Who it is, CURVE has made sure of.
        """
        self._listen()  # first what is known of its descriptor's last owner
        keys = self.gate.find(z85.decode(str(frames[0].get("User-Id")))) if frames else None
        if keys is None:  # without any frame, or locked out since it connected
            self.dispatch.tally.dropped[Code.MALFORMED if not frames else Code.UNVERIFIED] += 1
            return
        peer = Peer(route, int(frames[0].get(zmq.SRCFD)), keys, self._nonces)
        self._hear(peer, [frame.buffer for frame in frames])
        if peer.outbox.waits:  # WELCOME, or why not
            self.dispatch.peers[route] = peer
            self._fds[peer.fd] = route

    def _hear(self, peer: Peer, frames: list[memoryview]) -> None:
        try:
            self.dispatch.handle(peer, peer.open(frames))
        except ProtocolError as error:
            self.dispatch.refuse(peer, error)
            more = self._throttle(f"{peer.name}: {error.code}")
            if more is not None:
                _log.warning("%s%s", error, more, extra={"client": peer.name, "code": error.code})
        except Exception:  # a defect must not end the service
            _log.exception("a defect while a message was handled", extra={"client": peer.name})

    def _listen(self) -> None:
        """Connections that ended or never began."""
        while self._monitor.poll(0):
            try:
                event = recv_monitor_message(self._monitor, zmq.NOBLOCK)
            except (zmq.Again, OSError):  # pyzmq calls an empty endpoint a broken pipe
                continue
            if event["event"] != zmq.EVENT_DISCONNECTED:
                self.gate.failed(int(event["value"]))
                continue
            peer = self.dispatch.peers.get(self._fds.pop(int(event["value"]), b""))
            if peer is not None:
                self.dispatch.forget(peer)

    # ---- out ----------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        for peer in list(self.dispatch.peers.values()):
            peer.blocked = False
            for _ in range(_TURN):
                if not self._send_one(peer):
                    break
            self.dispatch.reap(peer)

    def _send_one(self, peer: Peer) -> bool:
        try:
            frames = peer.outbox.next()
            if frames is None:
                return False
            self._router.send_multipart([peer.route, *frames], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            peer.blocked = True
            return False
        except zmq.ZMQError:  # EHOSTUNREACH: its connection is gone
            self.dispatch.forget(peer)
            return False
        except ProtocolError as error:  # what cannot be sealed: a reply to a client without a session
            _log.warning("dropped a reply: %s", error, extra={"client": peer.name, "code": error.code})
            return True
        except Exception as error:  # a reply that is made when it is sent
            _log.exception("a defect while a reply was made", extra={"client": peer.name})
            peer.outbox.say(as_message(ProtocolError(Code.INTERNAL, f"{type(error).__name__}: {error}")))
            return True
        peer.outbox.sent()
        self.dispatch.tally.bytes_out += sum(len(frame) for frame in frames[2:])
        return True

    def _patience(self) -> int:
        """Milliseconds the loop may sleep."""
        if self._wake.waits:
            return 0
        peers = self.dispatch.peers.values()
        if any(peer.outbox.ready for peer in peers if not peer.blocked):
            return 0
        return int(1000 * (_RETRY if any(peer.blocked for peer in peers) else _TICK))

    # ---- the pool -----------------------------------------------------------------------------------------------

    def _on_event(self, job: FrontJob, event: Event) -> None:
        """On a thread of the pool."""
        self._wake.call(lambda: self._tell(job, event))

    def _tell(self, job: FrontJob, event: Event) -> None:
        peer = next((p for p in self.dispatch.peers.values() if p.jobs.get(job.id) is job), None)
        if peer is None:
            return
        try:
            self.dispatch.tell(peer, job, event)
        except Exception as error:
            _log.exception("a defect while an event was put into words", extra={"job": job.id})
            job.fail(Code.INTERNAL, f"{type(error).__name__}: {error}")

    # ---- time ---------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked < _TICK:
            return
        self._ticked = now
        for peer in list(self.dispatch.peers.values()):
            for job in peer.jobs.values():
                job.check(self._settings.stall)
            self._evict_if_stuck(peer)
        if self.dispatch.closing and (now >= self._drain_until or not any(True for _ in self.dispatch.jobs)):
            self._close_pool()

    def _evict_if_stuck(self, peer: Peer) -> None:
        if peer.outbox.stuck(self._settings.outbox_mb << 20, self._settings.stall):
            self.dispatch.tally.evicted += 1
            _log.warning(
                "gave up a client that does not read: %d bytes waited for it",
                peer.outbox.nbytes,
                extra={"client": peer.name},
            )
            self.dispatch.forget(peer)

    # ---- the end ------------------------------------------------------------------------------------------------

    def _begin_end(self, reason: str, at_once: bool) -> None:
        self.dispatch.closing = wire.fit(f"expected a renderer that takes jobs, {reason}")
        self._drain_until = min(self._drain_until, time.monotonic() + (0.0 if at_once else self._settings.drain))
        self._ticked = 0.0

    def _close_pool(self) -> None:
        if self._closer is not None:
            return
        for job in self.dispatch.jobs:
            if job.state == "receiving":
                job.fail(Code.LOST, self.dispatch.closing)
        self._closer = threading.Thread(target=self._pool.close, name="segue-closer")
        self._closer.start()

    def _ended(self) -> bool:
        """Whether the pool is closed and all final messages are out, or were given their time."""
        if self._closer is None or self._closer.is_alive() or self._wake.waits:
            return False
        now = time.monotonic()
        self._end_at = min(self._end_at, now + _LAST_WORDS)
        return now >= self._end_at or not any(peer.outbox.waits for peer in self.dispatch.peers.values())

    def _close(self) -> None:
        if self._content is not None:
            remove_connection_file(self._place.connection_file, self._content)
        goodbye: Message = Goodbye(reason=self.dispatch.closing)
        for peer in list(self.dispatch.peers.values()):
            if peer.session.established:
                peer.outbox.say(goodbye)
                self._send_one(peer)
        self._router.linger = 500
        self._router.disable_monitor()
        self._monitor.close(0)
        self._router.close()
        self.gate.close()
        self._pool.close()
        self._context.term()
        sockets.clean_up(self._settings)
        self._wake.close()
