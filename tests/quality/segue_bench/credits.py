"""Who made a track: by the file's own tags, or by the package's copyright file where that names the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import soundfile

UNKNOWN = "unknown"

_NAMED = {
    ("naev-data", "collective?"): "Nikola Whallon",
    ("naev-data", "sirius1"): "Nikola Whallon",
    ("redeclipse-data", "track_*"): 'Derek "JoJo" Stegall',
    ("supertuxkart-data", "ravenbridge_mansion*"): "0zone0ne and Krobonil",
}
"""Read from the copyright files by hand, for tracks without tags; who holds a whole package is not its artist."""


@dataclass(frozen=True)
class Credit:
    """Title (the file's name, where it has none) and artist ("unknown" where nothing says)."""

    title: str
    artist: str


def credit_of(path: Path, package: str) -> Credit:
    """The credit of one audio file of a package."""
    with soundfile.SoundFile(path) as f:
        tags = f.copy_metadata()
    title, artist = (tags.get(name, "").strip() for name in ("title", "artist"))
    for (owner, pattern), name in _NAMED.items():
        if not artist and owner == package and fnmatch(path.stem, pattern):
            artist = name
    return Credit(title or path.stem, artist or UNKNOWN)


def shares_artist(one: str, two: str) -> bool:
    """Whether two artists' names, each perhaps of several people, have one in common."""
    return bool(_people(one) & _people(two))


def _people(artist: str) -> set[str]:
    if artist == UNKNOWN:
        return set()
    return {name.strip().casefold() for name in re.split(r"&|,|\band\b", artist) if name.strip()}
