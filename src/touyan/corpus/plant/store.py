"""A planted corpus laid out so that any document can be looked up: a SQLite file that lives as long as a scoring.

Owns that file. Knows nothing about scores. Invariant: memory does not grow with the texts, only the disk does.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from touyan.corpus.plant.planted import Planted


class PlantedStore:
    """Planted documents by id."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute("CREATE TABLE planted (id TEXT PRIMARY KEY, of TEXT, plant TEXT, record BLOB) WITHOUT ROWID")

    def add(self, documents: Iterable[Planted]) -> None:
        """Keeps `documents`; one that bears an id again takes the place of the earlier."""
        import orjson

        rows = ((each.id, each.of, ",".join(each.plant), orjson.dumps(each.to_json())) for each in documents)
        self._database.executemany("INSERT OR REPLACE INTO planted VALUES (?, ?, ?, ?)", rows)

    def get(self, identifier: str | None) -> Planted | None:
        """The document of this id."""
        import orjson

        row = self._database.execute("SELECT record FROM planted WHERE id = ?", (identifier,)).fetchone()
        if row is None:
            return None
        fields = orjson.loads(row[0])
        return Planted(**{**fields, "plant": tuple(fields["plant"])})

    def count(self) -> int:
        """How many documents there are."""
        return int(self._database.execute("SELECT count(*) FROM planted").fetchone()[0])

    def labels(self) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
        """(id, of, plant) of every document, by id."""
        for identifier, of, plant in self._database.execute("SELECT id, of, plant FROM planted ORDER BY id"):
            yield identifier, of, tuple(plant.split(",")) if plant else ()


@contextmanager
def planted_store(documents: Iterable[Planted]) -> Iterator[PlantedStore]:
    """A store of `documents` in a folder that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="touyan-score-") as folder,
        closing(sqlite3.connect(Path(folder) / "planted.sqlite", isolation_level=None)) as database,
    ):
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):  # nobody reads it after a crash
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN")
        store = PlantedStore(database)
        store.add(documents)
        yield store
