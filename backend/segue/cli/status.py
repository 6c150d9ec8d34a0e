"""``segue status``: what a renderer does at this moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.options import Json
from segue.cli.output import print_json

if TYPE_CHECKING:
    from segue_protocol.messages import StatusReply

Connection = Annotated[
    Path | None,
    typer.Option("--connection-file", metavar="FILE", help="Of the renderer.", show_default="the user's own"),
]


def status(connection_file: Connection = None, as_json: Json = False) -> None:
    """Show the devices, queue, jobs and bundles of a running renderer."""
    from segue.client import Client

    with Client(connection_file, name="segue status") as client:
        reply = client.status()
    if as_json:
        print_json(reply.model_dump(mode="json"))
    else:
        print("\n".join(lines_of(reply)))


def lines_of(reply: StatusReply) -> list[str]:
    """The reply for people."""
    hours, seconds = divmod(int(reply.uptime), 3600)
    lines = [
        f"renderer   {reply.renderer}, up {hours}:{seconds // 60:02d}:{seconds % 60:02d}, {reply.clients} clients",
        f"queue      {reply.waiting} of {reply.max_jobs}",
    ]
    lines += [f"device     {device.name:10} {device.state}" for device in reply.devices]
    lines += [
        f"job        {job.job[:16]:16} {job.task:12} {job.state:9} {100 * job.fraction:3.0f} %  {job.client}"
        for job in reply.jobs
    ]
    for bundle in reply.bundles:
        use = "commercial use" if bundle.commercial else "no commercial use"
        lines.append(f"bundle     {bundle.name} {bundle.version}, {bundle.kind}, {use}")
    return lines
