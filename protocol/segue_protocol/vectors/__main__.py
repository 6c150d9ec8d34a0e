"""Write the vectors: ``python -m segue_protocol.vectors protocol/vectors``."""

from __future__ import annotations

import sys
from pathlib import Path

from segue_protocol.vectors import invalid, sealed, valid
from segue_protocol.vectors.vector import Vector, write_listing


def all_vectors() -> list[Vector]:
    """Valid, invalid and sealed ones."""
    return [*valid.vectors(), *invalid.vectors(), *sealed.vectors()]


def write(folder: Path) -> int:
    """Write them all into ``folder``; how many there are."""
    vectors = all_vectors()
    write_listing(folder, vectors, sealed.keys())
    return len(vectors)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m segue_protocol.vectors FOLDER")
    print(f"{write(Path(sys.argv[1]))} vectors written to {sys.argv[1]}")
