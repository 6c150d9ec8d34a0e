"""Names that try to be paths, wherever a job may name something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import psutil

from segue_protocol.connection_file import ConnectionFile
from segue_protocol.messages import Accepted, Busy, Cancel, Error, Ping, Pong
from tests.faults.attacks.run import main
from tests.renderers import Peer, submit

TRICKS = (
    "../../../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "./embedded",
    "embedded/../../x",
    "embedded.zip",
    "C:\\Windows\\win.ini",
    "\\\\server\\share\\x",
    "embedded\0.zip",
    "file:///etc/passwd",
    "~/x",
    "$HOME",
    "CON",
    "a" * 300,
    "%2e%2e%2fx",
    "\u202e..",
    "none-of-these",
)


def attack(content: ConnectionFile) -> str:
    """Whatever is not a listed name is refused; a stream's own name is text and nothing else."""
    working_folder = Path(psutil.Process(content.pid).cwd())
    here = set(working_folder.iterdir())
    tried = 0
    with Peer(content) as peer:
        for trick in TRICKS:
            plain = submit("tricky").model_dump(exclude_none=True)
            stream = plain["streams"][0]
            changes: list[dict[str, Any]] = [
                {"settings": {**plain["settings"], "bundle": trick}},
                {"settings": {**plain["settings"], "preset": trick}},
                {"task": trick},
                {"streams": [{**stream, "role": trick}]},
                {"streams": [{**stream, "digest": trick}]},
            ]
            for changed in changes:
                answer = ask(peer, {**plain, **changed})
                assert isinstance(answer, Error), f"{changed}: {answer}"
                assert answer.code in ("INVALID", "UNSUPPORTED", "MODEL_REJECTED"), f"{changed}: {answer.code}"
            if "/" in trick or "." in trick or "\0" in trick:
                answer = ask(peer, {**plain, "job": trick})
                assert isinstance(answer, Error), f"job {trick!r}: {answer}"
            name = trick.encode()[:200].decode(errors="ignore")
            answer = ask(peer, {**plain, "streams": [{**stream, "name": name}]})
            assert isinstance(answer, Accepted), f"name {trick!r}: {answer}"
            peer.send(Cancel(job="tricky", generation=0))
            assert peer.final("tricky", 10.0).TYPE == "CANCELLED"
            tried += len(changes) + 2
        peer.send(Ping(token=2))
        assert peer.await_(Pong, 10.0).token == 2
    assert set(working_folder.iterdir()) == here, "a file appeared"
    return f"{tried} names led nowhere"


def ask(peer: Peer, fields: dict[str, Any]) -> Accepted | Busy | Error:
    peer.put(msgpack.packb({"type": "SUBMIT", **fields}))
    return peer.await_((Accepted, Busy, Error), 10.0)


if __name__ == "__main__":
    main("path_tricks")
