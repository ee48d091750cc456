"""SQLite databases: one table or one SELECT, one document a row.

The file is opened read-only and immutable; an authorizer lets a SELECT read tables and call deterministic functions and
nothing else (https://www.sqlite.org/security.html). A copy shorter than its header says is checked before it is believed.
Invariant: the same file and the same query give the same rows in the same order, and the file is never written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from touyan.core.names import nearest
from touyan.data.reader import Damaged, Options, Record, Unreadable, no_text_column, row_record

MAGIC = b"SQLite format 3\0"
_READS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
_DENIED_FUNCTIONS = frozenset(
    # Random, or able to see the clock, or a way to native code.
    {"random", "randomblob", "load_extension", "current_date", "current_time", "current_timestamp"}
    | {"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"}
)
MAX_FAILURES = 16
"""Rows in succession that are too large; a sorting query fails at its first row over and over."""


class SqliteReader:
    """`.db`, `.sqlite`, `.sqlite3`."""

    extensions = (".db", ".sqlite", ".sqlite3")
    isolated = False

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        suspicion = _suspicion(path)
        with closing(_open(path, options)) as database:
            if suspicion:
                _check(database, suspicion)
            select = options.query or _select(database, options)
            database.set_authorizer(_permit)
            yield from _rows(database, select, options)


def _open(path: Path, options: Options) -> sqlite3.Connection:
    database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    database.text_factory = bytes
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0", "temp_store = MEMORY"):
        database.execute(f"PRAGMA {pragma}")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, options.max_document_bytes)
    return database


def _suspicion(path: Path) -> str:
    """Why the file may be damaged, from its header (https://www.sqlite.org/fileformat.html, section 1.3); empty: it may not."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(MAGIC):
        raise Damaged("not-sqlite", "the file has no SQLite header")
    page_bytes = int.from_bytes(header[16:18], "big")
    page_bytes = 65536 if page_bytes == 1 else page_bytes
    pages = int.from_bytes(header[28:32], "big")
    is_count_current = header[24:28] == header[92:96]
    if is_count_current and pages * page_bytes != size:
        return f"the header says {pages * page_bytes} bytes, the file has {size}"
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > 0:
        raise Damaged(
            "open-copy", "copied while in use: a write-ahead log lies beside it; checkpoint it or copy with VACUUM INTO"
        )
    return "" if is_count_current else "the page count in the header is out of date"


def _check(database: sqlite3.Connection, suspicion: str) -> None:
    try:
        found = bytes(database.execute("PRAGMA quick_check(1)").fetchone()[0]).decode()
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise Damaged("damaged-database", f"{suspicion}; quick_check: {found.splitlines()[0]}")


def _select(database: sqlite3.Connection, options: Options) -> str:
    """A SELECT over the named table, or over the only one that has the text column; a full scan goes by rowid or primary key."""
    found = database.execute("SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")
    names = sorted(bytes(row[0]).decode() for row in found)
    fitting = [
        name for name in names if (name == options.table if options.table else options.text_column in _columns(database, name))
    ]
    if len(fitting) != 1:
        wanted = repr(options.table) if options.table else f"with a column {options.text_column!r}"
        raise Damaged("no-table", f"{len(fitting)} tables {wanted}; {nearest(options.table, names)}")
    return f"SELECT * FROM {_quoted(fitting[0])}"


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [bytes(row[1]).decode() for row in database.execute(f"PRAGMA table_info({_quoted(table)})")]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _permit(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    is_function = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _DENIED_FUNCTIONS
    return sqlite3.SQLITE_OK if action in _READS or is_function else sqlite3.SQLITE_DENY


def _rows(database: sqlite3.Connection, select: str, options: Options) -> Iterator[Record | Unreadable]:
    """All rows in the order of the SELECT; what was read before damage stands, and the damage is one entry.

    A cell beyond the limit ends a SELECT, and the driver drops the row before it too; so the SELECT is taken up one row at a
    time until the guilty one is found.
    """
    number, failures, is_single = 0, 0, False
    names: list[str] = []
    while failures <= MAX_FAILURES:
        try:
            before = number
            cursor = database.execute(_window(select, number, is_single))
            names = names or _names(cursor, options)  # of the first SELECT: a resumed one may rename them
            for row in cursor:
                number, failures = number + 1, 0
                yield _record(str(number), names, row, options)
            if not is_single or number == before:
                return
            is_single = False
        except sqlite3.DataError:
            if is_single:
                number, failures = number + 1, failures + 1
                yield Unreadable(str(number), f"too-large: a cell of more than {options.max_document_bytes} bytes")
            is_single = not is_single
        except (sqlite3.Error, sqlite3.Warning) as error:
            yield Unreadable(str(number + 1), f"database: nothing read from about row {number + 1} on: {error}"[:200])
            return
    yield Unreadable(str(number + 1), f"database: nothing read from row {number + 1} on: {failures} rows too large in succession")


def _window(select: str, offset: int, is_single: bool) -> str:
    """The SELECT from row `offset` on, or that one row."""
    if not offset and not is_single:
        return select
    return f"SELECT * FROM ({select}) LIMIT {1 if is_single else -1} OFFSET {offset}"


def _names(cursor: sqlite3.Cursor, options: Options) -> list[str]:
    """Names of the result's columns. Raises Damaged without the text, or where two are equal: one value would hide the other."""
    names = [column[0] for column in cursor.description]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Damaged("two-columns", f"the query gives two columns {twice!r}: name one of them with AS")
    if options.text_column not in names:
        raise no_text_column(options, names)
    return names


def _record(place: str, names: list[str], row: tuple[object, ...], options: Options) -> Record | Unreadable:
    try:
        cells = {name: _cell(value) for name, value in zip(names, row, strict=True)}
    except UnicodeDecodeError as error:
        return Unreadable(place, f"encoding: a cell is not valid UTF-8 at byte {error.start}")
    return row_record(place, cells, options)


def _cell(value: object) -> str | None:
    if value is None:
        return None
    return value.decode() if isinstance(value, bytes) else str(value)


READER = SqliteReader()
