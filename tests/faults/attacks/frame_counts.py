"""Messages of no, one or too many frames, and seals that are too short or too long."""

from __future__ import annotations

from segue_protocol.codec import pack
from segue_protocol.connection_file import ConnectionFile
from segue_protocol.messages import Ping, Pong
from tests.faults.attacks.run import main
from tests.renderers import Peer


def attack(content: ConnectionFile) -> str:
    """All are dropped, and the session goes on."""
    with Peer(content) as peer:
        seal, header = (bytes(frame) for frame in peer.sealed(*pack(Ping(token=1))))
        several = (
            [b""],
            [seal],
            [seal, header, b"", b""],
            [seal, header, *[b"x"] * 500],
            [seal[:-1], header],
            [seal + b"\0", header],
            [b"", header],
            [seal, b""],
            [seal, header * 4000],
        )
        for frames in several:
            for _ in range(20):
                peer.raw(list(frames))
        assert peer.silent(0.3)
        peer.send(Ping(token=2))
        assert peer.await_(Pong, 10.0).token == 2
    return f"{20 * len(several)} messages were dropped"


if __name__ == "__main__":
    main("frame_counts")
