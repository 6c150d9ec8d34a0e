"""Sealed sessions: a message that was altered, replayed, reordered, redirected or made up is refused.

CURVE already encrypts the wire; the seal holds end to end, whatever carries the frames. The first frame of each message
is a sequence number (8 bytes, little-endian) and a MAC (32 bytes): keyed BLAKE2b-256 over the sender, the sequence
number, the number and lengths of the frames behind it, and these frames. HELLO and WELCOME are sealed with a key
made from the connection file's secret; all else with one made from that secret and both sides' nonces.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Sequence

from segue_protocol import codec, limits
from segue_protocol.codec import Frame, Received, frame_bytes
from segue_protocol.errors import Code, ProtocolError
from segue_protocol.messages import Error, Hello, Message, Sender, Welcome

_HANDSHAKE, _SESSION = b"segue handshake 1", b"segue session 1"


def handshake_key(secret: bytes) -> bytes:
    """The key of HELLO, WELCOME and the ERROR that refuses a HELLO."""
    return _derive(secret, _HANDSHAKE)


def session_key(secret: bytes, client_nonce: bytes, renderer_nonce: bytes) -> bytes:
    """The key of all other messages of one session."""
    return _derive(secret, _SESSION + client_nonce + renderer_nonce)


def _derive(secret: bytes, data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=limits.KEY_BYTES, key=secret).digest()


def mac(key: bytes, sender: Sender, sequence: int, frames: Sequence[Frame]) -> bytes:
    """The MAC of a message's frames, those behind the seal."""
    head = [sender.value, sequence.to_bytes(8, "little"), len(frames).to_bytes(4, "little")]
    head += [frame_bytes(frame).to_bytes(8, "little") for frame in frames]
    hashed = hashlib.blake2b(b"".join(head), digest_size=limits.MAC_BYTES, key=key)
    for frame in frames:
        hashed.update(frame)
    return hashed.digest()


def seal(key: bytes, sender: Sender, sequence: int, frames: Sequence[Frame]) -> list[Frame]:
    """The frames with their seal in front."""
    return [sequence.to_bytes(8, "little") + mac(key, sender, sequence, frames), *frames]


def unseal(key: bytes, sender: Sender, frames: Sequence[Frame]) -> int:
    """The sequence number of a message, once its seal holds.

    Raises:
        ProtocolError: MALFORMED (number or sizes of frames), UNVERIFIED.
    """
    _check_frames(frames)
    given = bytes(frames[0])
    sequence = int.from_bytes(given[:8], "little")
    if not hmac.compare_digest(given[8:], mac(key, sender, sequence, frames[1:])):
        raise ProtocolError(
            Code.UNVERIFIED, "expected a message sealed with this session's key, got one that is not: it was dropped"
        )
    return sequence


def _check_frames(frames: Sequence[Frame]) -> None:
    if not 2 <= len(frames) <= 3:
        raise ProtocolError(
            Code.MALFORMED, f"expected a seal, a header and at most one payload, got {len(frames)} frames"
        )
    bounds = (limits.SEAL_BYTES, limits.MAX_HEADER_BYTES, limits.MAX_PAYLOAD_BYTES)
    for name, frame, most in zip(("seal", "header", "payload"), frames, bounds, strict=False):
        if frame_bytes(frame) > most or (name == "seal" and frame_bytes(frame) != most):
            raise ProtocolError(Code.MALFORMED, f"expected a {name} frame of {most} bytes, got {frame_bytes(frame)}")


class Channel:
    """Both directions of one session, as one side sees it. Not for several threads at once."""

    def __init__(self, key: bytes, side: Sender) -> None:
        """``side``: who seals here; the other one's messages are opened."""
        self._key, self._side = key, side
        self._other = Sender.RENDERER if side is Sender.CLIENT else Sender.CLIENT
        self.sent = self.received = 0

    def seal(self, message: Message, payload: Frame = b"") -> list[Frame]:
        """All frames of a message, ready to send; they must be sent, in this order.

        Raises:
            ProtocolError: see :func:`segue_protocol.codec.pack`; then nothing was counted.
        """
        frames = codec.pack(message, payload)
        sealed = seal(self._key, self._side, self.sent, frames)
        self.sent += 1
        return sealed

    def open(self, frames: Sequence[Frame]) -> Received:
        """The message in ``frames``.

        Only a message whose seal holds and whose number is the next one is counted, also where its content is refused.

        Raises:
            ProtocolError: MALFORMED, UNVERIFIED, OUT_OF_ORDER (a replay where the number is past; lost messages where
            it is ahead: then the session is over), and those of :func:`segue_protocol.codec.parse`.
        """
        sequence = unseal(self._key, self._other, frames)
        if sequence != self.received:
            what = "it was sent before" if sequence < self.received else "messages before it were lost"
            raise ProtocolError(
                Code.OUT_OF_ORDER, f"expected message {self.received} of the session, got {sequence}: {what}"
            )
        self.received += 1
        return codec.parse(frames[1:], self._other)


