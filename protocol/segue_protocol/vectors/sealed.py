"""Whole messages with their seals: the keys, the MAC, the sequence numbers."""

from __future__ import annotations

from collections.abc import Iterator

from segue_protocol import messages as m
from segue_protocol.codec import pack
from segue_protocol.errors import Code
from segue_protocol.messages import Sender
from segue_protocol.session import handshake_key, seal, session_key
from segue_protocol.vectors import valid
from segue_protocol.vectors.vector import CLIENT_NONCE, RENDERER_NONCE, SECRET, Vector, plain

HANDSHAKE_KEY = handshake_key(SECRET)
SESSION_KEY = session_key(SECRET, CLIENT_NONCE, RENDERER_NONCE)
CLIENT, RENDERER = Sender.CLIENT, Sender.RENDERER
PING = plain(pack(m.Ping(token=5)))
CHUNK = plain(pack(m.Chunk(**valid.JOB, stream=0, offset=0, samples=3, channels=2), valid.AUDIO))


def keys() -> dict[str, str]:
    """What the keys are made of, and the keys, in hexadecimal."""
    named = {"secret": SECRET, "client_nonce": CLIENT_NONCE, "renderer_nonce": RENDERER_NONCE}
    named |= {"handshake_key": HANDSHAKE_KEY, "session_key": SESSION_KEY}
    return {name: value.hex() for name, value in named.items()}


def _sealed(
    sequence: int, frames: tuple[bytes, ...] = PING, sender: Sender = CLIENT, key: bytes = SESSION_KEY
) -> tuple[bytes, ...]:
    return plain(seal(key, sender, sequence, frames))


def vectors() -> Iterator[Vector]:
    """Valid and invalid ones; in all, the message expected next is number 3."""

    def vector(
        name: str, about: str, frames: tuple[bytes, ...], code: Code | None = None, sender: Sender = CLIENT
    ) -> Vector:
        kind = None if code else ("CHUNK" if len(frames) == 3 else "PONG" if sender is RENDERER else "PING")
        return Vector(f"sealed-{name}", about, sender, frames, kind, code, bool(kind), SESSION_KEY, 3)

    yield vector("ping", "without payload", _sealed(3))
    yield vector("chunk", "with payload", _sealed(3, CHUNK))
    pong = plain(pack(m.Pong(token=5)))
    yield vector("pong", "the other direction", _sealed(3, pong, RENDERER), sender=RENDERER)
    hello = plain(pack(m.Hello(nonce=CLIENT_NONCE, client="Segue plug-in 0.1.0")))
    frames = _sealed(0, hello, key=HANDSHAKE_KEY)
    yield Vector("sealed-hello", "a handshake", CLIENT, frames, "HELLO", None, True, HANDSHAKE_KEY, 0)

    yield vector("replay", "number 2 again", _sealed(2), Code.OUT_OF_ORDER)
    yield vector("ahead", "number 4 too early", _sealed(4), Code.OUT_OF_ORDER)
    yield vector("last", "the largest number", _sealed((1 << 64) - 1), Code.OUT_OF_ORDER)
    good, chunk = _sealed(3), _sealed(3, CHUNK)
    yield vector("renumbered", "number 2 made 3", (good[0][:8] + _sealed(2)[0][8:], good[1]), Code.UNVERIFIED)
    yield vector("wrong-key", "sealed for the handshake", _sealed(3, key=HANDSHAKE_KEY), Code.UNVERIFIED)
    yield vector("reflected", "sealed by the other side", _sealed(3, PING, RENDERER), Code.UNVERIFIED)
    yield vector("mac-altered", "a bit of the MAC", (good[0][:-1] + bytes([good[0][-1] ^ 1]), good[1]), Code.UNVERIFIED)
    yield vector(
        "header-altered", "a bit of the header", (good[0], good[1][:-1] + bytes([good[1][-1] ^ 1])), Code.UNVERIFIED
    )
    yield vector(
        "payload-altered", "a bit of a sample", (*chunk[:2], bytes([chunk[2][0] ^ 1]) + chunk[2][1:]), Code.UNVERIFIED
    )
    moved = (chunk[0], chunk[1] + chunk[2][:1], chunk[2][1:])
    yield vector("frame-edge-moved", "a byte from one frame to the other", moved, Code.UNVERIFIED)
    yield vector("payload-dropped", "its payload left away", chunk[:2], Code.UNVERIFIED)
    yield vector("payload-added", "an empty payload", (*good, b""), Code.UNVERIFIED)
    yield vector("swapped", "the header of another message", (good[0], chunk[1]), Code.UNVERIFIED)
    yield vector("one-frame", "only a seal", good[:1], Code.MALFORMED)
    yield vector("no-frame", "nothing", (), Code.MALFORMED)
    yield vector("four-frames", "too many", (*chunk, b""), Code.MALFORMED)
    yield vector("seal-short", "a byte less", (good[0][:-1], good[1]), Code.MALFORMED)
    yield vector("seal-long", "a byte more", (good[0] + b"\0", good[1]), Code.MALFORMED)
    yield vector("bad-inside", "sealed well, but no msgpack", _sealed(3, (b"\xc1",)), Code.MALFORMED)
