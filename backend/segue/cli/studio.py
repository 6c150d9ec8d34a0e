"""``segue studio``: a page on this machine to load, mark, render and compare."""

from __future__ import annotations

from typing import Annotated

import typer


def studio(
    host: Annotated[str, typer.Option(help="A loopback address; no other is taken.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where to listen.", show_default="any that is free")] = 0,
    bundle: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="The model bundle.", show_default="the embedded one")
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address, open no browser.")] = False,
) -> None:
    """Open a page in the browser: see and mark the gap, render, compare takes, download.

    Only this machine can reach it, and only with the token in the address that is printed. Ctrl-C ends it, and all
    that was uploaded or rendered and not downloaded is removed.
    """
    import webbrowser

    from segue.prior.folders import find_bundle
    from segue.studio.server import serve_studio

    if bundle is not None:
        find_bundle(bundle)  # a wrong name is said now, not by the first render

    def ready(address: str) -> None:
        print(f"segue studio: ready on {address}", flush=True)
        if not no_open:
            webbrowser.open(address)

    serve_studio(host, port, bundle, ready)
