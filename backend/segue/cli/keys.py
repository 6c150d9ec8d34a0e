"""``segue keys``: which clients may connect, and the connection files of those on other machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.options import Json
from segue.cli.output import print_json
from segue.errors import InvalidRequest

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of a client, such as studio-b.", show_default=False)]
Folder = Annotated[Path | None, typer.Option("--keys", metavar="FOLDER", help="Keys.", show_default="the user's own")]

keys = typer.Typer(name="keys", help="Which clients may connect, and connection files for other machines.")


@keys.command("list")
def list_(folder: Folder = None, as_json: Json = False) -> None:
    """Show the clients that may connect."""
    from segue.service.keys import KeyRing

    clients = KeyRing(folder).clients
    if as_json:
        print_json({"clients": [{"name": client.name, "public": client.public} for client in clients]})
        return
    for client in clients:
        print(f"{client.name:24} {client.public}")


@keys.command()
def add(
    name: Name,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The connection file to write.")],
    endpoint: Annotated[
        str | None, typer.Option(metavar="ENDPOINT", help="How the client reaches the renderer, tcp://HOST:PORT.")
    ] = None,
    connection_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Of the running renderer.", show_default="the user's own"),
    ] = None,
    folder: Folder = None,
) -> None:
    """Let a client in, and write the connection file to copy to its machine.

    The renderer must run; it need not be started again. A client that there is already gets its file anew.
    """
    from segue.client.errors import local_error
    from segue.service.keys import KeyRing
    from segue_protocol.connection_file import default_path, read_connection_file, write_connection_file
    from segue_protocol.errors import ProtocolError

    if out.exists():
        raise InvalidRequest(f"{out} exists: remove it, or give another name")
    try:
        content = read_connection_file(connection_file or default_path())
        ring = KeyRing(folder)
        if ring.renderer.public != content.server_public_key:
            raise InvalidRequest(f"the renderer that runs has other keys than {ring.folder}: give its own --keys")
        if endpoint is None and content.endpoint.startswith("ipc://"):
            raise InvalidRequest(
                "the renderer listens on this machine alone: start it with --bind tcp://ADDRESS:PORT, or say with "
                "--endpoint how the client reaches it, for instance through an ssh tunnel"
            )
        client = ring.add(name)
        changed = {
            "client_public_key": client.public,
            "client_secret_key": client.secret,
            "secret": client.session,
            "endpoint": endpoint or content.endpoint,
        }
        write_connection_file(out, type(content).model_validate(content.model_dump() | changed))
    except ProtocolError as error:
        raise local_error(error) from error
    print(f"{name} may connect to {endpoint or content.endpoint}: copy {out} to its machine, as secretly as a password")


@keys.command()
def remove(name: Name, folder: Folder = None) -> None:
    """Lock a client out of new connections."""
    from segue.service.keys import KeyRing

    KeyRing(folder).remove(name)
