"""What a file carries beside its audio: text tags, chunks of other programs, and Segue's recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from segue.clip import chunks
from segue.clip.header import Header, inspect
from segue.clip.recipe import MAX_BYTES, Recipe
from segue.errors import AudioFileError

_TAGS = ("title", "artist", "album", "tracknumber", "date", "genre", "copyright", "license", "software", "comment")
_RECIPE_LINE = "segue-recipe "
_MAX_TAG_BYTES = 4096  # of more than about 8 kB in a WAV, libsndfile drops some or breaks the file
_MAX_CHUNK = 1 << 24
_STRUCTURE = frozenset(
    b"fmt |data|fact|PEAK|ds64|JUNK|FLLR|PAD |COMM|SSND|FVER|desc|pakt|kuki|chan|free|peak".split(b"|")
)
"""Chunks that describe the audio they stand beside: libsndfile writes them anew."""
_POSITIONS = frozenset([b"cue ", b"smpl", b"plst", b"MARK", b"INST", b"mark", b"regn", b"inst"])
"""Chunks that point at samples: wrong once samples have moved. So are the labels in a LIST of type adtl."""


@dataclass(frozen=True)
class Carried:
    """``tags`` to write through libsndfile, ``chunks`` to add behind the audio, names of what had to stay behind."""

    tags: dict[str, str]
    chunks: tuple[tuple[bytes, bytes], ...]
    dropped: tuple[str, ...]


def family(container: str) -> str:
    """Containers that share their chunks have one family: WAV, WAVEX and RF64."""
    return "WAV" if container in ("WAV", "WAVEX", "RF64") else container


def carry(
    tags: Mapping[str, str], extra: tuple[tuple[bytes, bytes], ...], origin: str, target: str, *, moved: bool
) -> Carried:
    """Sort out what goes from a file of family ``origin`` into one of ``target``; ``moved``: samples change place.

    Within a family all chunks go over as they are, text tags among them. Between families the text tags do, as far as
    the container has room for them.
    """
    if origin == target and target in ("WAV", "AIFF", "CAF"):
        stay = [c for c in extra if moved and (c[0] in _POSITIONS or (c[0] == b"LIST" and c[1][:4] == b"adtl"))]
        return Carried({}, tuple(c for c in extra if c not in stay), tuple(_printable(c[0]) for c in stay))
    known = {b"LIST", b"NAME", b"AUTH", b"(c) ", b"ANNO", b"info"}  # hold the text tags themselves
    dropped = [_printable(c[0]) for c in extra if c[0] not in known or c[1][:4] == b"adtl"]
    room = {"W64": 0, "FLAC": MAX_BYTES}.get(target, _MAX_TAG_BYTES)
    written = {}
    for name, text in tags.items():
        if len(text.encode()) <= room and _holds(target, name):
            room -= len(text.encode())
            written[name] = text
        else:
            dropped.append(name)
    return Carried(written, (), tuple(dropped))


def _holds(target: str, name: str) -> bool:
    return target != "AIFF" or name in ("title", "artist", "copyright", "comment")


def _printable(chunk_id: bytes) -> str:
    return chunk_id[:4].decode("latin-1").strip()


def text_tags(file: Any) -> dict[str, str]:
    """The text tags of an open soundfile, without Segue's recipe."""
    tags = {name: text for name, text in file.copy_metadata().items() if name in _TAGS}
    tags["comment"] = _split_comment(tags.get("comment", ""))[0]
    return {name: text for name, text in tags.items() if text}


def extra_chunks(path: Path, header: Header) -> tuple[tuple[bytes, bytes], ...]:
    """All chunks (id, payload) of a file that neither describe its audio nor are Segue's; none over 16 MiB."""
    if header.layout is None:
        return ()
    found = []
    with path.open("rb") as file:
        for chunk in header.chunks:
            if chunk.id[:4] in _STRUCTURE or chunk.size > _MAX_CHUNK:
                continue
            content = chunks.payload(file, chunk)
            if not chunks.is_recipe(header.layout, chunk.id, content):
                found.append((chunk.id, content))
    return tuple(found)


def recipe_comment(comment: str, recipe: Recipe) -> dict[str, str]:
    """The comment tag with the recipe as one more line: for FLAC, which has comments and no chunks."""
    return {"comment": "\n".join([*([comment] if comment else []), _RECIPE_LINE + recipe.to_json()])}


def _split_comment(comment: str) -> tuple[str, str | None]:
    """A comment without the recipe's line, and the recipe; JSON in one line holds no line break."""
    lines = comment.split("\n")
    ours = [line for line in lines if line.startswith(_RECIPE_LINE)]
    rest = "\n".join(line for line in lines if not line.startswith(_RECIPE_LINE))
    return rest, ours[-1][len(_RECIPE_LINE) :] if ours else None


def read_recipe(path: Path) -> Recipe:
    """The recipe inside a file that Segue wrote.

    Raises:
        AudioFileError: the file is broken, or holds no recipe.
        InvalidRequest: the recipe is damaged or of a newer major version.
    """
    path = Path(path)
    header = inspect(path)
    text = _recipe_comment(path) if header.layout is None else _recipe_chunk(path, header)
    if text is None:
        raise AudioFileError(f"{path} holds no recipe: expected a file Segue wrote and no other program saved again")
    return Recipe.from_json(text)


def _recipe_chunk(path: Path, header: Header) -> bytes | None:
    if header.layout is None or header.layout.recipe is None:
        return None
    chunk_id, prefix = header.layout.recipe
    with path.open("rb") as file:
        for chunk in header.chunks:
            if chunk.id == chunk_id and chunk.size <= MAX_BYTES + len(prefix):
                content = chunks.payload(file, chunk)
                if chunks.is_recipe(header.layout, chunk.id, content):
                    return content[len(prefix) :]
    return None


def _recipe_comment(path: Path) -> str | None:
    try:
        with soundfile.SoundFile(path) as file:
            return _split_comment(file.copy_metadata().get("comment", ""))[1]
    except soundfile.LibsndfileError as error:
        raise AudioFileError(f"{path} is damaged or cut off ({error}): copy or export it again") from error
