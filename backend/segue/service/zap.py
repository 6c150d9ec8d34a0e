"""Who may enter: answers libzmq's questions (ZAP, RFC 27) from the key ring, before any byte of a client is parsed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import zmq

from segue.service.keys import ClientKeys, KeyRing

DOMAIN = b"segue"
_ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"

_FAILURES = {
    int(zmq.Event.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): "PLAIN or no security instead of CURVE",
    int(zmq.Event.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC): "keys of another renderer",
}

_log = logging.getLogger(__name__)


class Throttle:
    """Says the same thing once, then at most once every ``seconds`` with how often it happened meanwhile."""

    def __init__(self, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._said: dict[str, float] = {}
        self._since: dict[str, int] = {}

    def __call__(self, about: str) -> str | None:
        """What to add when saying something about ``about`` now ("" the first time); None: do not say it."""
        now = self._clock()
        if about in self._said and now - self._said[about] < self._seconds:
            self._since[about] = self._since.get(about, 0) + 1
            return None
        more = self._since.pop(about, 0)
        self._said[about] = now
        return f" ({more} more since it was last said)" if more else ""


class Gatekeeper:
    """The ZAP handler of one context, and the ears for handshakes that fail before ZAP is asked.

    Both sockets belong to the loop that calls :meth:`answer` and :meth:`listen`. ``refused`` counts by reason.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], ring: KeyRing) -> None:
        self._ring = ring
        self._throttle = Throttle()
        self.refused: dict[str, int] = {}
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind(_ENDPOINT)

    def answer(self) -> None:
        """Answer the question that waits, if one does."""
        try:
            frames = self.socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
        version, request, domain, address, _, mechanism, *credentials = [*frames, *[b""] * 6]
        client = None
        if version == _VERSION and domain == DOMAIN and mechanism == b"CURVE" and len(credentials[0]) == 32:
            client = self.find(credentials[0])
        if client is None:
            self._refuse("an unknown key", address.decode("ascii", "replace")[:64])
            self.socket.send_multipart([_VERSION, request, b"400", b"unknown key", b"", b""])
        else:
            self.socket.send_multipart([_VERSION, request, b"200", b"OK", client.public.encode(), b""])

    def find(self, public: bytes) -> ClientKeys | None:
        """Who has a key; None where nobody has, or the keys cannot be looked up."""
        try:
            return self._ring.find(public)
        except Exception:  # a defect must neither end the service nor leave libzmq's question unanswered
            _log.exception("a defect while a key was looked up")
            return None

    def failed(self, detail: int) -> None:
        """A handshake failed; ``detail``: the value of the socket's event."""
        self._refuse(_FAILURES.get(detail, "no handshake"), "")

    def _refuse(self, reason: str, address: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
        more = self._throttle(reason)
        if more is not None:
            _log.warning("refused a connection%s: %s%s", f" from {address}" if address else "", reason, more)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()
