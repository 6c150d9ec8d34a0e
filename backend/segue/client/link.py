"""One connection to a renderer: its socket, its session, and how soon it is known that either is gone."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import zmq
from zmq.utils.monitor import recv_monitor_message

from segue.client.errors import error_of, local_error
from segue.errors import SegueError, ServiceError
from segue.service.front.wake import Wake
from segue_protocol import limits
from segue_protocol.codec import Frame
from segue_protocol.connection_file import ConnectionFile, default_path, read_connection_file
from segue_protocol.errors import REMEDIES, Code, ProtocolError
from segue_protocol.messages import Error, Goodbye, Message, Ping, Pong, Welcome
from segue_protocol.session import ClientSession

PING_SECONDS, LOST_SECONDS = 0.5, 3.0
"""From protocol/spec.md, section 5: how often to ask while waiting, and after how long a silent renderer is lost.

ZeroMQ's heartbeats are quicker on an idle connection, but do not come through one that is full.
"""
CREDITS = 8
"""Chunks of 1 MiB the renderer may send ahead."""

_LOOK = 0.1  # seconds between looks at the clock
_UNANSWERED = LOST_SECONDS - PING_SECONDS - 2 * _LOOK  # so that it is known in time, asked for or not
_MESSAGES = 16  # high-water mark, both ways
_EVENTS = zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL

Socket: TypeAlias = "zmq.Socket[bytes]"
Connection = str | Path | ConnectionFile


class Link:
    """Connected once made, until :meth:`close`. Not for several threads at once, but for :attr:`wake`."""

    def __init__(self, connection: Connection | None, client: str, timeout: float = LOST_SECONDS) -> None:
        """Connect and shake hands. ``connection``: a connection file, by default where the renderer writes it.

        Raises:
            ServiceError: CONNECTION: no file, an unsafe or a stale one, or nobody answers; VERSION.
        """
        try:
            content = _content(connection)
        except ProtocolError as error:
            raise local_error(error) from error
        self.wake = Wake()
        self._context: zmq.Context[Socket] = zmq.Context()  # of its own: a fork, or another link, never meets it
        self._socket = self._context.socket(zmq.DEALER)
        self._set_up(content)
        self._monitor = self._socket.get_monitor_socket(_EVENTS)
        self._session = ClientSession(content.secret_bytes, client)
        self._unsent: deque[list[Frame]] = deque()
        self._pinged = self._heard = time.monotonic()
        self._tokens = 0
        self._awaited: float | None = None  # since when a PONG is awaited
        try:
            self._socket.connect(content.endpoint)
            self.welcome = self._shake_hands(content, timeout)
        except zmq.ZMQError as error:
            self.close()
            raise ServiceError(Code.CONNECTION, f"cannot connect to {content.endpoint} ({error.strerror})") from error
        except BaseException:
            self.close()
            raise

    def _set_up(self, content: ConnectionFile) -> None:
        socket = self._socket
        socket.linger = 0
        socket.immediate = True
        socket.ipv6 = True
        socket.maxmsgsize = limits.SOCKET_MAX_FRAME_BYTES
        socket.sndhwm = socket.rcvhwm = _MESSAGES
        socket.heartbeat_ivl = limits.HEARTBEAT_INTERVAL_MS
        socket.heartbeat_timeout = limits.HEARTBEAT_TIMEOUT_MS
        socket.curve_serverkey = content.server_public_key.encode()
        socket.curve_publickey = content.client_public_key.encode()
        socket.curve_secretkey = content.client_secret_key.encode()

    def _shake_hands(self, content: ConnectionFile, timeout: float) -> Welcome:
        self._unsent.append(self._session.hello())
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0.0:
            message = self._poll(left)
            if message is None:
                continue
            if isinstance(message[0], Error):
                raise error_of(message[0].code, message[0].message, message[0].remedy)
            if isinstance(message[0], Welcome):
                return message[0]
        raise ServiceError(
            Code.CONNECTION,
            f"expected an answer from {content.endpoint} within {timeout:g} s, got none",
            "see that the renderer runs (segue status on its machine), that its port can be reached from here, and "
            "that this connection file is its present one",
        )

    # ---- messages -----------------------------------------------------------------------------------------------

    @property
    def clear(self) -> bool:
        """Whether all that was given to :meth:`send` is on its way."""
        return not self._unsent

    def send(self, message: Message, payload: Frame = b"") -> None:
        """Send, or keep it until the socket takes it; never waits."""
        self._unsent.append(self._session.seal(message, payload))
        self._flush()

    def receive(self, timeout: float) -> tuple[Message, Frame] | None:
        """The next message with its payload; None where none came in time, or :attr:`wake` has done something.

        Keeps the session alive while it waits.

        Raises:
            ServiceError: LOST: the renderer is gone, silent for 3 s, or says goodbye.
        """
        self._keep_alive()
        received = self._poll(min(timeout, _LOOK))
        if received is None:
            now = time.monotonic()
            if self._awaited is not None and now - self._awaited > _UNANSWERED:
                raise _lost(f"expected an answer within {LOST_SECONDS:g} s, the renderer is silent")
            return None
        message = received[0]
        if isinstance(message, Goodbye):
            raise _lost(f"the renderer said goodbye: {message.reason}")
        return None if isinstance(message, Pong) else received

    def check(self) -> None:
        """See that the other side still answers.

        Raises:
            ServiceError: LOST.
        """
        self._ping()
        while self._awaited is not None:
            self.receive(PING_SECONDS)

    def close(self, *, goodbye: bool = True) -> None:
        """Say goodbye, where somebody may hear it, and close; a second call does nothing."""
        if self._socket.closed:
            return
        if goodbye and self._session.established:
            try:
                self._unsent.append(self._session.seal(Goodbye()))
                self._flush()
                self._socket.linger = 200
            except (zmq.ZMQError, ProtocolError):
                self._socket.linger = 0
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close()
        self._context.term()
        self.wake.close()

    def __enter__(self) -> Link:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.close()

    # ---- within -------------------------------------------------------------------------------------------------

    def _keep_alive(self) -> None:
        now = time.monotonic()
        if self._awaited is None and now - self._pinged >= PING_SECONDS:
            self._ping()

    def _ping(self) -> None:
        self._pinged = time.monotonic()
        self._awaited = self._pinged if self._awaited is None else self._awaited
        self._tokens += 1
        self.send(Ping(token=self._tokens))

    def _flush(self) -> None:
        while self._unsent:
            try:
                self._socket.send_multipart(self._unsent[0], zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            self._unsent.popleft()

    def _poll(self, timeout: float) -> tuple[Message, Frame] | None:
        """One message, after at most ``timeout`` seconds; sends what waits."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN | (zmq.POLLOUT if self._unsent else 0))
        poller.register(self._monitor, zmq.POLLIN)
        poller.register(self.wake.socket, zmq.POLLIN)
        ready = dict(poller.poll(max(0, int(1000 * timeout))))
        if self.wake.socket.fileno() in ready:
            self.wake.run()
        if ready.get(self._socket, 0) & zmq.POLLOUT:
            self._flush()
        if ready.get(self._socket, 0) & zmq.POLLIN:
            return self._open(self._socket.recv_multipart(copy=False))
        if self._monitor in ready:
            self._fall(recv_monitor_message(self._monitor)["event"])
        return None

    def _open(self, frames: list[zmq.Frame]) -> tuple[Message, Frame] | None:
        try:
            received = self._session.open([frame.buffer for frame in frames])
        except ProtocolError as error:
            if error.code is Code.OUT_OF_ORDER:
                raise _lost(str(error)) from error
            if error.code is Code.VERSION:
                raise local_error(error) from error
            return None  # not sealed for this session, or a message this version does not know
        self._heard, self._awaited = time.monotonic(), None
        return received.message, received.payload

    def _fall(self, event: int) -> None:
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            raise ServiceError(
                Code.CONNECTION,
                "expected a key the renderer knows, this connection file's was refused",
                "have a new one made: segue keys add NAME, on the renderer's machine",
            )
        if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
            raise ServiceError(
                Code.CONNECTION,
                "expected the renderer this connection file was made by, another one answers",
                REMEDIES[Code.CONNECTION],
            )
        if self._session.established:
            raise _lost("the connection to the renderer was lost")


def _lost(message: str) -> SegueError:
    return ServiceError(Code.LOST, message, REMEDIES[Code.LOST])


def _content(connection: Connection | None) -> ConnectionFile:
    if isinstance(connection, ConnectionFile):
        return connection
    return read_connection_file(default_path() if connection is None else Path(connection))
