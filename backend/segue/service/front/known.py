"""Audio that clients need not send again, by digest; each client has its own: none can pass off audio to another."""

from __future__ import annotations

from collections import OrderedDict

from segue.service.wire import Audio
from segue_protocol.messages import Stream


class KnownAudio:
    """At most ``limit`` bytes; what was not used longest is forgotten first."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0
        self._kept: OrderedDict[tuple[str, str], tuple[int, Audio]] = OrderedDict()

    def find(self, client: str, stream: Stream) -> Audio | None:
        """The audio of a stream, where this client has sent it before."""
        if stream.digest is None or (client, stream.digest) not in self._kept:
            return None
        rate, audio = self._kept[client, stream.digest]
        if rate != stream.rate or audio.shape != (stream.channels, stream.samples):
            return None
        self._kept.move_to_end((client, stream.digest))
        return audio

    def keep(self, client: str, stream: Stream, audio: Audio) -> None:
        """Keep audio whose digest was compared."""
        if stream.digest is None or (client, stream.digest) in self._kept or audio.nbytes > self._limit:
            return
        self._kept[client, stream.digest] = (stream.rate, audio)
        self._held += audio.nbytes
        while self._held > self._limit:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._held -= dropped.nbytes
