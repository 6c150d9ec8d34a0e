"""Jobs and chunks whose declared shapes are not those of the bytes, or are beyond reason."""

from __future__ import annotations

from typing import Any

import msgpack

from segue_protocol.connection_file import ConnectionFile
from segue_protocol.messages import Accepted, Error, Failed, Ping, Pong
from tests.faults.attacks.run import main
from tests.renderers import Peer, submit

GOOD: dict[str, Any] = {"type": "CHUNK", "generation": 0, "stream": 0, "offset": 0, "samples": 16, "channels": 2}
CHUNKS: dict[str, tuple[dict[str, Any], int]] = {
    "fewer bytes": ({}, 127),
    "more bytes": ({}, 129),
    "no bytes": ({}, 0),
    "no samples": ({"samples": 0}, 0),
    "negative samples": ({"samples": -16}, 128),
    "negative offset": ({"offset": -16}, 128),
    "an offset that overflows": ({"offset": 2**53 - 1}, 128),
    "an offset past all integers": ({"offset": 2**63}, 128),
    "samples that overflow": ({"samples": 2**62}, 128),
    "channels that multiply to the size": ({"channels": 1, "samples": 32}, 128),
    "channels beyond two": ({"channels": 4, "samples": 8}, 128),
    "samples as a float": ({"samples": 16.0}, 128),
    "samples as text": ({"samples": "16"}, 128),
    "another stream": ({"stream": 1}, 128),
    "a stream below zero": ({"stream": -1}, 128),
}
JOBS: dict[str, dict[str, Any]] = {
    "a stream of a terabyte": {"samples": 2**38, "rate": 768_000},
    "a stream of days": {"samples": 2**32, "rate": 8000},
    "a stream past the limit of samples": {"samples": 2**41},
    "a negative stream": {"samples": -1},
    "an empty stream": {"samples": 0},
    "a rate of zero": {"rate": 0},
    "three channels": {"channels": 3},
}


def attack(content: ConnectionFile) -> str:
    """The job fails, or never comes to be; room is never made for what was declared."""
    with Peer(content) as peer:
        for number, (name, (changed, size)) in enumerate(CHUNKS.items()):
            job = f"lying-{number}"
            assert isinstance(peer.submit(job), Accepted), name
            peer.put(msgpack.packb({**GOOD, "job": job, **changed}), bytes(size))
            final = peer.final(job, 10.0)
            assert isinstance(final, Failed), name
            assert final.code in ("MALFORMED", "INVALID"), f"{name}: {final.code}"
        for name, changed in JOBS.items():
            plain = submit("huge").model_dump(exclude_none=True)
            plain["streams"] = [{**plain["streams"][0], **changed}]
            peer.put(msgpack.packb({"type": "SUBMIT", **plain}))
            error = peer.await_((Error, Accepted), 10.0)
            assert isinstance(error, Error), f"{name}: {error}"
            assert error.code in ("RESOURCE", "INVALID"), f"{name}: {error.code}"
        peer.send(Ping(token=2))
        assert peer.await_(Pong, 10.0).token == 2
    return f"{len(CHUNKS)} chunks and {len(JOBS)} jobs were refused"


if __name__ == "__main__":
    main("lying_shapes")
