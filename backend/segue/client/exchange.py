"""One job between a client and a renderer: audio there, candidates and the result back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from segue.client.candidate import Audio, Candidate, CandidateCallback
from segue.client.errors import error_of, local_error
from segue.client.link import CREDITS, LOST_SECONDS, Link
from segue.errors import AudioFileError, Cancelled, SegueError, ServiceError
from segue.render.settings import Progress, ProgressCallback
from segue.service import wire
from segue.service.jobs import Job
from segue_protocol import messages
from segue_protocol.codec import Frame
from segue_protocol.errors import Code, ProtocolError
from segue_protocol.streams import Intake, Shape, spans


class Refused(Exception):
    """BUSY: nothing was kept of the job."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Ears:
    """Who hears of a job while it runs."""

    progress: ProgressCallback | None = None
    candidate: CandidateCallback | None = None


@dataclass(eq=False)
class _Coming:
    """A candidate whose audio is on its way."""

    about: messages.Candidate
    audio: dict[int, Audio]
    missing: int


@dataclass(frozen=True, eq=False)
class Delivered:
    """A job's result: ``ranked`` candidates, best first, with their ``recipes`` as JSON; ``report`` as JSON."""

    ranked: tuple[Candidate, ...]
    recipes: tuple[str, ...]
    report: str
    stored: bool


