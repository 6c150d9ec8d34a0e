"""How the front listens, and what it grants its clients."""

from __future__ import annotations

import math
from dataclasses import dataclass

from segue.errors import InvalidRequest
from segue_protocol import limits
from segue_protocol.messages import Limits as Granted


@dataclass(frozen=True)
class FrontSettings:
    """``bind``: endpoints, the first of which goes into the connection file, or ``advertise`` in its place.

    ``max_job_mb`` of audio and ``max_seconds`` of a stream are taken; ``credits``: chunks of 1 MiB a client may send
    ahead; ``clients``: sessions at once; ``known_mb`` of audio is kept so that it need not be sent again.
    ``outbox_mb``: results that may wait for a client beside those of one job: above, no more jobs of its are taken, and
    it is given up unless it takes audio or gives credit; ``stall``: seconds after which a client that takes nothing of
    what waits for it, or sends nothing of what it announced, is given up. ``drain``: seconds that accepted jobs are
    given to finish at shutdown.
    """

    bind: tuple[str, ...]
    advertise: str | None = None
    max_job_mb: int = 2048
    max_seconds: float = 7200.0
    credits: int = 8
    clients: int = 1024
    known_mb: int = 256
    outbox_mb: int = 64
    stall: float = 30.0
    drain: float = 10.0

    def __post_init__(self) -> None:
        if not self.bind:
            raise InvalidRequest("expected an endpoint to bind, such as tcp://127.0.0.1:5757, got none")
        for endpoint in (*self.bind, *([self.advertise] if self.advertise else [])):
            if not endpoint.startswith(("tcp://", "ipc://")):
                raise InvalidRequest(f"expected an endpoint as ipc://PATH or tcp://HOST:PORT, got {endpoint!r}")
            port = endpoint.rpartition(":")[2]
            if endpoint.startswith("tcp://") and port.isdecimal() and int(port) > 65535:  # ZeroMQ takes it modulo 65536
                raise InvalidRequest(f"expected a port of at most 65535, got {endpoint!r}")
        for name in ("max_job_mb", "max_seconds", "credits", "clients", "known_mb", "outbox_mb", "stall"):
            if not getattr(self, name) > 0:
                raise InvalidRequest(f"{name} must be more than 0, got {getattr(self, name)}")
        if not (self.drain >= 0 and math.isfinite(self.drain)):
            raise InvalidRequest(f"drain must be 0 s or more, and end some time, got {self.drain}")
        if self.credits > limits.MAX_CREDITS or self.max_seconds > limits.MAX_SECONDS:
            raise InvalidRequest(
                f"expected at most {limits.MAX_CREDITS} credits and {limits.MAX_SECONDS:.0f} s, "
                f"got {self.credits} and {self.max_seconds:g}"
            )

    def granted(self, waiting: int) -> Granted:
        """As WELCOME tells it; ``waiting``: places in the queue."""
        return Granted(
            max_job_bytes=self.max_job_mb << 20,
            max_seconds=self.max_seconds,
            max_jobs=waiting,
            max_chunk_bytes=limits.MAX_PAYLOAD_BYTES,
            max_steps=limits.MAX_STEPS,
            max_candidates=limits.MAX_CANDIDATES,
            credits=self.credits,
        )
