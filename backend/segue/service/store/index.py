"""The index: one SQLite database in WAL mode, which several processes read and write at once.

Each call opens a connection of its own and closes it, so that threads share none and none stays open.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from segue.errors import ResourceError

NAME = "index.sqlite"
BUSY_SECONDS = 30.0
_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY,      -- digest of the recipe
    file TEXT NOT NULL,        -- name under files/
    digest TEXT NOT NULL,      -- SHA-256 of the file
    bytes INTEGER NOT NULL,
    task TEXT NOT NULL,
    bundle TEXT NOT NULL,
    seconds REAL NOT NULL,     -- of one rendition, all gaps
    renditions INTEGER NOT NULL,
    made REAL NOT NULL,        -- Unix time
    used REAL NOT NULL,        -- Unix time
    turn INTEGER NOT NULL,     -- counts up with every use: the lowest goes first
    pinned INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS entries_by_turn ON entries (turn);
CREATE TABLE IF NOT EXISTS requests (
    request TEXT PRIMARY KEY,  -- digest of a request
    key TEXT NOT NULL REFERENCES entries (key) ON DELETE CASCADE
) STRICT;
CREATE INDEX IF NOT EXISTS requests_by_key ON requests (key);
"""


class Index:
    """Opens connections to the database in ``folder``, made where there is none."""

    def __init__(self, folder: Path) -> None:
        """Make the schema.

        Raises:
            ResourceError: it cannot be opened, is damaged, or was made by a newer Segue.
        """
        self.path = folder / NAME
        with self._connection() as db:
            db.execute("PRAGMA journal_mode = WAL")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise ResourceError(f"{self.path} was made by a newer Segue (format {version}): update this one")
            if version < _VERSION:
                db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading.

        Raises:
            ResourceError: the database cannot be read.
        """
        with self._connection() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer is in; undone where the block raises.

        Raises:
            ResourceError: the disk is full, or the database cannot be written.
        """
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)) as db:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA foreign_keys = ON")
                db.execute("PRAGMA synchronous = NORMAL")  # in WAL: durable at checkpoints, consistent always
                yield db
        except sqlite3.OperationalError as error:
            raise ResourceError(
                f"the store's index {self.path} cannot be used ({error}): free space on its disk and check that it may "
                "be written"
            ) from error
        except sqlite3.DatabaseError as error:
            raise ResourceError(
                f"the store's index {self.path} is damaged ({error}): remove its folder; only what can be rendered "
                "again is in it"
            ) from error
