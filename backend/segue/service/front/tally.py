"""What the front counts, for metrics and for reconciling; every accepted job is in exactly one of ``ended``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Since the start. ``ended`` by final message (LOST: the client was gone first), ``dropped`` by code: messages that
    changed nothing; ``errors`` by code: messages answered by ERROR. Bytes of payloads."""

    sessions: int = 0
    accepted: int = 0
    busy: int = 0
    evicted: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
