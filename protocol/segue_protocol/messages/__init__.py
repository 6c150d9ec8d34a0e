"""The messages, one class each, as spec.md lists them.

Lengths of audio in samples, times in seconds, rates in hertz, texts in bytes of UTF-8. None stands for a field that is
left out. A wrong type or a missing field is MALFORMED, a value out of its range INVALID: :mod:`segue_protocol.codec`
tells them apart.
"""

from __future__ import annotations

from segue_protocol.messages.around import Device, Error, Goodbye, JobStatus, Ping, Pong, Status, StatusReply
from segue_protocol.messages.final import Cancelled, Failed, Result, Timeout
from segue_protocol.messages.handshake import Bundle, Hello, Limits, Welcome
from segue_protocol.messages.job import (
    Accepted,
    Busy,
    Cancel,
    Candidate,
    CandidateRecipe,
    Chunk,
    Credit,
    Patch,
    Progress,
)
from segue_protocol.messages.message import ClientMessage, JobMessage, Message, Part, Payload, RendererMessage, Sender
from segue_protocol.messages.submit import Curve, Mark, Settings, Stream, Submit

__all__ = [
    "FINAL",
    "MESSAGES",
    "Accepted",
    "Bundle",
    "Busy",
    "Cancel",
    "Cancelled",
    "Candidate",
    "CandidateRecipe",
    "Chunk",
    "ClientMessage",
    "Credit",
    "Curve",
    "Device",
    "Error",
    "Failed",
    "Goodbye",
    "Hello",
    "JobMessage",
    "JobStatus",
    "Limits",
    "Mark",
    "Message",
    "Part",
    "Patch",
    "Payload",
    "Ping",
    "Pong",
    "Progress",
    "RendererMessage",
    "Result",
    "Sender",
    "Settings",
    "Status",
    "StatusReply",
    "Stream",
    "Submit",
    "Timeout",
    "Welcome",
]

MESSAGES: dict[str, type[Message]] = {
    kind.TYPE: kind
    for kind in (
        *(Hello, Welcome, Submit, Accepted, Busy, Chunk, Credit, Cancel, Progress, Candidate, CandidateRecipe),
        *(Result, Failed, Cancelled, Timeout, Error, Ping, Pong, Status, StatusReply, Goodbye),
    )
}
"""By their names on the wire."""

FINAL: tuple[type[JobMessage], ...] = (Result, Failed, Cancelled, Timeout)
"""Of which an accepted job has exactly one."""