@dataclass(eq=False)
class Exchange:
    """Use :meth:`run` once. ``submit``: the job as it is sent; messages of another job, or generation, are dropped."""

    link: Link
    job: Job
    submit: messages.Submit
    ears: Ears
    _chunks: list[tuple[int, int, int]] = field(default_factory=list)  # (stream, offset, samples), the last one first
    _credits: int = 0
    _accepted: bool = False
    _cancelled: bool = False
    _coming: dict[int, _Coming] = field(default_factory=dict)
    _whole: dict[int, Candidate] = field(default_factory=dict)
    _recipes: dict[int, str] = field(default_factory=dict)
    _since_grant: int = 0
    _delivered: Delivered | None = None

    def __post_init__(self) -> None:
        self._intake = Intake({}, CREDITS)
        self._audio = [clip.samples for clip in self.job.audio.values()]

    @property
    def name(self) -> str:
        """The job's id."""
        return self.submit.job

    def run(self) -> Delivered:
        """Submit, send, hear, until the final message.

        Raises:
            Refused: the renderer is busy. SegueError: the job failed, was cancelled or refused, or the renderer lost.
        """
        self.link.send(self.submit)
        until = time.monotonic() + LOST_SECONDS
        try:
            while self._delivered is None:
                self._send_chunk()
                received = self.link.receive(0.0 if self._may_send else 0.25)
                if received is not None:
                    self._hear(*received)
                if not self._accepted and time.monotonic() > until:
                    raise ServiceError(Code.LOST, f"expected an answer to the job within {LOST_SECONDS:g} s, got none")
        except ProtocolError as error:
            self.cancel()
            raise local_error(error) from error
        except BaseException as error:  # Ctrl-C, or what a callback raised: the renderer must not go on for nobody
            if not isinstance(error, SegueError | Refused):
                self.cancel()
            raise
        return self._delivered

    def cancel(self) -> None:
        """Ask to stop; the final message still comes."""
        if not self._cancelled:
            self._cancelled = True
            self.link.send(messages.Cancel(job=self.name, generation=self.job.generation))

    # ---- audio out ----------------------------------------------------------------------------------------------

    @property
    def _may_send(self) -> bool:
        return bool(self._chunks) and self._credits > 0 and self.link.clear and not self._cancelled

    def _send_chunk(self) -> None:
        if not self._may_send:
            return
        stream, offset, samples = self._chunks.pop()
        self._credits -= 1
        audio = self._audio[stream]
        chunk = messages.Chunk(
            job=self.name,
            generation=self.job.generation,
            stream=stream,
            offset=offset,
            samples=samples,
            channels=audio.shape[0],
        )
        if not np.isfinite(audio[:, offset : offset + samples]).all():
            self.cancel()
            raise AudioFileError(
                f"expected finite samples, got NaN or Inf after sample {offset}: repair the audio, or leave it out"
            )
        self.link.send(chunk, wire.chunk_of(audio, offset, samples))

    # ---- messages in --------------------------------------------------------------------------------------------

    def _hear(self, message: messages.Message, payload: Frame) -> None:
        if isinstance(message, messages.Error) and message.job == self.name:
            raise error_of(message.code, message.message, message.remedy)
        if not isinstance(message, messages.JobMessage):
            return
        if message.job != self.name or message.generation != self.job.generation:
            return
        handler = _HANDLERS.get(type(message))
        if handler is not None:
            handler(self, message, payload)

    def _hear_accepted(self, message: messages.Accepted, _: Frame) -> None:
        self._accepted = True
        self._credits = message.credits
        most = self.link.welcome.limits.max_chunk_bytes
        cuts = [(number, *cut) for number in message.needs for cut in spans(Shape(*self._audio[number].shape), most)]
        self._chunks = cuts[::-1]
        self._progress("queued", message.waiting)

    def _hear_busy(self, message: messages.Busy, _: Frame) -> None:
        raise Refused(message.message, message.retry_after)

    def _hear_credit(self, message: messages.Credit, _: Frame) -> None:
        self._credits += message.chunks

    def _progress(self, stage: str, ahead: int) -> None:
        message = f"{ahead} jobs are before this one" if ahead else ""
        self._tell(Progress(stage, 0, 1, 0.0, None, message))

    def _hear_progress(self, message: messages.Progress, _: Frame) -> None:
        about = message
        told = Progress(about.stage, about.step, about.steps, about.fraction, about.seconds_left, about.message)
        self._tell(told)

    def _tell(self, progress: Progress) -> None:
        if self.ears.progress is not None and not self._cancelled and self.ears.progress(progress) is False:
            self.cancel()

    def _hear_candidate(self, message: messages.Candidate, _: Frame) -> None:
        streams = {patch.stream: Shape(message.channels, patch.samples) for patch in message.patches}
        self._intake.declare(dict(streams))
        audio = {patch.stream: np.empty((message.channels, patch.samples), np.float32) for patch in message.patches}
        coming = _Coming(message, audio, sum(patch.samples for patch in message.patches))
        self._coming.update(dict.fromkeys(streams, coming))

    def _hear_chunk(self, message: messages.Chunk, payload: Frame) -> None:
        self._intake.take(message, payload)
        coming = self._coming[message.stream]
        wire.put_chunk(coming.audio[message.stream], message, payload)
        coming.missing -= message.samples
        self._grant()
        if coming.missing == 0:
            self._complete(coming)

    def _grant(self) -> None:
        self._since_grant += 1
        if self._since_grant >= CREDITS // 2:
            self._intake.grant(self._since_grant)
            credit = messages.Credit(job=self.name, generation=self.job.generation, chunks=self._since_grant)
            self.link.send(credit)
            self._since_grant = 0

    def _complete(self, coming: _Coming) -> None:
        about = coming.about
        gaps = {patch.gap: coming.audio[patch.stream] for patch in about.patches}
        whole = Candidate(about.candidate, about.rank, about.method, about.how, about.score, about.seed, gaps)
        for patch in about.patches:
            del self._coming[patch.stream]
        self._whole[whole.number] = whole
        if self.ears.candidate is not None and not self._cancelled:
            self.ears.candidate(whole)

    def _hear_recipe(self, message: messages.CandidateRecipe, payload: Frame) -> None:
        self._recipes[message.candidate] = bytes(payload).decode()

    def _hear_result(self, message: messages.Result, payload: Frame) -> None:
        missing = [number for number in message.ranking if number not in self._whole or number not in self._recipes]
        if missing:
            raise ProtocolError(Code.MALFORMED, f"expected the audio and recipes of candidates {missing} before RESULT")
        self._delivered = Delivered(
            tuple(self._whole[number] for number in message.ranking),
            tuple(self._recipes[number] for number in message.ranking),
            bytes(payload).decode(),
            message.stored,
        )

    def _hear_failed(self, message: messages.Failed, _: Frame) -> None:
        raise error_of(message.code, message.message, message.remedy)

    def _hear_cancelled(self, message: messages.Cancelled, _: Frame) -> None:
        raise Cancelled(f"the render was cancelled: {message.message}")

    def _hear_timeout(self, message: messages.Timeout, _: Frame) -> None:
        raise error_of(Code.TIMEOUT, message.message, message.remedy)


_HANDLERS: dict[type[messages.Message], Callable[..., None]] = {
    messages.Accepted: Exchange._hear_accepted,
    messages.Busy: Exchange._hear_busy,
    messages.Credit: Exchange._hear_credit,
    messages.Progress: Exchange._hear_progress,
    messages.Candidate: Exchange._hear_candidate,
    messages.Chunk: Exchange._hear_chunk,
    messages.CandidateRecipe: Exchange._hear_recipe,
    messages.Result: Exchange._hear_result,
    messages.Failed: Exchange._hear_failed,
    messages.Cancelled: Exchange._hear_cancelled,
    messages.Timeout: Exchange._hear_timeout,
}
