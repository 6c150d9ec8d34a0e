"""A client's job at the front, from SUBMIT to its one final message."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from segue.errors import SegueError
from segue.service import wire
from segue.service.events import Cancelled, CandidateReady, Event, Failed, Finished, Progressed, Rendition, TimedOut
from segue.service.front.outbox import Line
from segue.service.pool import Pool
from segue.service.queue import Busy
from segue.service.ticket import Ticket
from segue_protocol import messages
from segue_protocol.codec import Frame
from segue_protocol.errors import REMEDIES, Code
from segue_protocol.streams import Intake

State = Literal["receiving", "queued", "running", "sending", "done"]

_log = logging.getLogger(__name__)


class FrontJob:
    """One job. All methods belong to the front's thread; ``line`` is what it sends, in the outbox of its client.

    ``began``: when its render was first heard of, ``ended`` its outcome by the name of its final message.
    """

    def __init__(self, submit: messages.Submit, incoming: wire.Incoming, granted: int) -> None:
        """``granted``: chunks the client may send at first."""
        self.id, self.generation, self.task = submit.job, submit.generation, submit.task
        self.received = self.heard = time.monotonic()
        self.began: float | None = None
        self.outcome: str | None = None
        self.nbytes = submit.bytes
        self.line = Line(submit.job, submit.generation, submit.credits)
        self._incoming: wire.Incoming | None = incoming
        self._streams = submit.streams
        self._intake = Intake({number: submit.streams[number] for number in incoming.needs}, granted)
        self._granted, self._since_grant = granted, 0
        self._due = float("inf") if submit.deadline is None else self.received + submit.deadline
        self._marks = {number: stream.marks for number, stream in enumerate(submit.streams) if stream.marks}
        self._starts = wire.starts_of(incoming.job)
        self._format = (incoming.job.clip.rate, incoming.job.clip.channels)
        self._ticket: Ticket | None = None
        self._scores: dict[int, list[float]] = {}
        self._next_candidate = self._next_stream = 0
        self._fraction = 0.0
        self._abandoned = False

    # ---- what the front asks ------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where it stands."""
        if self._abandoned or self.line.over:
            return "done"
        if self.outcome is not None:
            return "sending"
        if self._ticket is None:
            return "receiving"
        return "running" if self._ticket.state == "running" else "queued"

    @property
    def fraction(self) -> float:
        """Part of the render that is done."""
        return 1.0 if self.outcome == "RESULT" else self._fraction

    @property
    def key(self) -> dict[str, Any]:
        """The fields that every message about it begins with."""
        return {"job": self.id, "generation": self.generation}

    # ---- audio in -----------------------------------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        """Whether all audio is there."""
        return self._intake.complete

    def take(self, chunk: messages.Chunk, payload: Frame) -> int:
        """Put a chunk into its place; the credit to give for it, or 0.

        Raises:
            ProtocolError: the chunk is not one that may come now.
        """
        self._intake.take(chunk, payload)
        assert self._incoming is not None, "the front hands over chunks of jobs that receive"
        wire.put_chunk(self._incoming.rooms[chunk.stream], chunk, payload)
        self.heard = time.monotonic()
        self._since_grant += 1
        if self._intake.complete or self._since_grant < max(1, self._granted // 2):
            return 0
        credit, self._since_grant = self._since_grant, 0
        self._intake.grant(credit)
        return credit

    def submit(self, pool: Pool, client: str, on_event: Callable[[FrontJob, Event], None]) -> None:
        """Hand the job, now whole, to the pool; ``on_event`` is called on the pool's threads."""
        assert self._incoming is not None, "a job is submitted once"
        left = self._due - time.monotonic()
        if left <= 0.0:
            self.time_out("expected all audio before the deadline, it passed while audio was sent")
            return
        try:
            job = replace(self._incoming.job, deadline=left if self._due < float("inf") else None)
            self._ticket = pool.submit(job, lambda event: on_event(self, event), client=client)
        except Busy as busy:
            self.fail(Code.BUSY, str(busy))
        except SegueError as error:
            self.fail(Code.LOST, str(error))

    def check(self, stall: float) -> None:
        """End it where its audio does not come, or too late."""
        now = time.monotonic()
        if self.state != "receiving":
            return
        if now >= self._due:
            self.time_out("expected all audio before the deadline, it passed while audio was sent")
        elif now - self.heard > stall:
            self.fail(Code.TIMEOUT, f"expected more audio within {stall:g} s, got none", "send the job again, faster")

    def proven(self) -> list[tuple[messages.Stream, wire.Audio]]:
        """The streams with a digest, once: as soon as the pool has hashed them and they were found to be as declared.

        Fails the job where one is not.
        """
        if self._incoming is None or self._ticket is None or self._ticket.header is None:
            return []
        incoming, self._incoming = self._incoming, None
        named = [(n, stream) for n, stream in enumerate(self._streams) if stream.digest is not None]
        for number, stream in named:
            found = self._ticket.header["audio"][incoming.roles[number]]["digest"]
            if found != stream.digest:
                self.fail(Code.INVALID, f"expected stream {number} with the digest {stream.digest}, got {found}")
                return []
        return [(stream, incoming.rooms[number]) for number, stream in named]

    # ---- events of the pool -------------------------------------------------------------------------------------

    def hear(self, event: Event) -> messages.Progress | None:
        """Put into the line what an event means for the client; progress is handed back."""
        if self.began is None and isinstance(event, Progressed | CandidateReady):
            self.began = time.monotonic()
        if self.outcome is not None:  # the client was told its end, whatever the pool says
            return None
        match event:
            case Progressed():
                self._fraction = max(self._fraction, event.progress.fraction)
                return messages.Progress(**self.key, **_progress(event), fraction=self._fraction)
            case CandidateReady():
                self._candidate(event)
            case Finished():
                self._finish(event)
            case Failed():
                self.fail(event.code, event.message, event.remedy)
            case TimedOut():
                self.time_out(event.message)
            case Cancelled():
                self.end(messages.Cancelled(**self.key, message="stopped as asked"))
        return None

    def cancel(self) -> None:
        """Stop it, in whatever state; a second time does nothing."""
        if self.outcome == "RESULT" and self.line.closed and self.line.letters:
            self.outcome = None  # the result was on its way: the client wants none of it any more
            self.end(messages.Cancelled(**self.key, message="stopped while the result was sent"))
        elif self._ticket is not None:
            self._ticket.cancel()
        elif self.outcome is None:
            self.end(messages.Cancelled(**self.key, message="stopped before the render began"))

    def abandon(self) -> None:
        """The client is gone: nothing is to be said any more."""
        if self._ticket is not None:
            self._ticket.cancel()
        self.outcome = self.outcome or "LOST"
        self.line.clear()
        self._abandoned = True

    def release(self) -> None:
        """Let go of the audio; the pool's ticket and this job would keep one another until a collection of garbage."""
        self._ticket = self._incoming = None

    def fail(self, code: Code, message: str, remedy: str = "") -> None:
        """End it without a result."""
        said, help_ = wire.fit(message), wire.fit(remedy or REMEDIES[code])
        self.end(messages.Failed(**self.key, code=code, message=said, remedy=help_))

    def time_out(self, message: str) -> None:
        """End it because its deadline has passed."""
        self.end(messages.Timeout(**self.key, message=wire.fit(message), remedy=REMEDIES[Code.TIMEOUT]))

    def end(self, final: messages.JobMessage, payload: Frame = b"") -> None:
        """Its final message, unless it has one; without a result it does not wait for credit behind audio.

        A render that goes on is stopped: nobody hears of it any more.
        """
        if self.outcome is not None:
            return
        self.outcome = final.TYPE
        self._incoming = None
        if not isinstance(final, messages.Result):
            self.line.clear()
            if self._ticket is not None:
                self._ticket.cancel()
        self.line.close(final, payload)

    # ---- candidates and the result ------------------------------------------------------------------------------

    def _candidate(self, event: CandidateReady) -> None:
        total = event.scores.get("total")
        ranked = self._scores.setdefault(event.gap, [])
        rank = 1 + sum(total is None or other <= total for other in ranked)
        if total is not None:
            ranked.append(total)
        about = {"candidate": event.number, "rank": rank, "method": event.method, "how": wire.fit(event.how)}
        self._say_candidate({**about, "score": total, "seed": event.seed}, {event.gap: event.audio})

    def _say_candidate(self, about: dict[str, Any], audio: dict[int, wire.Audio]) -> None:
        streams = range(self._next_stream, self._next_stream + len(audio))
        patches = tuple(
            messages.Patch(stream=stream, gap=gap, start=self._starts[gap], samples=patch.shape[1])
            for stream, (gap, patch) in zip(streams, audio.items(), strict=True)
        )
        rate, channels = self._format
        self.line.say(messages.Candidate(**self.key, **about, rate=rate, channels=channels, patches=patches))
        for stream, patch in zip(streams, audio.values(), strict=True):
            self.line.stream(stream, patch)
        self._next_stream = streams.stop
        self._next_candidate = max(self._next_candidate, about["candidate"] + 1)

    def _finish(self, event: Finished) -> None:
        ranking = tuple(self._rendition(rank, one) for rank, one in enumerate(event.renditions, 1))
        report = dict(event.report)
        if event.note:
            _log.warning("%s", event.note, extra={"job": self.id})
        if self._marks:
            report["marks"] = [
                {"stream": number, **mark.model_dump()} for number, marks in self._marks.items() for mark in marks
            ]
        text = wire.report_text(report)
        final = messages.Result(**self.key, ranking=ranking, stored=event.from_store, bytes=len(text))
        self.end(final, text)

    def _rendition(self, rank: int, rendition: Rendition) -> int:
        """Number of a rendition; it is sent as a candidate that fills every gap where it was not sent already."""
        number = rendition.candidate
        if number is None:
            number = self._next_candidate
            method = str(rendition.recipe.parameters.get("method") or "ranked")
            about: dict[str, Any] = {"candidate": number, "rank": rank, "method": method}
            self._say_candidate(about, dict(enumerate(rendition.audio)))
        text = rendition.recipe.to_json().encode()
        self.line.say(messages.CandidateRecipe(**self.key, candidate=number, bytes=len(text)), text)
        return number


def _progress(event: Progressed) -> dict[str, Any]:
    about = event.progress
    left = about.seconds_left
    return {
        "stage": about.stage,
        "step": about.step,
        "steps": about.steps,
        "seconds_left": left if left is None or np.isfinite(left) else None,
        "message": wire.fit(about.message),
    }
