"""Audio as chunks: what a sender cuts, and what a receiver checks before it keeps anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from segue_protocol import limits
from segue_protocol.codec import Frame, frame_bytes
from segue_protocol.errors import Code, ProtocolError
from segue_protocol.messages import Chunk, Limits, Submit


@runtime_checkable
class Declared(Protocol):
    """A stream as SUBMIT or CANDIDATE declared it."""

    @property
    def channels(self) -> int:
        """Channels."""

    @property
    def samples(self) -> int:
        """Samples per channel."""


@dataclass(frozen=True)
class Shape:
    """Channels and samples of a stream."""

    channels: int
    samples: int


def check_size(submit: Submit, granted: Limits) -> None:
    """Refuse a job that is too large, before any of its audio is sent or room is made for it.

    Raises:
        ProtocolError: RESOURCE.
    """
    seconds = max(stream.samples / stream.rate for stream in submit.streams)
    if submit.bytes > granted.max_job_bytes or seconds > granted.max_seconds:
        raise ProtocolError(
            Code.RESOURCE,
            f"expected at most {granted.max_job_bytes} bytes and {granted.max_seconds:g} s of audio a stream, "
            f"got {submit.bytes} bytes and {seconds:.1f} s",
            "give a shorter clip, or fewer songs",
            job=submit.job,
        )


def stream_digest(rate: int, shape: Declared, samples: Frame) -> str:
    """A stream's digest in SUBMIT; ``samples``: all of them as one payload, channel after channel."""
    hashed = hashlib.sha256(f"{rate} ({shape.channels}, {shape.samples}) <f4".encode())
    hashed.update(samples)
    return hashed.hexdigest()


def chunk_samples(channels: int, max_chunk_bytes: int = limits.MAX_PAYLOAD_BYTES) -> int:
    """Samples of a full chunk."""
    return max_chunk_bytes // (channels * limits.SAMPLE_BYTES)


def spans(shape: Declared, max_chunk_bytes: int = limits.MAX_PAYLOAD_BYTES) -> Iterator[tuple[int, int]]:
    """(offset, samples) of the chunks of a stream, in the order in which they are sent."""
    size = chunk_samples(shape.channels, max_chunk_bytes)
    for offset in range(0, shape.samples, size):
        yield offset, min(size, shape.samples - offset)


@dataclass
class Intake:
    """Checks the chunks of one job as they come: each stream in order and to its end, none beyond the credit.

    ``streams`` by number; ``credits``: chunks allowed so far, for :meth:`grant` to add to.
    """

    streams: dict[int, Declared]
    credits: int
    _received: dict[int, int] = field(default_factory=dict)

    def declare(self, streams: Mapping[int, Declared]) -> None:
        """Further streams, as a CANDIDATE brings them.

        Raises:
            ProtocolError: MALFORMED, a number is in use.
        """
        if taken := set(streams) & set(self.streams):
            raise ProtocolError(Code.MALFORMED, f"expected new stream numbers, got {sorted(taken)} again")
        self.streams.update(streams)

    def grant(self, chunks: int) -> None:
        """Count the credit given with CREDIT."""
        self.credits += chunks

    def take(self, chunk: Chunk, payload: Frame) -> None:
        """Check a chunk; where this returns, its payload belongs at ``chunk.offset`` of its stream.

        Raises:
            ProtocolError: MALFORMED: no such stream, other channels, out of order, past the end, beyond the credit,
            or a payload of another size.
        """
        stream = self.streams.get(chunk.stream)
        if stream is None:
            raise self._refused(chunk, f"expected one of the streams {sorted(self.streams)}, got {chunk.stream}")
        if chunk.channels != stream.channels:
            raise self._refused(chunk, f"expected {stream.channels} channels, got {chunk.channels}")
        received = self._received.get(chunk.stream, 0)
        if chunk.offset != received or chunk.offset + chunk.samples > stream.samples:
            raise self._refused(
                chunk,
                f"expected samples {received} onwards, to {stream.samples} at most, "
                f"got {chunk.offset} to {chunk.offset + chunk.samples}",
            )
        if frame_bytes(payload) != chunk.bytes:
            raise self._refused(chunk, f"expected {chunk.bytes} bytes, got {frame_bytes(payload)}")
        if self.credits < 1:
            raise self._refused(chunk, "expected no chunk before the next CREDIT, got one")
        self.credits -= 1
        self._received[chunk.stream] = received + chunk.samples

    @property
    def complete(self) -> bool:
        """Whether all declared streams came to their ends."""
        return all(self._received.get(number, 0) == stream.samples for number, stream in self.streams.items())

    @staticmethod
    def _refused(chunk: Chunk, message: str) -> ProtocolError:
        return ProtocolError(Code.MALFORMED, f"CHUNK of stream {chunk.stream}: {message}", job=chunk.job)
