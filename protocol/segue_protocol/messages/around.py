"""Around jobs: errors, status, the end."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segue_protocol import limits
from segue_protocol.messages.fields import CodeName, Count, Fraction, JobId, Line, Nonce, Text, Word, several
from segue_protocol.messages.handshake import Bundle
from segue_protocol.messages.message import ClientMessage, Message, Part, RendererMessage, Sender


class Error(RendererMessage):
    """A message was refused; ``job``: the one it named; ``nonce``: that of the HELLO, where one was refused."""

    TYPE = "ERROR"
    code: CodeName
    message: Text
    remedy: Text
    job: JobId | None = None
    nonce: Nonce | None = None


class Ping(ClientMessage):
    """Is the session alive?"""

    TYPE = "PING"
    token: Count


class Pong(RendererMessage):
    """It is."""

    TYPE = "PONG"
    token: Count


class Status(ClientMessage):
    """Asks for STATUS_REPLY."""

    TYPE = "STATUS"


class Device(Part):
    """Where renders run. ``kind``: "cpu", "cuda"; ``state``: "starting", "idle", "busy", "lost"; memory in bytes."""

    name: Line
    kind: Word
    state: Word
    memory_used: Count | None = None
    memory_total: Count | None = None


class JobStatus(Part):
    """A job of any client. ``state``: "receiving", "queued", "running", "sending"."""

    job: JobId
    client: Line
    task: Word
    state: Word
    fraction: Fraction


class StatusReply(RendererMessage):
    """The renderer at this moment. ``uptime``: seconds; ``waiting``: jobs in the queue; ``jobs``: the oldest 128."""

    TYPE = "STATUS_REPLY"
    renderer: Line
    uptime: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    waiting: Count
    max_jobs: Count
    clients: Count
    devices: Annotated[tuple[Device, ...], *several(0, limits.MAX_LISTED)]
    jobs: Annotated[tuple[JobStatus, ...], *several(0, limits.MAX_LISTED)]
    bundles: Annotated[tuple[Bundle, ...], *several(0, limits.MAX_LISTED)]


class Goodbye(Message):
    """The sender leaves; the session's jobs end."""

    TYPE = "GOODBYE"
    SENDER = frozenset(Sender)
    reason: Text = ""
