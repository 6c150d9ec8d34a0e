"""Serves the page on this machine alone, from a private folder that is gone when it ends."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from segue.errors import InvalidRequest, ResourceError
from segue.studio.security import PARAMETER, Guard, loopback

MAX_UPLOAD = "2gb"
PATIENCE = 10.0  # seconds for renders to stop at the end; a step takes less
_HANDLERS = "AnyIO worker thread"  # in which FastAPI and Gradio run what is not asynchronous


def serve_studio(
    host: str, port: int, bundle: str | None = None, ready: Callable[[str], None] = lambda address: None
) -> None:
    """Serve until Ctrl-C or a TERM signal; ``ready`` is told the address, its token included, once it can be opened.

    Raises:
        InvalidRequest: the host is not this machine's own, or the port is taken.
        ResourceError: Gradio is missing.
    """
    where = loopback(host)
    listening = _listen(where, port)
    with listening, _private_folder() as folder:
        port = int(listening.getsockname()[1])
        token = secrets.token_urlsafe(32)
        name = f"[{where}]" if ":" in where else where
        with _interruptible():
            _run(listening, folder, token, authorities_of(name, port), bundle, ready)


def authorities_of(name: str, port: int) -> frozenset[str]:
    """What browsers write into Host; they leave out the port that is usual."""
    known = {f"{host}:{port}" for host in (name, "localhost")}
    return frozenset(known | {name, "localhost"} if port == 80 else known)


def _run(
    listening: socket.socket,
    folder: Path,
    token: str,
    authorities: frozenset[str],
    bundle: str | None,
    ready: Callable[[str], None],
) -> None:
    os.environ |= {"GRADIO_TEMP_DIR": str(folder), "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    try:
        import gradio  # noqa: PLC0415 (an extra, and it reads the environment)
        import uvicorn  # noqa: PLC0415
        from fastapi import FastAPI  # noqa: PLC0415

        from segue.studio.page import make_page  # noqa: PLC0415
    except ImportError as error:
        raise ResourceError("the studio needs Gradio; install it with: pip install segue[studio]") from error
    from segue.studio.jobs import Desk  # noqa: PLC0415

    desk = Desk()
    page = make_page(folder, desk, bundle)
    app = gradio.mount_gradio_app(
        FastAPI(openapi_url=None),
        page,
        path="/",
        allowed_paths=[str(folder)],
        max_file_size=MAX_UPLOAD,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        theme=gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
    )
    settings = uvicorn.Config(
        Guard(app, token, authorities, int(listening.getsockname()[1])),
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(settings)
    address = next(a for a in sorted(authorities, reverse=True) if not a.startswith("localhost"))
    ready(f"http://{address}/?{PARAMETER}={token}")
    try:
        server.run(sockets=[listening])
    finally:
        for thread in threading.enumerate():  # what a request began would write into the folder after it is gone
            if thread.name.startswith(_HANDLERS):
                thread.join(PATIENCE)
        if not desk.close(PATIENCE):
            print("segue studio: a render did not stop in time and was left behind", file=sys.stderr)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise InvalidRequest(f"expected a port of 0 (any) to 65535, got {port}")
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise InvalidRequest(f"{host}:{port} cannot be listened on ({error.strerror}): give another --port") from error


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder that only this user may enter, removed with all that is in it."""
    folder = Path(tempfile.mkdtemp(prefix="segue-studio-"))
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Also what a request that was under way writes while the folder is being emptied."""
    for _ in range(50):
        with suppress(OSError):
            shutil.rmtree(folder)
            return
        time.sleep(0.1)
    shutil.rmtree(folder)


@contextmanager
def _interruptible() -> Iterator[None]:
    """A TERM signal ends it as Ctrl-C does, the folder's removal included; either is an orderly end."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
