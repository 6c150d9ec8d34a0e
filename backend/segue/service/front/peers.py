"""A connected client: its session, its jobs, what waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from segue.service.front.jobs import FrontJob
from segue.service.front.outbox import Outbox
from segue.service.keys import ClientKeys
from segue_protocol.codec import Frame, Received
from segue_protocol.errors import Code, ProtocolError
from segue_protocol.messages import JobMessage, Submit
from segue_protocol.session import Nonces, RendererSession


class Peer:
    """One connection. ``route``: its name on the ROUTER, ``fd``: its descriptor, ``keys``: who it is.

    ``name``: what it calls itself; ``welcomed``: its HELLO was answered; ``blocked``: its pipe was full.
    """

    def __init__(self, route: bytes, fd: int, keys: ClientKeys, nonces: Nonces) -> None:
        self.route, self.fd, self.keys, self.name = route, fd, keys, keys.name
        self.welcomed = False
        self.session = RendererSession(keys.session_bytes, nonces)
        self.outbox = Outbox(self.session.seal)
        self.jobs: dict[str, FrontJob] = {}
        self.blocked = False
        self._sessions = 0

    def open(self, frames: Sequence[Frame]) -> Received:
        """The message in ``frames``; of a new session, the jobs of the one before are gone first.

        Raises:
            ProtocolError: see :meth:`segue_protocol.session.RendererSession.open`.
        """
        try:
            return self.session.open(frames)
        finally:
            if self.session.sessions != self._sessions:
                self._sessions = self.session.sessions
                self.abandon()

    def find(self, message: JobMessage) -> FrontJob | None:
        """The job a message is about; None where there is none of this generation: it may have ended meanwhile."""
        job = self.jobs.get(message.job)
        return job if job is not None and job.generation == message.generation else None

    def check_new(self, submit: Submit) -> None:
        """Refuse an id that is in use.

        Raises:
            ProtocolError: INVALID.
        """
        if submit.job in self.jobs:
            raise ProtocolError(
                Code.INVALID,
                f"expected a new job id, a job {submit.job!r} has not ended",
                "give each job of a session an id of its own",
            )

    def add(self, job: FrontJob) -> None:
        """Take a job."""
        self.jobs[job.id] = job
        self.outbox.open_line(job.line)

    def sweep(self) -> list[FrontJob]:
        """Jobs whose final message is out; they are forgotten."""
        done = [job for job in self.jobs.values() if job.state == "done"]
        for job in done:
            del self.jobs[job.id]
            job.release()
        return done

    def abandon(self) -> None:
        """The client, or its session, is gone."""
        for job in self.jobs.values():
            job.abandon()
        self.outbox.clear()
