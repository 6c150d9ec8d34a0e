"""Results by recipe: asked before anything is rendered, and bounded in size."""

from __future__ import annotations

import hashlib
import logging
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from segue.clip.atomic import STALE_SECONDS, SUFFIX, replacing
from segue.errors import InvalidRequest, ResourceError
from segue.service.store.entry import Damaged, Entry
from segue.service.store.index import Index

DEFAULT_LIMIT = 4 << 30
"""Bytes."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """A line of the index. ``seconds`` of one rendition's audio; ``made`` and ``used`` in Unix time."""

    key: str
    task: str
    bundle: str
    bytes: int
    seconds: float
    renditions: int
    made: float
    used: float
    pinned: bool


@dataclass(frozen=True)
class Verified:
    """What :meth:`Store.verify` found: whole entries, keys set aside, and files that no entry named, now removed."""

    whole: int
    damaged: tuple[str, ...]
    removed: tuple[str, ...]


def default_folder() -> Path:
    """Where the store is, unless another place is named."""
    return platformdirs.user_cache_path("segue") / "store"


class Store:
    """A folder with an index and one file for each result; any number of processes may use it at once.

    Files are written once under a name of their own, by temporary file, fsync and rename, before the index names them;
    the index forgets an entry before its file is removed. So whatever the index names is whole, and what a killed
    process leaves is a file that no entry names, which :meth:`verify` removes.
    """

    def __init__(self, folder: Path | None = None, limit: int = DEFAULT_LIMIT) -> None:
        """``folder``: by default in the user's cache; ``limit`` in bytes of all files together.

        Raises:
            ResourceError: the folder cannot be made or its index not be used. InvalidRequest: a limit of 0 or less.
        """
        if limit < 1:
            raise InvalidRequest(f"expected the store's limit in bytes, 1 or more, got {limit}")
        self.folder, self.limit = folder or default_folder(), limit
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._files.mkdir(exist_ok=True)
        except OSError as error:
            raise ResourceError(f"the store's folder {self.folder} cannot be made ({error.strerror})") from error
        self._index = Index(self.folder)

    @property
    def _files(self) -> Path:
        return self.folder / "files"

    @property
    def set_aside(self) -> Path:
        """Where damaged files are put."""
        return self.folder / "damaged"

    # ---- asking -------------------------------------------------------------------------------------------------

    def get(self, key: str) -> Entry | None:
        """The result of a recipe, bit for bit as it was put in, or None. A damaged file is set aside and is a miss.

        Raises:
            ResourceError: the index cannot be used.
        """
        while (row := self._row(key)) is not None:
            try:
                entry = self._read(row)
            except (Damaged, OSError) as error:
                if self._set_aside(row, str(error)):
                    return None
                continue  # another process replaced or evicted it meanwhile: look again
            self._touch(key)
            return entry
        return None

    def find(self, request: str) -> Entry | None:
        """The result of a request (:func:`segue.service.header.request_key`) that was answered before, or None.

        Raises:
            ResourceError: the index cannot be used.
        """
        with self._index.reading() as db:
            row = db.execute("SELECT key FROM requests WHERE request = ?", (request,)).fetchone()
        return None if row is None else self.get(row["key"])

    def entries(self) -> tuple[Listed, ...]:
        """All entries, the one used last first."""
        with self._index.reading() as db:
            rows = db.execute("SELECT * FROM entries ORDER BY turn DESC").fetchall()
        return tuple(_listed(row) for row in rows)

    def resolve(self, prefix: str) -> str:
        """The one key that begins with ``prefix``.

        Raises:
            InvalidRequest: none does, or several do.
        """
        keys = [listed.key for listed in self.entries() if listed.key.startswith(prefix)]
        if len(keys) != 1:
            found = "none does" if not keys else f"{len(keys)} do"
            raise InvalidRequest(f"expected one entry whose key begins with {prefix!r}, {found}: see segue store list")
        return keys[0]

    # ---- keeping ------------------------------------------------------------------------------------------------

    def put(self, entry: Entry, request: str | None = None) -> None:
        """Keep a result, and what was asked for; evicts what was not used longest, never what is pinned.

        Raises:
            ResourceError: the disk is full, or what is pinned leaves no room. The store is as it was.
        """
        content = entry.to_bytes()
        file = self._files / f"{entry.key}.{secrets.token_hex(4)}.safetensors"
        with replacing(file) as part:
            part.write_bytes(content)
        try:
            with self._index.writing() as db:
                gone = self._make_room(db, len(content), entry.key)
                gone += [row["file"] for row in db.execute("SELECT file FROM entries WHERE key = ?", (entry.key,))]
                _insert(db, entry, file.name, content)
                if request is not None:
                    db.execute("INSERT OR REPLACE INTO requests VALUES (?, ?)", (request, entry.key))
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        self._remove(gone)

    def remember(self, request: str, key: str) -> None:
        """Note that a request leads to an entry, if that is still there.

        Raises:
            ResourceError: the disk is full.
        """
        with self._index.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO requests SELECT ?, key FROM entries WHERE key = ?",
                (request, key),
            )

    def pin(self, key: str, pinned: bool = True) -> None:
        """Never evict an entry, or let it go again.

        Raises:
            InvalidRequest: there is no such entry.
        """
        with self._index.writing() as db:
            if not db.execute("UPDATE entries SET pinned = ? WHERE key = ?", (pinned, key)).rowcount:
                raise InvalidRequest(f"the store has no entry {key}: see segue store list")

    def prune(self, limit: int) -> tuple[str, ...]:
        """Evict until at most ``limit`` bytes are left, or nothing but what is pinned; the keys that went."""
        with self._index.writing() as db:
            victims = list(_victims(db, limit))
            _forget(db, victims)
        self._remove([row["file"] for row in victims])
        return tuple(row["key"] for row in victims)

    def verify(self) -> Verified:
        """Read every file and compare its digest; set damaged ones aside, remove what killed processes left behind."""
        whole, damaged = 0, []
        with self._index.reading() as db:
            rows = db.execute("SELECT * FROM entries ORDER BY key").fetchall()
        for row in rows:
            try:
                self._read(row)
                whole += 1
            except (Damaged, OSError) as error:
                if self._set_aside(row, str(error)):
                    damaged.append(row["key"])
        return Verified(whole, tuple(damaged), tuple(self._sweep()))

    # ---- within -------------------------------------------------------------------------------------------------

    def _row(self, key: str) -> sqlite3.Row | None:
        with self._index.reading() as db:
            row: sqlite3.Row | None = db.execute("SELECT * FROM entries WHERE key = ?", (key,)).fetchone()
        return row

    def _read(self, row: sqlite3.Row) -> Entry:
        content = (self._files / row["file"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != row["digest"]:
            raise Damaged(f"expected the digest {row['digest'][:12]} of {row['file']}, got another")
        return Entry.from_bytes(content)

    def _touch(self, key: str) -> None:
        try:
            with self._index.writing() as db:
                db.execute(
                    "UPDATE entries SET used = ?, turn = (SELECT max(turn) + 1 FROM entries) WHERE key = ?",
                    (time.time(), key),
                )
        except ResourceError as error:  # the answer is good all the same
            _log.warning("the use of entry %s was not noted: %s", key[:12], error)

    def _set_aside(self, row: sqlite3.Row, why: str) -> bool:
        """Forget an entry and move its file; False where another process has replaced or evicted it meanwhile."""
        with self._index.writing() as db:
            found = db.execute("DELETE FROM entries WHERE key = ? AND file = ?", (row["key"], row["file"])).rowcount
        if not found:
            return False
        with suppress(OSError):
            self.set_aside.mkdir(exist_ok=True)
            (self._files / row["file"]).replace(self.set_aside / row["file"])
        _log.warning("entry %s of the store is damaged (%s): set aside, to be rendered again", row["key"][:12], why)
        return True

    def _make_room(self, db: sqlite3.Connection, size: int, key: str) -> list[str]:
        """Forget entries until ``size`` more bytes fit; their files. ``key`` is about to be replaced."""
        pinned = db.execute("SELECT coalesce(sum(bytes), 0) FROM entries WHERE pinned AND key != ?", (key,))
        if (kept := pinned.fetchone()[0]) + size > self.limit:
            raise ResourceError(
                f"an entry of {size} bytes does not fit into the store: its limit is {self.limit}, of which {kept} are "
                "pinned; unpin some (segue store unpin), or raise the limit"
            )
        victims = list(_victims(db, self.limit - size, key))
        _forget(db, victims)
        return [row["file"] for row in victims]

    def _remove(self, files: list[str]) -> None:
        for file in files:
            with suppress(OSError):  # verify removes it later
                (self._files / file).unlink(missing_ok=True)

    def _sweep(self) -> Iterator[str]:
        """Remove files that no entry names and that have not changed for ten minutes."""
        old = [path for path in self._files.iterdir() if _age(path) > STALE_SECONDS]
        with self._index.reading() as db:
            named = {row["file"] for row in db.execute("SELECT file FROM entries")}
        for path in old:
            if path.name not in named and path.name.endswith((SUFFIX, ".safetensors")):
                with suppress(OSError):
                    path.unlink()
                    yield path.name


def _age(path: Path) -> float:
    """Seconds since a file changed; 0 where another process has removed it meanwhile."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _listed(row: sqlite3.Row) -> Listed:
    names = ("key", "task", "bundle", "bytes", "seconds", "renditions", "made", "used")
    return Listed(**{name: row[name] for name in names}, pinned=bool(row["pinned"]))


def _victims(db: sqlite3.Connection, limit: int, spared: str = "") -> Iterator[sqlite3.Row]:
    """Entries to evict, the one not used longest first, until the others hold at most ``limit`` bytes."""
    total = db.execute("SELECT coalesce(sum(bytes), 0) FROM entries WHERE key != ?", (spared,)).fetchone()[0]
    rows = db.execute("SELECT * FROM entries WHERE NOT pinned AND key != ? ORDER BY turn", (spared,))
    for row in rows:
        if total <= limit:
            return
        total -= row["bytes"]
        yield row


def _forget(db: sqlite3.Connection, rows: list[sqlite3.Row]) -> None:
    db.executemany("DELETE FROM entries WHERE key = ?", [(row["key"],) for row in rows])


def _insert(db: sqlite3.Connection, entry: Entry, file: str, content: bytes) -> None:
    """Add or replace; a pin stays."""
    best = entry.renditions[0]
    seconds = sum(stop - start for start, stop in (gap["gap_seconds"] for gap in entry.report["gaps"]))
    now = time.time()
    db.execute(
        "INSERT INTO entries (key, file, digest, bytes, task, bundle, seconds, renditions, made, used, turn) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(turn), 0) + 1 FROM entries)) "
        "ON CONFLICT (key) DO UPDATE SET file = excluded.file, digest = excluded.digest, bytes = excluded.bytes, "
        "made = excluded.made, used = excluded.used, turn = excluded.turn",
        (
            entry.key,
            file,
            hashlib.sha256(content).hexdigest(),
            len(content),
            best.recipe.task,
            best.recipe.bundle,
            seconds,
            len(entry.renditions),
            now,
            now,
        ),
    )
