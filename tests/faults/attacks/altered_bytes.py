"""Every byte of a message altered, one at a time, by somebody between client and renderer who got past CURVE."""

from __future__ import annotations

from segue.service.wire import chunk_of
from segue_protocol.codec import Frame, pack
from segue_protocol.connection_file import ConnectionFile
from segue_protocol.messages import Accepted, Cancel, Chunk, Ping, Pong
from tests.faults.attacks.run import main
from tests.pools import song
from tests.renderers import Peer

SAMPLES = 40


def attack(content: ConnectionFile) -> str:
    """None is answered or counted; the original is accepted afterwards."""
    tried = 0
    with Peer(content) as peer:
        for frames in (pack(Ping(token=9)), audio(peer)):
            sealed = [bytes(frame) for frame in peer.sealed(*frames)]
            for number, frame in enumerate(sealed):
                for place in range(len(frame)):
                    altered = bytearray(frame)
                    altered[place] ^= 1 + tried % 255
                    peer.raw([*sealed[:number], bytes(altered), *sealed[number + 1 :]])
                    tried += 1
            peer.raw(list(sealed))
            peer.sent += 1
            peer.send(Ping(token=10))
            while peer.await_(Pong, 20.0).token != 10:
                pass
        peer.send(Cancel(job="altered", generation=0))
        assert peer.final("altered", 20.0).TYPE == "CANCELLED", "a chunk that was altered has reached its job"
    return f"{tried} altered messages were dropped"


def audio(peer: Peer) -> list[Frame]:
    """A small chunk of an accepted job: a wrong sample in it must not get through either."""
    assert isinstance(peer.submit("altered"), Accepted)
    about = {"job": "altered", "generation": 0, "stream": 0, "offset": 0, "samples": SAMPLES, "channels": 2}
    return pack(Chunk(**about), bytes(chunk_of(song().samples, 0, SAMPLES)))


if __name__ == "__main__":
    main("altered_bytes")
