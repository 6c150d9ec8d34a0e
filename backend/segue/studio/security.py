"""Who may speak to the studio: this machine alone, with the token; and the page may speak to nobody else."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from segue.errors import InvalidRequest

PARAMETER = "token"
POLICY_VIOLATION = 1008
"""The close code of a websocket that is refused (RFC 6455, 7.4.1)."""

HEADERS = {
    "content-security-policy": (
        "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'none'; form-action 'self'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""On every answer. The first has the browser itself refuse whatever the page would fetch from elsewhere."""


def loopback(host: str) -> str:
    """The address of a host that only this machine can reach.

    Raises:
        InvalidRequest: any other host.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise InvalidRequest(
            f"expected a loopback address such as 127.0.0.1, got {host!r}: the studio is for this machine alone; "
            "from another one, reach it through ssh -L"
        )
    return str(address)


@dataclass(frozen=True)
class Guard:
    """Stands before every route, file, event stream and websocket of ``app``.

    A GET with ``?token=`` gets a cookie and is sent on without the token, which so stays out of links and titles;
    everything else needs the cookie. Requests that name another host (DNS rebinding), or that another page sends, are
    refused. Answers carry :data:`HEADERS`.
    """

    app: ASGIApp
    token: str = field(repr=False)
    authorities: frozenset[str]
    """host:port, as browsers may call the studio."""
    port: int

    @property
    def cookie(self) -> str:
        """Its name: browsers send cookies to all ports of a host, where other studios may be."""
        return f"segue-studio-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI calls it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        asking = HTTPConnection(scope)
        answer = self._answer(asking, scope.get("method", ""))
        if answer is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            await answer(scope, receive, _with_headers(send))

    def _answer(self, asking: HTTPConnection, method: str) -> Response | None:
        """What a request gets instead of the page; None for one that may pass."""
        if asking.headers.get("host", "") not in self.authorities:
            return PlainTextResponse("This is not the studio's address.\n", 403)
        origin = asking.headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self.authorities:
            return PlainTextResponse("Another page may not speak for the studio's.\n", 403)
        given = asking.query_params.get(PARAMETER)
        if given is not None and method == "GET" and self._same(given):
            return self._welcome(asking)
        if self._same(asking.cookies.get(self.cookie, "")):
            return None
        return PlainTextResponse(
            "Segue's studio needs its token: open the address that `segue studio` printed, all of it.\n", 403
        )

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _welcome(self, asking: HTTPConnection) -> Response:
        rest = [(name, value) for name, value in asking.query_params.multi_items() if name != PARAMETER]
        answer = RedirectResponse(asking.url.path + (f"?{urlencode(rest)}" if rest else ""), 303)
        answer.set_cookie(self.cookie, self.token, httponly=True, samesite="lax")
        return answer


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return sending
