"""SUBMIT, and what is in it."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import model_validator

from segue_protocol import limits
from segue_protocol.messages.fields import (
    Channels,
    Count,
    Credits,
    Gap,
    Hex256,
    Line,
    Point,
    Rate,
    Samples,
    Seconds,
    Text,
    Word,
    between,
    several,
)
from segue_protocol.messages.message import ClientMessage, JobMessage, Part


class Mark(Part):
    """Samples [start, stop) of a stream that are not what was played: "nonfinite", "discontinuous"."""

    kind: Word
    start: Count
    stop: Count


class Stream(Part):
    """Audio the client has for a job: float32. Its number is its place in SUBMIT.

    ``role``: "track", "right" (the right track of a transition), "song" (further material for recall), "sound" (a song
    whose sound the result takes), "reference" (what it is to sound like). ``digest``: lets the renderer say in ACCEPTED
    that it has this audio already.
    """

    role: Word
    name: Line
    rate: Rate
    channels: Channels
    samples: Samples
    digest: Hex256 | None = None
    marks: Annotated[tuple[Mark, ...], *several(0, limits.MAX_MARKS)] = ()

    @property
    def bytes(self) -> int:
        """Of all its chunks."""
        return self.samples * self.channels * limits.SAMPLE_BYTES


class Curve(Part):
    """Automation over time, piecewise linear, held flat outside its points.

    ``name``: "freedom", "guidance", "style"; ``points``: (seconds from the track's first sample, value), in order.
    """

    name: Word
    points: Annotated[tuple[Point, ...], *several(1, limits.MAX_CURVE_POINTS)]

    @model_validator(mode="after")
    def _in_order(self) -> Curve:
        if any(b[0] < a[0] for a, b in pairwise(self.points)):
            raise ValueError(f"expected the points of curve {self.name!r} in order of time")
        return self


class Settings(Part):
    """How to render; what is left out is the bundle's or the preset's own choice."""

    seed: Annotated[int, between(0, limits.MAX_SEED)] = 0
    candidates: Annotated[int, between(1, limits.MAX_CANDIDATES)] = 1
    steps: Annotated[int, between(1, limits.MAX_STEPS)] | None = None
    sampler: Word | None = None
    method: Word | None = None
    bundle: Word | None = None
    preset: Word | None = None
    prompt: Text | None = None


class Submit(ClientMessage, JobMessage):
    """Asks for a render.

    ``task``: one of WELCOME's. ``gaps``: (start, stop) in samples of the track. ``added``, ``backward``: samples of a
    continuation; ``overlap``: samples of a transition. ``deadline``: seconds from its receipt, after which the result
    is of no use. ``credits``: chunks the renderer may send before the first CREDIT. ``streams``: exactly one track.
    """

    TYPE = "SUBMIT"
    task: Word
    settings: Settings
    streams: Annotated[tuple[Stream, ...], *several(1, limits.MAX_STREAMS)]
    gaps: Annotated[tuple[Gap, ...], *several(0, limits.MAX_GAPS)] = ()
    added: Samples | None = None
    backward: bool = False
    overlap: Samples | None = None
    curves: Annotated[tuple[Curve, ...], *several(0, limits.MAX_CURVES)] = ()
    deadline: Seconds | None = None
    credits: Credits

    @model_validator(mode="after")
    def _whole(self) -> Submit:
        tracks = sum(stream.role == "track" for stream in self.streams)
        if tracks != 1:
            raise ValueError(f"expected exactly one stream with the role 'track', got {tracks}")
        names = [curve.name for curve in self.curves]
        if len(set(names)) != len(names):
            raise ValueError(f"expected each curve once, got {names}")
        points = sum(len(curve.points) for curve in self.curves)
        if points > limits.MAX_CURVE_POINTS:
            raise ValueError(f"expected at most {limits.MAX_CURVE_POINTS} curve points in all, got {points}")
        return self

    @property
    def track(self) -> Stream:
        """The stream whose gaps are rendered; the output has its rate and channels."""
        return next(stream for stream in self.streams if stream.role == "track")

    @property
    def bytes(self) -> int:
        """Of all its audio."""
        return sum(stream.bytes for stream in self.streams)
