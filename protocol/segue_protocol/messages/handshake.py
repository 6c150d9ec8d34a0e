"""The handshake: HELLO and WELCOME."""

from __future__ import annotations

from typing import Annotated

from segue_protocol import limits
from segue_protocol.limits import PROTOCOL_VERSION
from segue_protocol.messages.fields import Line, Nonce, Seconds, Version, Word, between, several
from segue_protocol.messages.message import ClientMessage, Part, RendererMessage


class Hello(ClientMessage):
    """Opens a session. ``client``: name and version for logs."""

    TYPE = "HELLO"
    protocol: Version = PROTOCOL_VERSION
    nonce: Nonce
    client: Line


class Bundle(Part):
    """A bundle the renderer can use; the first one listed is its default."""

    name: Word
    version: Line
    kind: Word
    commercial: bool


class Limits(Part):
    """What this renderer takes. ``credits``: chunks a job may send before the first CREDIT."""

    max_job_bytes: Annotated[int, between(1, limits.MAX_COUNT)]
    max_seconds: Seconds
    max_jobs: Annotated[int, between(1, limits.MAX_COUNT)]
    max_chunk_bytes: Annotated[int, between(8, limits.MAX_PAYLOAD_BYTES)]
    max_steps: Annotated[int, between(1, limits.MAX_STEPS)]
    max_candidates: Annotated[int, between(1, limits.MAX_CANDIDATES)]
    credits: Annotated[int, between(1, limits.MAX_CREDITS)]


class Welcome(RendererMessage):
    """Answers HELLO, whose nonce it repeats; ``protocol``: the version spoken from here on."""

    TYPE = "WELCOME"
    protocol: Version = PROTOCOL_VERSION
    nonce: Nonce
    client_nonce: Nonce
    renderer: Line
    tasks: Annotated[tuple[Word, ...], *several(0, limits.MAX_LISTED)]
    samplers: Annotated[tuple[Word, ...], *several(0, limits.MAX_LISTED)]
    bundles: Annotated[tuple[Bundle, ...], *several(0, limits.MAX_LISTED)]
    presets: Annotated[tuple[Word, ...], *several(0, limits.MAX_PRESETS)]
    limits: Limits
