from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from reading import TEXT, reasons, sqlite, texts

from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file


def outcomes(path: Path, **options: str | int) -> list[Record | Unreadable]:
    return list(read_file(named_reader("sqlite"), path, Options(**options)))  # type: ignore[arg-type]


def many(path: Path, rows: int) -> Path:
    """A database of several pages."""
    return sqlite(
        path,
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)",
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
        "INSERT INTO notes SELECT i, 'text ' || i FROM n",
    )


def test_rows_of_the_only_fitting_table_come_in_key_order(tmp_path: Path) -> None:
    path = sqlite(
        tmp_path / "a.db", "CREATE TABLE other (x)", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, size REAL)",
        "INSERT INTO notes VALUES (2, 'second', 1.5), (1, 'first', NULL)",
    )  # fmt: skip
    found = outcomes(path)
    assert texts(found) == ["first", "second"]
    assert [one.values for one in found if isinstance(one, Record)] == [
        {"id": "1", "text": "first", "size": None}, {"id": "2", "text": "second", "size": "1.5"},
    ]  # fmt: skip


@pytest.mark.parametrize("table", ["", "absent"])
def test_a_table_that_cannot_be_chosen_is_a_reason(table: str, tmp_path: Path) -> None:
    path = sqlite(tmp_path / "a.db", "CREATE TABLE a (text)", "CREATE TABLE b (text)")
    assert reasons(outcomes(path, table=table))[0].startswith("no-table")
    assert outcomes(path, table="a") == []


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO notes VALUES (9, 'x')",
        "DELETE FROM notes",
        "DROP TABLE notes",
        "ATTACH '/tmp/x.db' AS x",
        "PRAGMA writable_schema = ON",
        "SELECT random() AS text",
        "SELECT datetime('now') AS text",
        "SELECT load_extension('x') AS text",
        "WITH RECURSIVE n(text) AS (SELECT 1 UNION ALL SELECT text + 1 FROM n) SELECT text FROM n",
        "SELECT text FROM notes; DROP TABLE notes",
        "SELECT text FROM absent",
        "SELECT text, id AS text FROM notes",
        "not sql",
    ],
)
def test_a_query_may_only_select_and_only_reproducibly(query: str, tmp_path: Path) -> None:
    path = sqlite(tmp_path / "a.db")
    before = path.read_bytes()
    assert texts(outcomes(path, query=query)) == []
    assert len(outcomes(path, query=query)) == 1
    assert path.read_bytes() == before


def test_a_copy_cut_short_is_named_and_not_half_read(tmp_path: Path) -> None:
    path = many(tmp_path / "a.db", 2_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    (reason,) = reasons(outcomes(path))
    assert reason.startswith(f"damaged-database: the header says {len(whole)} bytes, the file has {len(whole) // 2}")


def test_a_copy_with_an_overwritten_page_keeps_what_came_before(tmp_path: Path) -> None:
    path = many(tmp_path / "a.db", 2_000)
    data = bytearray(path.read_bytes())
    data[-4096:] = b"\xff" * 4096
    path.write_bytes(data)
    found = outcomes(path)
    assert texts(found)[:2] == ["text 1", "text 2"]
    assert len(texts(found)) < 2_000
    assert len(reasons(found)) == 1
    assert reasons(found)[0].startswith("database: nothing read from about row")


def test_a_copy_made_while_in_use_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE notes (text)")
        database.execute("INSERT INTO notes VALUES ('only in the log')")
        database.commit()
        for name in ("live.db", "live.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / name.replace("live", "copy"))
    assert reasons(outcomes(tmp_path / "copy.db"))[0].startswith(("open-copy", "no-table", "damaged-database"))


def test_a_cell_beyond_the_limit_costs_its_row_only(tmp_path: Path) -> None:
    path = sqlite(
        tmp_path / "a.db", "CREATE TABLE notes (text)",
        "INSERT INTO notes VALUES ('first'), (replace(hex(zeroblob(4000)), '00', 'x')), ('third')",
    )  # fmt: skip
    found = outcomes(path, max_document_bytes=1_000)
    assert texts(found) == ["first", "third"]
    assert [(one.place, one.reason.partition(":")[0]) for one in found if isinstance(one, Unreadable)] == [("2", "too-large")]


def test_a_query_that_fails_over_and_over_ends(tmp_path: Path) -> None:
    path = sqlite(
        tmp_path / "a.db", "CREATE TABLE notes (text)", "INSERT INTO notes VALUES (replace(hex(zeroblob(4000)), '00', 'x'))"
    )
    found = outcomes(
        path, max_document_bytes=1_000, query="SELECT text FROM notes UNION ALL SELECT text || text FROM notes ORDER BY 1"
    )
    assert texts(found) == []
    assert len(found) < 20


def test_cells_that_are_not_utf8_cost_their_row_only(tmp_path: Path) -> None:
    path = sqlite(
        tmp_path / "a.db", "CREATE TABLE notes (text)", f"INSERT INTO notes VALUES ('{TEXT}'), (CAST(x'ff' AS TEXT)), ('b')"
    )
    found = outcomes(path)
    assert texts(found) == [TEXT, "b"]
    assert reasons(found)[0].startswith("encoding")


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0", b"x" * 4096])
def test_what_is_no_database_is_a_reason(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(data)
    assert reasons(outcomes(path))[0].startswith("not-sqlite")
