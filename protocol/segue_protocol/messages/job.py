"""What passes while a job lasts: answers to SUBMIT, chunks, progress, candidates."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segue_protocol import limits
from segue_protocol.messages.fields import (
    Channels,
    Count,
    Credits,
    Fraction,
    Number,
    Position,
    Rate,
    Samples,
    Seconds,
    StreamId,
    Text,
    Word,
    between,
    several,
)
from segue_protocol.messages.message import ClientMessage, JobMessage, Part, Payload, RendererMessage, Sender


class Accepted(RendererMessage, JobMessage):
    """The job will have exactly one final message. ``needs``: numbers of the streams to send; ``credits``: chunks."""

    TYPE = "ACCEPTED"
    credits: Credits
    needs: Annotated[tuple[StreamId, ...], *several(0, limits.MAX_STREAMS)]
    waiting: Count


class Busy(RendererMessage, JobMessage):
    """The queue is full: nothing was kept of the job."""

    TYPE = "BUSY"
    retry_after: Seconds
    message: Text


class Chunk(JobMessage):
    """Samples [offset, offset + samples) of a stream, in the payload: float32, little-endian, channel after channel."""

    TYPE = "CHUNK"
    SENDER = frozenset(Sender)
    PAYLOAD = Payload.AUDIO
    stream: StreamId
    offset: Count
    samples: Annotated[int, between(1, limits.MAX_PAYLOAD_BYTES // limits.SAMPLE_BYTES)]
    channels: Channels

    @property
    def bytes(self) -> int:
        """Of its payload."""
        return self.samples * self.channels * limits.SAMPLE_BYTES


class Credit(JobMessage):
    """The receiver of chunks allows ``chunks`` more, for all streams of the job together."""

    TYPE = "CREDIT"
    SENDER = frozenset(Sender)
    chunks: Annotated[int, between(1, limits.MAX_CREDITS)]


class Cancel(ClientMessage, JobMessage):
    """Stop the job. Its final message comes all the same."""

    TYPE = "CANCEL"


class Progress(RendererMessage, JobMessage):
    """Where the render stands. ``step`` of ``steps`` in ``stage``; ``fraction`` and ``seconds_left`` of the whole."""

    TYPE = "PROGRESS"
    stage: Word
    step: Count
    steps: Count
    fraction: Fraction
    seconds_left: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    message: Text = ""


class Patch(Part):
    """A gap's audio: ``start``, in samples from the track's first one, is negative in a backward continuation."""

    stream: StreamId
    gap: Count
    start: Position
    samples: Samples


class Candidate(RendererMessage, JobMessage):
    """One way to fill gaps, whose chunks follow. ``rank``: from 1, so far; ``score``: lower is better."""

    TYPE = "CANDIDATE"
    candidate: Count
    rank: Annotated[int, between(1, limits.MAX_COUNT)]
    method: Word
    how: Text = ""
    score: Number | None = None
    seed: Annotated[int, between(0, limits.MAX_SEED)] | None = None
    rate: Rate
    channels: Channels
    patches: Annotated[tuple[Patch, ...], *several(1, limits.MAX_GAPS)]


class CandidateRecipe(RendererMessage, JobMessage):
    """What makes a ranked candidate again: JSON in the payload, to be kept as it is, byte for byte."""

    TYPE = "RECIPE"
    PAYLOAD = Payload.TEXT
    candidate: Count
    bytes: Annotated[int, between(1, limits.MAX_PAYLOAD_BYTES)]
