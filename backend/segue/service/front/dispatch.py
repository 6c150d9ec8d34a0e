"""What each message of a client leads to."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from importlib import metadata
from typing import Any

from segue.errors import SegueError
from segue.service import wire
from segue.service.catalog import SAMPLERS, TASKS, Catalog
from segue.service.events import Event, Failed
from segue.service.front.jobs import FrontJob
from segue.service.front.known import KnownAudio
from segue.service.front.peers import Peer
from segue.service.front.settings import FrontSettings
from segue.service.front.tally import Tally
from segue.service.pool import Pool
from segue.service.queue import Busy, Door
from segue.service.settings import Limits
from segue_protocol import limits, messages
from segue_protocol.codec import Frame, Received
from segue_protocol.errors import Code, ProtocolError
from segue_protocol.session import as_message, spoken
from segue_protocol.streams import check_size

_log = logging.getLogger(__name__)


def version() -> str:
    """Segue's version, as WELCOME and connection files tell it."""
    try:
        return metadata.version("segue")
    except metadata.PackageNotFoundError:
        return "unknown"


class Dispatch:
    """Handles verified messages, one by one; nothing in here waits or computes."""

    def __init__(
        self,
        pool: Pool,
        catalog: Catalog,
        settings: FrontSettings,
        queue: Limits,
        workers: int,
        on_event: Callable[[FrontJob, Event], None],
    ) -> None:
        self._pool, self._catalog, self._settings, self._queue = pool, catalog, settings, queue
        self._on_event = on_event
        self._granted = settings.granted(queue.waiting)
        self._known = KnownAudio(settings.known_mb << 20)
        self._door = Door(queue.waiting, queue.waiting_mb << 20, workers)
        self.tally = Tally()
        self.peers: dict[bytes, Peer] = {}
        self.closing = ""
        """Why no more jobs are taken; empty while they are."""

    @property
    def jobs(self) -> Iterable[FrontJob]:
        """Jobs of all peers that have not ended."""
        return (job for peer in self.peers.values() for job in peer.jobs.values())

    def handle(self, peer: Peer, received: Received) -> None:
        """Do what a message asks.

        Raises:
            ProtocolError: it is refused, by a defect too (INTERNAL), with what tells the client which message it was.
        """
        message = received.message
        try:
            self._do(peer, message, received.payload)
        except ProtocolError as error:
            _name(error, message)
            raise
        except Exception as error:
            _log.exception("a defect while %s was handled", message.TYPE, extra={"client": peer.name})
            defect = ProtocolError(Code.INTERNAL, f"{type(error).__name__}: {error}")
            _name(defect, message)
            raise defect from error

    def _do(self, peer: Peer, message: messages.Message, payload: Frame) -> None:
        match message:
            case messages.Hello():
                self._hello(peer, message)
            case messages.Submit():
                self._submit(peer, message)
            case messages.Chunk():
                self._chunk(peer, message, payload)
            case messages.Credit():
                if (job := peer.find(message)) is not None:
                    job.line.credits = min(limits.MAX_CREDITS, job.line.credits + message.chunks)
                    peer.outbox.credited()
            case messages.Cancel():
                if (job := peer.find(message)) is not None:
                    job.cancel()
            case messages.Ping():
                peer.outbox.say(messages.Pong(token=message.token))
            case messages.Status():
                peer.outbox.say(self.status)  # made when it is sent: as fresh, and small until then
            case messages.Goodbye():
                self.forget(peer)

    def refuse(self, peer: Peer, error: ProtocolError) -> None:
        """Answer a refused message: its job fails, where it was accepted; else ERROR; the unverified is dropped.

        A SUBMIT is answered by ERROR always: what it asked for is another job, also where it repeats an id.
        """
        job = None if error.submitted else peer.jobs.get(error.job or "")
        if error.nonce is not None:
            peer.outbox.sealed(peer.session.refuse(error))
        elif error.code in (Code.UNVERIFIED, Code.OUT_OF_ORDER) or not peer.session.established:
            self.tally.dropped[error.code] += 1
            return
        elif job is not None and job.outcome is None:
            job.fail(error.code, str(error), error.remedy)
        else:
            peer.outbox.say(as_message(error))
        self.tally.errors[error.code] += 1
        _log.info("refused: %s", error, extra={"client": peer.name, "job": error.job, "code": error.code})

    def forget(self, peer: Peer) -> None:
        """A client is gone."""
        if self.peers.pop(peer.route, None) is None:
            return
        peer.abandon()
        self.reap(peer)
        _log.info("left", extra={"client": peer.name})

    def reap(self, peer: Peer) -> None:
        """Count the jobs whose final message is out."""
        for job in peer.sweep():
            self.tally.ended[job.outcome or "LOST"] += 1
            if job.began is not None and job.outcome == "RESULT":
                self._door.rendered(time.monotonic() - job.began)
            _log.info("ended with %s", job.outcome, extra={"client": peer.name, "job": job.id})

    # ---- each message -------------------------------------------------------------------------------------------

    def _hello(self, peer: Peer, hello: messages.Hello) -> None:
        if not peer.welcomed and sum(other.welcomed for other in self.peers.values()) >= self._settings.clients:
            raise ProtocolError(
                Code.BUSY,
                f"expected at most {self._settings.clients} sessions, there are as many",
                "close other sessions, then connect again",
            )
        welcome = messages.Welcome(
            protocol=spoken(hello.protocol),
            nonce=secrets.token_bytes(limits.NONCE_BYTES),
            client_nonce=hello.nonce,
            renderer=version(),
            tasks=TASKS,
            samplers=SAMPLERS,
            bundles=self._catalog.bundles,
            presets=self._catalog.presets,
            limits=self._granted,
        )
        peer.name = wire.fit(f"{hello.client} ({peer.keys.name})", 256)
        peer.outbox.sealed(peer.session.welcome(welcome))
        peer.welcomed = True
        self.tally.sessions += 1
        _log.info("connected", extra={"client": peer.name})

    def _submit(self, peer: Peer, submit: messages.Submit) -> None:
        try:
            self._accept(peer, submit)
        except Busy as busy:
            self.tally.busy += 1
            answer: dict[str, Any] = {"job": submit.job, "generation": submit.generation}
            peer.outbox.say(messages.Busy(**answer, retry_after=busy.retry_after, message=str(busy)))

    def _accept(self, peer: Peer, submit: messages.Submit) -> None:
        self.reap(peer)  # jobs of a session that has just ended keep no ids
        peer.check_new(submit)
        if self.closing:
            raise ProtocolError(Code.LOST, self.closing, "submit it again once the renderer is back")
        check_size(submit, self._granted)
        if (held := peer.outbox.held) > self._settings.outbox_mb << 20:
            raise Busy(f"expected the results of earlier jobs to be taken, {held >> 20} MiB wait for credit", 1.0)
        # audio still on its way counts too: nobody sends it for a place that is not there
        waiting = [job.nbytes for job in self.jobs if job.state in ("receiving", "queued")]
        self._door.check(submit.bytes, waiting)
        incoming = self._incoming(peer, submit)
        accepted = FrontJob(submit, incoming, self._settings.credits)
        peer.add(accepted)
        self.tally.accepted += 1
        about: dict[str, Any] = {"needs": incoming.needs, "waiting": len(waiting)}
        peer.outbox.say(messages.Accepted(**accepted.key, credits=self._settings.credits, **about))
        _log.info("accepted: %s", submit.task, extra={"client": peer.name, "job": accepted.id})
        if accepted.complete:
            self._start(peer, accepted)

    def _incoming(self, peer: Peer, submit: messages.Submit) -> wire.Incoming:
        try:
            heard = submit.model_copy(update={"settings": self._catalog.heard(submit.settings)})
            return wire.incoming(heard, self._catalog.resolve, partial(self._known.find, peer.keys.name))
        except SegueError as error:
            refused = Failed.by(error)
            raise ProtocolError(refused.code, refused.message, refused.remedy) from error
        except MemoryError as error:
            raise ProtocolError(Code.RESOURCE, f"no room for {submit.bytes} bytes of audio") from error

    def _chunk(self, peer: Peer, chunk: messages.Chunk, payload: Frame) -> None:
        job = peer.find(chunk)
        if job is None or job.state != "receiving":
            return  # on its way when the job ended
        credit = job.take(chunk, payload)
        self.tally.bytes_in += chunk.bytes
        if job.complete:
            self._start(peer, job)
        elif credit:
            peer.outbox.say(messages.Credit(**job.key, chunks=credit))

    def _start(self, peer: Peer, job: FrontJob) -> None:
        job.submit(self._pool, f"{peer.keys.name} {peer.route.hex()}", self._on_event)

    def tell(self, peer: Peer, job: FrontJob, event: Event) -> None:
        """An event of the pool."""
        for stream, audio in job.proven():
            self._known.keep(peer.keys.name, stream, audio)
        progress = job.hear(event)
        if progress is not None:
            peer.outbox.progress(progress)

    def status(self) -> messages.StatusReply:
        """The renderer at this moment."""
        pool = self._pool.status()
        jobs = [(peer, job) for peer in self.peers.values() for job in peer.jobs.values() if job.state != "done"]
        jobs.sort(key=lambda entry: entry[1].received)
        return messages.StatusReply(
            renderer=version(),
            uptime=pool.uptime,
            waiting=sum(job.state in ("receiving", "queued") for _, job in jobs),
            max_jobs=self._queue.waiting,
            clients=sum(peer.session.established for peer in self.peers.values()),
            devices=tuple(messages.Device(name=d.name, kind=d.kind, state=d.state) for d in pool.devices),
            jobs=tuple(
                messages.JobStatus(job=job.id, client=peer.name, task=job.task, state=job.state, fraction=job.fraction)
                for peer, job in jobs[: limits.MAX_LISTED]
            ),
            bundles=self._catalog.bundles,
        )


def _name(error: ProtocolError, message: messages.Message) -> None:
    """Give an error what its answer is known by: the job of a message, the nonce of HELLO."""
    if isinstance(message, messages.Hello):
        error.nonce = message.nonce
    elif isinstance(message, messages.JobMessage):
        error.job, error.submitted = message.job, isinstance(message, messages.Submit)
