"""Which document ids have occurred, in bounded memory.

The first ids are a set; beyond that a scratch database, since a set of ten million ids would take a gigabyte. Knows nothing but
ids; is thrown away with the Attempt.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

IDS_IN_MEMORY = 1 << 18
"""About 25 MB; most sources have fewer, and a question to the database costs twenty times as much as one to the set."""


class SeenDocuments:
    """A set of document ids; a context manager."""

    def __init__(self, scratch: Path) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        path = scratch / "seen.sqlite"
        path.unlink(missing_ok=True)
        self._early: set[bytes] = set()
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add(self, doc_id: bytes) -> bool:
        """Whether the id is new. Keeps 128 of its 256 bits: a collision in 10^9 documents has odds under 10^-20."""
        key = doc_id[:16]
        if key in self._early:
            return False
        if len(self._early) < IDS_IN_MEMORY:
            self._early.add(key)
            return True
        return self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (key,)).rowcount == 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()
