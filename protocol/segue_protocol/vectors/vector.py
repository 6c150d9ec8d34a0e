"""One vector, its file and its row in the listing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segue_protocol.codec import Frame
from segue_protocol.errors import Code
from segue_protocol.messages import Sender

LISTING, KEYS = "listing.tsv", "keys.tsv"
SECRET = bytes(range(32))
CLIENT_NONCE = bytes(range(32, 64))
RENDERER_NONCE = bytes(range(64, 96))
"""Of the sealed vectors. Never of anything else."""


@dataclass(frozen=True)
class Vector:
    """A message's frames, and what must come of them.

    ``type``: of the message, where it is valid; ``code``: of the refusal, where it is not. ``canonical``: packing the
    parsed message gives the same bytes. Sealed ones also have the ``key`` and the ``sequence`` number expected next.
    """

    name: str
    about: str
    sender: Sender
    frames: tuple[bytes, ...]
    type: str | None = None
    code: Code | None = None
    canonical: bool = False
    key: bytes | None = None
    sequence: int | None = None

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.name}.bin"

    def row(self) -> dict[str, str]:
        """Its row in the listing."""
        return {
            "name": self.name,
            "sender": self.sender.name.lower(),
            "type": self.type or "",
            "code": self.code or "",
            "canonical": "yes" if self.canonical else "no",
            "key": "" if self.key is None else self.key.hex(),
            "sequence": "" if self.sequence is None else str(self.sequence),
            "about": self.about,
        }


def plain(frames: Iterable[Frame]) -> tuple[bytes, ...]:
    """Frames as bytes."""
    return tuple(bytes(frame) for frame in frames)


def to_file(frames: Sequence[bytes]) -> bytes:
    """Each frame behind its length, 4 bytes little-endian."""
    return b"".join(len(frame).to_bytes(4, "little") + frame for frame in frames)


def from_file(raw: bytes) -> tuple[bytes, ...]:
    """Inverse of :func:`to_file`."""
    frames, at = [], 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "little")
        frames.append(raw[at + 4 : at + 4 + size])
        at += 4 + size
    return tuple(frames)


def write_listing(folder: Path, vectors: Sequence[Vector], keys: Mapping[str, str]) -> None:
    """All files, and nothing else, in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.bin"):
        old.unlink()
    for vector in vectors:
        (folder / vector.file).write_bytes(to_file(vector.frames))
    (folder / LISTING).write_text(_table([vector.row() for vector in vectors]), encoding="utf-8")
    (folder / KEYS).write_text(_table([keys]), encoding="utf-8")


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    """Tab-separated values, the names of the columns first: readable in any language without a library."""
    return "".join("\t".join(row) + "\n" for row in (tuple(rows[0]), *(tuple(row.values()) for row in rows)))


def read_listing(folder: Path) -> list[Vector]:
    """What :func:`write_listing` wrote."""
    names, *rows = (line.split("\t") for line in (folder / LISTING).read_text(encoding="utf-8").splitlines())
    return [_from_row(folder, dict(zip(names, row, strict=True))) for row in rows]


def _from_row(folder: Path, row: Mapping[str, str]) -> Vector:
    return Vector(
        row["name"],
        row["about"],
        Sender[row["sender"].upper()],
        from_file((folder / f"{row['name']}.bin").read_bytes()),
        row["type"] or None,
        Code(row["code"]) if row["code"] else None,
        row["canonical"] == "yes",
        bytes.fromhex(row["key"]) if row["key"] else None,
        int(row["sequence"]) if row["sequence"] else None,
    )
