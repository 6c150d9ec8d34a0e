"""What all messages have in common."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from segue_protocol.messages.fields import Count, JobId


class Sender(Enum):
    """Who may send a message; the value is the byte that the MAC covers."""

    CLIENT = b"C"
    RENDERER = b"R"


class Payload(Enum):
    """What follows the header: nothing, samples of a declared shape, or a text of a declared length."""

    NONE = "none"
    AUDIO = "audio"
    TEXT = "text"


class Part(BaseModel):
    """A map inside a header. Fields a newer minor version adds are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Message(Part):
    """A header. ``TYPE`` is its name on the wire, ``SENDER`` who may send it, ``PAYLOAD`` what follows it."""

    TYPE: ClassVar[str]
    SENDER: ClassVar[frozenset[Sender]]
    PAYLOAD: ClassVar[Payload] = Payload.NONE


class ClientMessage(Message):
    """Sent by a client."""

    SENDER = frozenset({Sender.CLIENT})


class RendererMessage(Message):
    """Sent by a renderer."""

    SENDER = frozenset({Sender.RENDERER})


class JobMessage(Message):
    """About one job of the session: its id and generation, as the client chose them in SUBMIT."""

    job: JobId
    generation: Count
