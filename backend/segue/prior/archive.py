"""Bundles that come as one zip: unpacked once into the cache, under the digest of the zip.

Names must be flat, files regular and unencrypted; what is written is counted, so a zip that lies about its sizes or
inflates beyond reason is refused before it fills the disk.
"""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path

from segue.errors import BundleRejected, ResourceError
from segue.prior.checks import file_digest

MAX_FILES = 64
MAX_BYTES = 64 << 30
MAX_RATIO = 100  # deflate reaches 1000 on zeros; graphs, the most compressible of a bundle, about 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_BLOCK = 1 << 20


def unpack(path: Path, cache: Path) -> Path:
    """The folder a zipped bundle has been unpacked to.

    Raises:
        BundleRejected: no zip, or one with folders, links, encrypted or too many or too large files.
        ResourceError: not enough room in the cache.
    """
    folder = cache / "unpacked" / file_digest(path)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        target = Path(scratch) / "bundle"
        target.mkdir()
        try:
            with zipfile.ZipFile(path) as archive:
                _extract(archive, path, target)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
            raise BundleRejected(f"{path.name} is not a sound zip: {error}; get the bundle again") from error
        _move(target, folder)
    return folder


def _extract(archive: zipfile.ZipFile, path: Path, target: Path) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_FILES or len({e.filename.lower() for e in entries}) != len(entries):
        raise BundleRejected(
            f"{path.name}: expected at most {MAX_FILES} files of different names, got {len(entries)} entries"
        )
    total = sum(e.file_size for e in entries)
    limit = min(MAX_BYTES, MAX_RATIO * path.stat().st_size)
    if total > limit:
        raise BundleRejected(f"{path.name} would unpack to {total} bytes, expected at most {limit} for its size")
    free = shutil.disk_usage(target).free
    if total > free:
        raise ResourceError(f"{path.name} needs {total} bytes in {target.parent}, {free} are free: make room")
    for entry in entries:
        _check_entry(entry, path)
        if not _copy(archive, entry, target):
            raise BundleRejected(f"{path.name}: {entry.filename} states {entry.file_size} bytes and holds others")


def _check_entry(entry: zipfile.ZipInfo, path: Path) -> None:
    mode = entry.external_attr >> 16
    is_regular = stat.S_IFMT(mode) in (0, stat.S_IFREG)
    if not _NAME.fullmatch(entry.filename) or not is_regular:
        raise BundleRejected(
            f"{path.name}: entry {entry.filename[:200]!r} is refused; a zipped bundle holds only plain files"
        )
    if entry.flag_bits & 0x1:
        raise BundleRejected(f"{path.name}: {entry.filename} is encrypted; unpack the bundle yourself")


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> bool:
    """Write one entry, stopping where it would exceed the size it states; whether it held just that."""
    written = 0
    with archive.open(entry) as source, (target / entry.filename).open("xb") as sink:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > entry.file_size:
                break
            sink.write(block)
    return written == entry.file_size


def _move(target: Path, folder: Path) -> None:
    try:
        target.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was faster, with the same content
            raise
