"""Clients of a soak, each a thread: they ask, cancel, dawdle, vanish, come again, and send what no client should."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import segue
from segue.errors import Cancelled, SegueError, ServiceError
from segue_protocol import Code, ProtocolError, Sender, messages, parse
from segue_protocol.codec import Received
from segue_protocol.connection_file import ConnectionFile
from tests.pools import RATE, endless, fill, song
from tests.protocol import fuzz
from tests.renderers import Peer, submit
from tests.soak import moves

GONE = 8.0
"""Seconds without any answer after which a client takes its session for lost, and begins another."""
PATIENCE = 180.0
"""Seconds within which a job must end."""


class Gone(Exception):
    """The renderer does not know this session any more, or was stopped for long."""


@dataclass
class Book:
    """What all clients know of their jobs: of each accepted one its final message, or None where they never heard it.

    ``named``: of library clients, which keep the names of their jobs to themselves, by the client's name.
    """

    ended: dict[str, str | None] = field(default_factory=dict)
    named: dict[str, Counter[str]] = field(default_factory=dict)
    did: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    heard: dict[int, str] = field(default_factory=dict)


class Caller(Peer):
    """Remembers what came last; drops what the session before this one still had under way."""

    last: messages.Message | None = None

    def receive(self, timeout: float) -> Received | None:
        try:
            received = super().receive(timeout)
        except ProtocolError as error:
            if error.code is Code.UNVERIFIED and self.received == 0:  # nothing of this session came yet
                return None
            raise
        if received is not None:
            self.last = received.message
        return received


class Soaker(threading.Thread):
    """A client of its own seed, until :meth:`end`."""

    def __init__(self, name: str, content: ConnectionFile, book: Book, rng: random.Random) -> None:
        super().__init__(name=name, daemon=True)
        self.content, self.book, self.rng = content, book, rng
        self.ending = threading.Event()

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:  # told by the soak, with its seed
            self.book.errors.append(f"client {self.name}: {type(error).__name__}: {error}")

    def work(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """No more jobs."""
        self.ending.set()


class ByHand(Soaker):
    """Speaks the protocol message by message, not always well."""

    def work(self) -> None:
        actions: list[Callable[[Caller], None]] = [self.ask] * 6 + [self.dawdle, self.flood, self.vanish, self.look]
        self._number = 0
        while not self.ending.is_set():
            try:
                with Caller(self.content) as peer:
                    self.book.did["connect"] += 1
                    while not self.ending.is_set():
                        action = self.rng.choice(actions)
                        self.book.did[action.__name__] += 1
                        action(peer)
                        if action == self.vanish:
                            break
            except Gone:
                self.book.did["gone"] += 1
            except AssertionError as error:  # the renderer is stopped: HELLO stays unanswered
                if "no answer to HELLO" not in str(error):
                    raise

    # ---- what it does -------------------------------------------------------------------------------------------

    def ask(self, peer: Caller) -> None:
        """A job, and its end; perhaps a cancel before."""
        self._number += 1
        asked = moves.draw(self.rng, self._number)
        name = self._begin(peer, submit(self._new_id(), asked.job), asked.job.clip.samples)
        if name is None:
            return
        cancel = asked.cancel_after if asked.cancel_after is not None else self.rng.choice((None, None, None, 0.05))
        if cancel is not None:
            self.ending.wait(cancel)
            peer.send(messages.Cancel(job=name, generation=0))
        final = self._final(peer, name)
        if asked.kind == "broken" and isinstance(final, messages.Result):
            raise AssertionError(f"{name}: audio that is not finite gave a result")

    def dawdle(self, peer: Caller) -> None:
        """A reader that gives no credit for a while."""
        self._number += 1
        name = self._begin(peer, submit(self._new_id(), fill(moves.AGAIN + self._number), 0), song().samples)
        if name is None:
            return
        self._hear(peer, lambda: name in peer.finals or isinstance(peer.last, messages.Candidate), name)
        self.ending.wait(self.rng.choice((0.3, 1.0, 4.0)))
        if self.rng.random() < 0.5:
            peer.send(messages.Credit(job=name, generation=0, chunks=100))
        else:
            peer.send(messages.Cancel(job=name, generation=0))
        self._final(peer, name)

    def flood(self, peer: Caller) -> None:
        """What is not sealed is dropped, what says nothing is refused; the session lives on."""
        for _ in range(self.rng.randrange(20, 300)):
            frames, _ = self.rng.choice((fuzz.damaged, fuzz.invented, fuzz.noise))(self.rng)
            if self.rng.random() < 0.5:
                peer.raw(list(frames) or [b""])
            elif 1 <= len(frames) <= 2 and not _is_message(frames):
                peer.put(*frames)
        self.look(peer)

    def look(self, peer: Caller) -> None:
        """Ask what the renderer does."""
        peer.send(messages.Status())
        self._hear(peer, lambda: isinstance(peer.last, messages.StatusReply), "")

    def vanish(self, peer: Caller) -> None:
        """Leave in mid-job: without a word, with one, or for a new session."""
        self._number += 1
        audio = song().samples if self.rng.random() < 0.5 else None
        name = self._begin(peer, submit(self._new_id(), endless(self._number)), audio)
        how = self.rng.choice(("", "goodbye", "greet"))
        if how == "goodbye":
            peer.send(messages.Goodbye())
        elif how == "greet":
            peer.greet()
            self.look(peer)
        if name is not None:
            self.book.ended[name] = None

    # ---- how ----------------------------------------------------------------------------------------------------

    def _new_id(self) -> str:
        return f"{self.name}-{self._number}"

    def _begin(self, peer: Caller, asked: messages.Submit, audio: np.ndarray | None) -> str | None:
        """A job with its audio, all of which its credit covers; None where the renderer is busy."""
        peer.send(asked)
        answers = (messages.Accepted, messages.Busy, messages.Error)
        self._hear(peer, lambda: isinstance(peer.last, answers), "")
        answer = peer.last
        if isinstance(answer, messages.Busy):
            self.book.did["busy"] += 1
            self.ending.wait(min(2.0, answer.retry_after))
            return None
        assert isinstance(answer, messages.Accepted), f"{asked.job} was refused: {answer}"
        self.book.ended[asked.job] = None
        if audio is not None and answer.needs:
            peer.send_audio(asked.job, audio, answer)
        return asked.job

    def _final(self, peer: Caller, name: str) -> messages.JobMessage:
        self._hear(peer, lambda: name in peer.finals, name)
        final = peer.finals.pop(name)
        self.book.ended[name] = final.TYPE
        reason = getattr(final, "message", "")
        if isinstance(final, messages.Failed) and not (moves.expected(reason) or final.code in ("TIMEOUT", "BUSY")):
            raise AssertionError(f"{name} failed for no reason of ours: {final.code}: {reason}")
        return final

    def _hear(self, peer: Caller, done: Callable[[], bool], name: str) -> None:
        """Take in messages until ``done``, asking now and then whether anybody is there."""
        began = heard = asked = time.monotonic()
        peer.last = None
        while not done():
            if peer.receive(0.25) is not None:
                heard = time.monotonic()
            now = time.monotonic()
            if now - heard > GONE:
                raise Gone
            if now - began > PATIENCE:
                raise AssertionError(f"{name or self.name}: no answer within {PATIENCE:g} s from a renderer that lives")
            if now - asked > 1.0:
                asked = now
                peer.send(messages.Ping(token=1))


def _is_message(frames: list[bytes]) -> bool:
    try:
        parse(frames, Sender.CLIENT)
    except ProtocolError:
        return False
    return True


class ByLibrary(Soaker):
    """:class:`segue.Client`, as a musician's script uses it."""

    def work(self) -> None:
        outcomes = self.book.named[self.name] = Counter()
        audio = song().samples
        with segue.Client(self.content, name=self.name, patience=0.0) as client:
            while not self.ending.is_set():
                seed = self.rng.choice((moves.AGAIN, *range(1, 40)))
                stop_at = self.rng.choice((2.0, 2.0, 2.0, 0.0, 0.5))
                settings = segue.RenderSettings(seed=seed, steps=1, method="splice")
                self.book.did["fill"] += 1
                try:
                    result = client.fill(
                        audio,
                        RATE,
                        (5.0, 6.0),
                        settings=settings,
                        callback=lambda progress, at=stop_at: progress.fraction < at,  # type: ignore[misc]
                        deadline=self.rng.choice((None, None, 0.2, 30.0)),
                    )
                    outcomes["RESULT"] += 1
                    self._compare(seed, result, audio)
                except Cancelled:
                    outcomes["CANCELLED"] += 1
                except ServiceError as error:
                    self._note(error, outcomes)
                except SegueError as error:
                    outcomes["TIMEOUT" if "deadline" in str(error) else "FAILED"] += 1

    def _compare(self, seed: int, result: segue.Result, audio: np.ndarray) -> None:
        """The same job gives the same samples, from whichever process or from the store; the rest is untouched."""
        digest = hashlib.sha256(result.audio.tobytes()).hexdigest()
        if self.book.heard.setdefault(seed, digest) != digest:
            raise AssertionError(f"seed {seed} of the job gave other samples than before")
        if not np.array_equal(result.audio[:, : 5 * RATE], audio[:, : 5 * RATE]):
            raise AssertionError("samples outside the gap have changed")

    def _note(self, error: ServiceError, outcomes: Counter[str]) -> None:
        if error.code == "CONNECTION" or error.__cause__ is not None:  # BUSY: never accepted
            self.ending.wait(0.3)
        elif error.code == "LOST" and not moves.expected(str(error)):
            outcomes["unknown"] += 1  # the session ended under it: the renderer was stopped
        elif moves.expected(str(error)):
            outcomes["FAILED"] += 1
        else:
            raise error
