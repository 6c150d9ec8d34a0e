"""The wire between Segue's plug-in, clients and renderer: messages, seals and connection files, as spec.md says.

Needs msgpack and pydantic only; sockets are the caller's own.
"""

from segue_protocol.codec import Received, pack, parse
from segue_protocol.connection_file import (
    ConnectionFile,
    Owner,
    default_path,
    own_connection_file,
    read_connection_file,
    remove_connection_file,
    write_connection_file,
)
from segue_protocol.errors import REMEDIES, Code, ProtocolError
from segue_protocol.limits import PROTOCOL_VERSION
from segue_protocol.messages import FINAL, MESSAGES, Message, Sender
from segue_protocol.session import ClientSession, Nonces, RendererSession, as_message, spoken
from segue_protocol.streams import Intake, Shape, check_size, spans, stream_digest

__all__ = [
    "FINAL",
    "MESSAGES",
    "PROTOCOL_VERSION",
    "REMEDIES",
    "ClientSession",
    "Code",
    "ConnectionFile",
    "Intake",
    "Message",
    "Nonces",
    "Owner",
    "ProtocolError",
    "Received",
    "RendererSession",
    "Sender",
    "Shape",
    "as_message",
    "check_size",
    "default_path",
    "own_connection_file",
    "pack",
    "parse",
    "read_connection_file",
    "remove_connection_file",
    "spans",
    "spoken",
    "stream_digest",
    "write_connection_file",
]
