"""Headers of hostile msgpack, sealed by a client that has the keys."""

from __future__ import annotations

import msgpack

from segue_protocol.connection_file import ConnectionFile
from segue_protocol.messages import Error, Ping, Pong
from tests.faults.attacks.run import main
from tests.renderers import Peer

ROUNDS = 100
PAYLOADS = {
    "3000 arrays deep": b"\x91" * 3000 + b"\xc0",
    "3000 maps deep": b"\x81\xa1a" * 3000 + b"\xc0",
    "0xC1": b"\xc1",
    "0xC1 inside": b"\x81\xa4type\xc1",
    "keys of numbers": msgpack.packb({1: 2}),
    "keys of arrays": b"\x81\x90\xc0",
    "trailing bytes": msgpack.packb({"type": "PING", "token": 1}) + b"\xc0",
    "a key twice": b"\x83\xa4type\xa4PING\xa5token\x01\xa5token\x02",
    "an array of 4 billion": b"\xdd\xff\xff\xff\xff",
    "a map of 4 billion": b"\xdf\xff\xff\xff\xff",
    "a string of 4 GiB": b"\xdb\xff\xff\xff\xffabc",
    "bytes of 4 GiB": b"\xc6\xff\xff\xff\xffabc",
    "an extension": b"\xc7\x01\x05a",
    "a time stamp": b"\xd6\xff\0\0\0\0",
    "no map": b"\x93\x01\x02\x03",
    "surrogates": b"\x81\xa4type\xa3\xed\xa0\x80",
    "no type": b"\x80",
    "nothing but nil": b"\xc0",
}


def attack(content: ConnectionFile) -> str:
    """Each is answered by ERROR MALFORMED, and the session goes on."""
    with Peer(content) as peer:
        for name, header in PAYLOADS.items():
            peer.put(header)
            error = peer.await_((Error, Pong), 10.0)
            assert isinstance(error, Error), name
            assert error.code == "MALFORMED", f"{name}: {error.code}"
        for _ in range(ROUNDS):
            for header in PAYLOADS.values():
                peer.put(header)
            for _ in PAYLOADS:
                peer.await_(Error, 10.0)
        peer.send(Ping(token=2))
        assert peer.await_(Pong, 10.0).token == 2
    return f"{(ROUNDS + 1) * len(PAYLOADS)} hostile headers were refused"


if __name__ == "__main__":
    main("deep_msgpack")
