"""Writing a file so that it is either the old one or the new one, never a part.

A temporary file in the same folder, fsync, rename, fsync of the folder. What a killed writer leaves behind is named
``.NAME.TOKEN.segue-part`` and removed by the next write to the same name, once it has not grown for ten minutes.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from segue.errors import AudioFileError, ResourceError

SUFFIX = ".segue-part"
STALE_SECONDS = 600.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; when the block ends without an error it takes the place of ``path``, at once and durably.

    On any error the temporary file is removed and ``path`` is what it was. A link is followed; the permissions of the
    old file are kept.

    Raises:
        ResourceError: the disk is full, over quota or failing.
        AudioFileError: the folder is missing or not writable, or ``path`` is not a regular file.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise AudioFileError(f"expected a file name to write, {path} is something else: choose another name")
    remove_stale(target)
    part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}{SUFFIX}")
    try:
        part.touch(exist_ok=False)
        yield part
        _sync(part)
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
        if os.name == "posix":  # elsewhere a folder cannot be opened
            _sync(target.parent)
    except OSError as error:
        raise _refusal(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def remove_stale(target: Path) -> list[Path]:
    """Remove what killed writers of ``target`` left, unless it changed within ten minutes; returns what was removed."""
    removed = []
    prefix = f".{target.name[:100]}."
    with suppress(OSError):
        for entry in target.parent.iterdir():
            if not (entry.name.startswith(prefix) and entry.name.endswith(SUFFIX)):
                continue
            with suppress(OSError):
                if time.time() - entry.stat().st_mtime > STALE_SECONDS:
                    entry.unlink()
                    removed.append(entry)
    return removed


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refusal(path: Path, error: OSError) -> AudioFileError | ResourceError:
    if error.errno in _FULL:
        return ResourceError(f"no room to write {path} ({error.strerror}): free some space; the old file is untouched")
    return AudioFileError(f"cannot write {path} ({error.strerror}): check the folder and its permissions")