class ClientSession:
    """A client's side: :meth:`hello`, then :meth:`open` what comes, then :meth:`seal`."""

    def __init__(self, secret: bytes, client: str) -> None:
        """``secret`` of the connection file; ``client``: name and version, for the renderer's log."""
        self._secret, self._client = secret, client
        self._nonce: bytes | None = None
        self._channel: Channel | None = None

    @property
    def established(self) -> bool:
        """Whether WELCOME came."""
        return self._channel is not None

    def hello(self) -> list[Frame]:
        """Frames of a HELLO; a session there was ends here."""
        self._nonce, self._channel = secrets.token_bytes(limits.NONCE_BYTES), None
        frames = codec.pack(Hello(nonce=self._nonce, client=self._client))
        return seal(handshake_key(self._secret), Sender.CLIENT, 0, frames)

    def open(self, frames: Sequence[Frame]) -> Received:
        """WELCOME, or ERROR where HELLO was refused; once established, a message of the session.

        Raises:
            ProtocolError: see :meth:`Channel.open`; UNVERIFIED also for answers to another HELLO.
        """
        if self._channel is not None:
            return self._channel.open(frames)
        unseal(handshake_key(self._secret), Sender.RENDERER, frames)
        received = codec.parse(frames[1:], Sender.RENDERER)
        answer = received.message
        if isinstance(answer, Error) and answer.nonce is not None and answer.nonce == self._nonce:
            return received
        if not isinstance(answer, Welcome) or self._nonce is None or answer.client_nonce != self._nonce:
            raise ProtocolError(Code.UNVERIFIED, f"expected WELCOME for the last HELLO, got {answer.TYPE} for another")
        self._channel = Channel(session_key(self._secret, self._nonce, answer.nonce), Sender.CLIENT)
        return received

    def seal(self, message: Message, payload: Frame = b"") -> list[Frame]:
        """All frames of a message, ready to send.

        Raises:
            ProtocolError: LOST before WELCOME; see :meth:`Channel.seal`.
        """
        return _established(self._channel).seal(message, payload)


class Nonces:
    """The latest HELLOs of all peers of a renderer, so that none is answered twice."""

    def __init__(self, most: int = 65_536) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._most = most

    def add(self, nonce: bytes) -> bool:
        """Whether it is new."""
        if nonce in self._seen:
            return False
        self._seen[nonce] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return True


class RendererSession:
    """A renderer's side, one for each peer of its ROUTER.

    A HELLO on a peer with a session does not end that session: the new one takes its place with the first message that
    is sealed with its key, which only who knows the secret can send.
    """

    def __init__(self, secret: bytes, nonces: Nonces) -> None:
        self._secret, self._nonces = secret, nonces
        self._channel: Channel | None = None
        self._next: Channel | None = None
        self.sessions = 0
        """Sessions begun; a change says that the jobs of the one before have lost their client."""

    @property
    def established(self) -> bool:
        """Whether the client has spoken in a session."""
        return self._channel is not None

    def open(self, frames: Sequence[Frame]) -> Received:
        """HELLO, which :meth:`welcome` or :meth:`refuse` answers, or a message of the session.

        Raises:
            ProtocolError: see :meth:`Channel.open`; UNVERIFIED also for a HELLO that came before; VERSION, with the
            nonce that :meth:`refuse` wants.
        """
        _check_frames(frames)
        for channel in (self._channel, self._next):
            if channel is None:
                continue
            try:
                received = channel.open(frames)
            except ProtocolError as error:
                if error.code is Code.UNVERIFIED:
                    continue
                if channel.received:
                    self._adopt(channel)
                error.nonce = None  # of a HELLO that no handshake brought: the answer belongs to the session
                raise
            self._adopt(channel)
            if isinstance(received.message, Hello):
                raise ProtocolError(Code.MALFORMED, "expected HELLO sealed with the handshake key, got it in a session")
            return received
        return self._hello(frames)

    def _adopt(self, channel: Channel) -> None:
        if channel is not self._channel:
            self._channel, self._next = channel, None
            self.sessions += 1

    def _hello(self, frames: Sequence[Frame]) -> Received:
        sequence = unseal(handshake_key(self._secret), Sender.CLIENT, frames)
        received = codec.parse(frames[1:], Sender.CLIENT)
        if not isinstance(received.message, Hello) or sequence != 0 or not self._nonces.add(received.message.nonce):
            raise ProtocolError(Code.UNVERIFIED, "expected a HELLO that did not come before, got a replay: dropped")
        return received

    def welcome(self, welcome: Welcome) -> list[Frame]:
        """Frames of the answer to a HELLO, whose nonce ``welcome`` repeats; the next message begins the session."""
        self._next = Channel(session_key(self._secret, welcome.client_nonce, welcome.nonce), Sender.RENDERER)
        return seal(handshake_key(self._secret), Sender.RENDERER, 0, codec.pack(welcome))

    def refuse(self, error: ProtocolError) -> list[Frame]:
        """Frames of the ERROR that answers a HELLO; ``error.nonce`` must be that HELLO's."""
        if error.nonce is None:
            raise ValueError("only a HELLO whose nonce is known can be refused; drop the message instead")
        return seal(handshake_key(self._secret), Sender.RENDERER, 0, codec.pack(as_message(error)))

    def seal(self, message: Message, payload: Frame = b"") -> list[Frame]:
        """All frames of a message, ready to send.

        Raises:
            ProtocolError: LOST before the client spoke in the session; see :meth:`Channel.seal`.
        """
        return _established(self._channel).seal(message, payload)


def spoken(theirs: str) -> str:
    """The version of a session: the lower one of ours and theirs, which have the same major number."""
    return f"{limits.MAJOR}.{min(limits.MINOR, int(theirs.partition('.')[2]))}"


def as_message(error: ProtocolError) -> Error:
    """The ERROR that tells the other side."""
    return Error(code=error.code, message=_cut(str(error)), remedy=_cut(error.remedy), job=error.job, nonce=error.nonce)


def _cut(text: str) -> str:
    """At most 2048 bytes of UTF-8, the end marked where it was cut."""
    raw = text.encode()
    return text if len(raw) <= 2048 else raw[:2045].decode(errors="ignore") + "…"


def _established(channel: Channel | None) -> Channel:
    if channel is None:
        raise ProtocolError(Code.LOST, "expected a session, got a message before the handshake: send HELLO first")
    return channel
