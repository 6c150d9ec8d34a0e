"""Run one attack, or all, against the renderer of a connection file."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from segue_protocol.connection_file import ConnectionFile, read_connection_file

ATTACKS = (
    "strangers",
    "altered_bytes",
    "replay",
    "frame_counts",
    "giant_frames",
    "deep_msgpack",
    "lying_shapes",
    "path_tricks",
    "half_jobs",
)


def run(name: str, content: ConnectionFile) -> str:
    """What the attack saw; an AssertionError where the renderer gave way."""
    return str(importlib.import_module(f"tests.faults.attacks.{name}").attack(content))


def main(name: str) -> None:
    """The command line of one attack: the connection file as its only argument."""
    print(f"{name}: {run(name, read_connection_file(Path(sys.argv[1])))}")


if __name__ == "__main__":
    for one in ATTACKS:
        main(one)
