"""Which document ids have occurred, in bounded memory.

A scratch database, since a set of ten million ids would take a gigabyte. Knows nothing but ids; is thrown away with the Attempt.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self


class SeenDocuments:
    """A set of document ids on disk; a context manager."""

    def __init__(self, scratch: Path) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        path = scratch / "seen.sqlite"
        path.unlink(missing_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add(self, doc_id: str) -> bool:
        """Whether the id is new. Keeps 128 of its 256 bits: a collision in 10^9 documents has odds under 10^-20."""
        cursor = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (bytes.fromhex(doc_id[:32]),))
        return cursor.rowcount == 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()
