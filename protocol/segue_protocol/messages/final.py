"""Final messages: an accepted job has exactly one of them."""

from __future__ import annotations

from typing import Annotated

from segue_protocol import limits
from segue_protocol.messages.fields import CodeName, Count, Text, between, several
from segue_protocol.messages.message import JobMessage, Payload, RendererMessage


class Result(RendererMessage, JobMessage):
    """Done. ``ranking``: candidates that fill every gap, best first; the payload is the report, JSON."""

    TYPE = "RESULT"
    PAYLOAD = Payload.TEXT
    ranking: Annotated[tuple[Count, ...], *several(1, limits.MAX_CANDIDATES)]
    stored: bool
    bytes: Annotated[int, between(1, limits.MAX_PAYLOAD_BYTES)]


class Failed(RendererMessage, JobMessage):
    """No result: ``code`` for programs, ``message`` and ``remedy`` for people."""

    TYPE = "FAILED"
    code: CodeName
    message: Text
    remedy: Text


class Cancelled(RendererMessage, JobMessage):
    """Stopped as asked."""

    TYPE = "CANCELLED"
    message: Text


class Timeout(RendererMessage, JobMessage):
    """The deadline passed."""

    TYPE = "TIMEOUT"
    message: Text
    remedy: Text
