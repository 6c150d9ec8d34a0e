"""What waits to be sent to one client: small messages first, audio as far as its credits go; counted in bytes.

Messages are sealed when their turn comes, since the seal counts them in the order in which they leave.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from segue.service.wire import chunk_of
from segue_protocol import limits
from segue_protocol.codec import Frame
from segue_protocol.messages import Chunk, JobMessage, Message, Progress
from segue_protocol.streams import Shape, spans

Seal = Callable[[Message, Frame], list[Frame]]
Audio = Float32[np.ndarray, "_channels _samples"]

_SMALL = 512  # counted for a message without payload: more than any takes here, texts aside
_UNREAD = 4 << 20  # bytes of replies a client may leave unread
_FLOOD = 4 * _UNREAD  # bytes of replies no client may have waiting, however much it reads
_GRACE = 1.0  # seconds in which a client over a bound must take something of what is over it


@dataclass(frozen=True, eq=False)
class Letter:
    """A message with its payload, or frames that are sealed already; a message may be made when its turn comes."""

    message: Message | Callable[[], Message] | None = None
    payload: Frame = b""
    frames: tuple[Frame, ...] = ()

    @property
    def nbytes(self) -> int:
        """What it counts for."""
        return _SMALL + len(self.payload) + sum(len(frame) for frame in self.frames)


@dataclass(eq=False)
class Line:
    """What waits for one job, in order; ``credits``: chunks its client still allows; ``closed``: with its last one."""

    job: str
    generation: int
    credits: int
    letters: deque[Letter | Cuts] = field(default_factory=deque)
    held: int = 0
    closed: bool = False

    def say(self, message: JobMessage, payload: Frame = b"") -> None:
        """A message behind all that waits."""
        self._append(Letter(message, payload))

    def close(self, final: JobMessage, payload: Frame = b"") -> None:
        """The final message, behind all that waits."""
        self.say(final, payload)
        self.closed = True

    def stream(self, number: int, audio: Audio) -> None:
        """Audio behind all that waits."""
        self._append(Cuts(number, audio))

    def _append(self, item: Letter | Cuts) -> None:
        self.letters.append(item)
        self.held += item.nbytes

    def clear(self) -> None:
        """Forget all that waits; where the final message is among it, there must be another."""
        self.closed = self.closed and not self.letters
        self.letters.clear()
        self.held = 0

    @property
    def over(self) -> bool:
        """Whether all is out, the final message too."""
        return self.closed and not self.letters

    @property
    def blocked(self) -> bool:
        """Whether nothing can go before the client gives credit."""
        return bool(self.letters) and isinstance(self.letters[0], Cuts) and self.credits < 1

    def next(self) -> Letter | None:
        """Take out what goes next, if something may."""
        if not self.letters or self.blocked:
            return None
        first = self.letters[0]
        if isinstance(first, Letter):
            self.letters.popleft()
            self.held -= first.nbytes
            return first
        self.credits -= 1
        letter = first.cut(self.job, self.generation)
        if first.nbytes == 0:
            self.letters.popleft()
        self.held -= len(letter.payload)
        return letter


class Cuts:
    """A stream on its way: what is not yet cut into chunks."""

    def __init__(self, number: int, audio: Audio) -> None:
        self._number, self._audio = number, audio
        self._spans: Iterator[tuple[int, int]] = spans(Shape(*audio.shape), limits.MAX_PAYLOAD_BYTES)
        self.nbytes = audio.nbytes

    def cut(self, job: str, generation: int) -> Letter:
        """The next chunk."""
        offset, samples = next(self._spans)
        payload = chunk_of(self._audio, offset, samples)
        self.nbytes -= len(payload)
        channels = self._audio.shape[0]
        chunk = Chunk(
            job=job, generation=generation, stream=self._number, offset=offset, samples=samples, channels=channels
        )
        return Letter(chunk, payload)


class Outbox:
    """All that waits for one client."""

    def __init__(self, seal: Seal, clock: Callable[[], float] = time.monotonic) -> None:
        self._seal, self._clock = seal, clock
        self._small: deque[Letter] = deque()
        self._progress: dict[str, Progress] = {}
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._first: list[Frame] | None = None
        self._first_is_audio = False
        self._small_held = 0
        self._taken = self._small_taken = self._audio_taken = clock()

    @property
    def nbytes(self) -> int:
        """Bytes that wait."""
        return self._small_held + sum(line.held for line in self._lines.values())

    @property
    def held(self) -> int:
        """Bytes of results that wait, but for the largest job's, which may be larger than any bound."""
        held = [line.held for line in self._lines.values()]
        return sum(held) - max(held, default=0)

    @property
    def waits(self) -> bool:
        """Whether anything is left to send, with credit or without."""
        return bool(self._first or self._small or self._progress or any(line.letters for line in self._lines.values()))

    @property
    def ready(self) -> bool:
        """Whether something can go now."""
        lines = self._lines.values()
        return bool(
            self._first or self._small or self._progress or any(line.letters and not line.blocked for line in lines)
        )

    def stuck(self, bound: int, stall: float) -> bool:
        """Whether its client takes too little to be kept; to be asked twice a second or so.

        ``bound``: bytes of results that may wait, beside those of one job; ``stall``: seconds in which something must
        be taken. Above a bound, only what is taken of the same kind counts: a PONG makes no room for audio.
        """
        now = self._clock()
        if not self.waits:
            self._taken = now
        if self._small_held <= _UNREAD:
            self._small_taken = now
        if self.held <= bound:
            self._audio_taken = now
        over = now - min(self._small_taken, self._audio_taken) > _GRACE
        return over or self._small_held > _FLOOD or now - self._taken > stall

    def say(self, message: Message | Callable[[], Message]) -> None:
        """A small message, before all audio; of a function, what it returns when the message is sent."""
        self._add(Letter(message))

    def sealed(self, frames: list[Frame]) -> None:
        """Frames of the handshake, which are sealed already."""
        self._add(Letter(frames=tuple(frames)))

    def _add(self, letter: Letter) -> None:
        self._small.append(letter)
        self._small_held += letter.nbytes

    def progress(self, message: Progress) -> None:
        """Where a job stands: takes the place of what was not yet sent of it."""
        self._progress[message.job] = message

    def open_line(self, line: Line) -> None:
        """A job whose results will wait here."""
        self._lines[line.job] = line

    def next(self) -> list[Frame] | None:
        """The frames to send now, the same ones until :meth:`sent`; None where nothing may go."""
        if self._first is None:
            letter = self._pick()
            if letter is None:
                return None
            self._first = list(letter.frames) or self._sealed(letter)
            self._first_is_audio = isinstance(letter.message, Chunk)
        return self._first

    def sent(self) -> None:
        """The frames of :meth:`next` are out."""
        self._first = None
        self._taken = self._clock()
        if self._first_is_audio:
            self._audio_taken = self._taken
        else:
            self._small_taken = self._taken

    def credited(self) -> None:
        """The client gave credit: it has taken audio."""
        self._taken = self._audio_taken = self._clock()

    def clear(self) -> None:
        """Forget everything."""
        self._small.clear()
        self._progress.clear()
        self._lines.clear()
        self._first, self._small_held = None, 0

    def _sealed(self, letter: Letter) -> list[Frame]:
        assert letter.message is not None, "a letter has a message or frames"
        message = letter.message if isinstance(letter.message, Message) else letter.message()
        return self._seal(message, letter.payload)

    def _pick(self) -> Letter | None:
        if self._small:
            letter = self._small.popleft()
            self._small_held -= letter.nbytes
            return letter
        if self._progress:
            return Letter(self._progress.pop(next(iter(self._progress))))
        for name, line in list(self._lines.items()):  # the job that was served longest ago first
            following = line.next()
            if following is None:
                continue
            self._lines.move_to_end(name)
            if line.over:
                del self._lines[name]
            return following
        return None
