"""Messages repeated, swapped, taken from another session, and HELLOs said again."""

from __future__ import annotations

import secrets

from segue_protocol import limits
from segue_protocol.codec import pack
from segue_protocol.connection_file import ConnectionFile
from segue_protocol.messages import Goodbye, Hello, Ping, Pong, Sender
from segue_protocol.session import handshake_key, seal
from tests.faults.attacks.run import main
from tests.renderers import Peer


def attack(content: ConnectionFile) -> str:
    """Nothing is answered twice, and the session goes on as if nothing had come."""
    with Peer(content) as victim, Peer(content) as other:
        other.send(Ping(token=1))
        assert other.await_(Pong, 10.0).token == 1
        first = victim.sealed(*pack(Ping(token=1)))
        victim.raw(first)
        victim.sent += 1
        assert victim.await_(Pong, 10.0).token == 1
        later = seal(victim.key, Sender.CLIENT, victim.sent + 1, pack(Ping(token=2)))
        foreign = other.sealed(*pack(Goodbye()))
        reflected = seal(victim.key, Sender.RENDERER, victim.sent, pack(Goodbye()))
        hello = seal(
            handshake_key(victim.secret),
            Sender.CLIENT,
            0,
            pack(Hello(nonce=secrets.token_bytes(limits.NONCE_BYTES), client="again")),
        )
        for frames in (first, later, foreign, reflected, first):
            victim.raw(frames)
        assert victim.silent(0.3), "a replayed message was answered"
        other.raw(hello)
        assert other.frames(5.0) is not None, "a new HELLO is answered once"
        for _ in range(5):
            victim.raw(hello)
            other.raw(hello)
        assert other.silent(0.3), "a HELLO was answered twice"
        assert victim.silent(0.3), "a HELLO of another connection was answered"
        for peer in (victim, other):
            peer.send(Ping(token=3))
            assert peer.await_(Pong, 10.0).token == 3, "the session did not go on"
    return "16 replays moved no counter and ended no session"


if __name__ == "__main__":
    main("replay")
