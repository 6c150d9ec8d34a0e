"""A loaded clip as the page shows it: facts, a gap if it has one, something to play, pictures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import soundfile

from segue.clip.clip import Clip
from segue.clip.files import read_audio
from segue.clip.gaps import find_gap
from segue.errors import InvalidRequest
from segue.studio.pictures import Picture, Stretch, around, draw_clip

PLAYABLE = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus"})
"""What browsers play as it is."""


@lru_cache(maxsize=8)
def clip_of(path: str) -> Clip:
    """A file's audio; kept, as the picture is drawn again at each mark.

    Raises:
        AudioFileError, InvalidRequest: see :func:`segue.clip.files.read_audio`.
    """
    return read_audio(Path(path)).clip()


def picture_of(path: str, gaps: Sequence[Stretch], near: bool) -> Picture:
    """A file's picture: all of it or, ``near``, what is around its gaps. The gaps are not marked in it."""
    return _drawn(path, around(gaps if near else (), clip_of(path).seconds))


@lru_cache(maxsize=16)
def _drawn(path: str, shown: Stretch) -> Picture:
    return draw_clip(clip_of(path), shown)


def facts(path: str) -> str:
    """One line about a file, as :func:`clip_of` reads it."""
    about, clip = soundfile.info(path), clip_of(path)
    channels = "mono" if clip.channels == 1 else "stereo"
    return f"{Path(path).name}: {clip.seconds:.3f} s, {clip.rate} Hz, {channels}, {about.subtype}"


def silence_in(path: str) -> Stretch | None:
    """The longest silence between sound, in seconds; None where there is none."""
    clip = clip_of(path)
    try:
        gap = find_gap(clip)
    except InvalidRequest:
        return None
    return gap.start / clip.rate, gap.stop / clip.rate


def playable(path: str, folder: Path) -> str:
    """The file, or a WAV copy of 16 bits in ``folder`` of one that browsers do not play; for listening alone."""
    if Path(path).suffix.lower() in PLAYABLE:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()  # files of one name have a copy each
    copy = folder / f"{Path(path).name} (to listen to, {digest[:8]}).wav"
    clip = clip_of(path)
    soundfile.write(copy, clip.samples.T, clip.rate, subtype="PCM_16")
    return str(copy)


def marked_picture(path: str, gaps: Sequence[Stretch], near: bool) -> tuple[Picture, Picture]:
    """A file's picture as drawn, and with its gaps marked."""
    picture = picture_of(path, gaps, near)
    return picture, Picture(picture.marked(gaps), picture.shown)
