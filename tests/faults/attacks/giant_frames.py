"""Frames over the cap, as header, as payload and as seal."""

from __future__ import annotations

from segue_protocol import limits
from segue_protocol.connection_file import ConnectionFile
from segue_protocol.messages import Ping, Pong
from tests.faults.attacks.run import main
from tests.renderers import Peer

SIZES = (limits.SOCKET_MAX_FRAME_BYTES + 1, 16 << 20, 100 << 20)


def attack(content: ConnectionFile) -> str:
    """The connection ends before the frame is there; another client's goes on."""
    with Peer(content) as other:
        for size in SIZES:
            for place in range(3):
                with Peer(content) as peer:
                    frames = [b"\0" * 40, b"\x80", b"\0"][: place + 1]
                    frames[place] = bytes(size)
                    peer.raw(frames)
                    assert peer.silent(0.1)
        other.send(Ping(token=2))
        assert other.await_(Pong, 10.0).token == 2
    return f"{3 * len(SIZES)} giants were cut off"


if __name__ == "__main__":
    main("giant_frames")
