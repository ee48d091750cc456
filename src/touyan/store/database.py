"""One database, two dialects: SQLite by default, PostgreSQL by URL, same schema and same tests.

Knows how to open, migrate and transact; knows nothing of what the tables mean. Three things differ between the dialects: how
a write begins, how a lost race is told, and where the file may lie. A transaction is short and never waits on a network.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection, create_engine, event, inspect, select, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import QueuePool

from touyan.core.errors import Broken, Conflict, Invalid, TouyanError, missing_extra
from touyan.store import tables

BUSY_TIMEOUT_MS = 30_000
SCHEMA = "0003"  # the newest migration in store/migrations/versions
NETWORK_FILE_SYSTEMS = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "orangefs", "9p", "afs",
    "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.juicefs", "fuse.glusterfs", "fuse.ceph-fuse", "fuse.gcsfuse",
})  # fmt: skip


class Database:
    """An open database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite(url) if self.is_sqlite else _postgres(url)
        # In PostgreSQL's default each query of a transaction sees a moment of its own; in SQLite they see one anyway.
        self._reading = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._anchor = self._stay_open() if self.is_sqlite else None
        self._batch = threading.local()

    def _stay_open(self) -> PoolProxiedConnection:
        """SQLite's last connection to close checkpoints and removes the WAL, 10 ms for each transaction: this one stays open."""
        with _told(self.url):
            anchor = self.engine.raw_connection()
            anchor.cursor().execute("select count(*) from sqlite_master").fetchall()  # it holds the WAL only once it has read
            return anchor

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A consistent view: all its queries see one moment. Nothing may be written in it."""
        if (outer := self._outer()) is not None:
            yield outer
            return
        with _told(self.url), self._reading.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction that holds the write lock from its start (SQLite), or row locks (PostgreSQL)."""
        if (outer := self._outer()) is not None:
            with _told(self.url), _part_of(outer):
                yield outer
            return
        with _told(self.url), self.engine.connect().execution_options(touyan_write=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def batch(self) -> Generator[Connection]:
        """Makes one transaction of all that this thread reads and writes within it. A write that fails is undone alone (a
        savepoint), and its error may be caught."""
        with self.write() as connection:
            if self._outer() is not None:
                yield connection
                return
            self._batch.connection = connection
            try:
                yield connection
            finally:
                self._batch.connection = None

    def _outer(self) -> Connection | None:
        """The transaction of the batch this thread is in."""
        return getattr(self._batch, "connection", None)

    def migrate(self) -> None:
        """Brings the schema up to date; cheap where it is."""
        at = self.schema()
        if at > SCHEMA:
            raise Invalid(
                "newer-store", f"the database has schema {at}, this program knows {SCHEMA}", "upgrade: pip install -U touyan"
            )
        if at != SCHEMA:
            from touyan.store.migrations import upgrade  # Alembic takes 0.1 s to import: only when there is work

            upgrade(self)

    def schema(self) -> str:
        """The migration the database stands at; empty where it is new."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return ""
            return str(connection.execute(text("select version_num from alembic_version")).scalar() or "")

    def close(self) -> None:
        if self._anchor is not None:
            self._anchor.close()
        self.engine.dispose()


@contextmanager
def _part_of(outer: Connection) -> Generator[None]:
    """What fails in here is undone alone. By hand: SQLAlchemy's nested transactions take four times as long."""
    outer.exec_driver_sql("SAVEPOINT part")
    try:
        yield
    except BaseException:
        outer.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
        raise
    finally:
        outer.exec_driver_sql("RELEASE SAVEPOINT part")


def _sqlite(url: str) -> Engine:
    path = Path(url.removeprefix("sqlite:///"))
    refuse_network_file_system(path)
    if path.parent.is_dir() and not path.exists():
        path.touch(mode=0o600)  # SQLite gives its log and index the mode of the database
    # A connection serves one thread at a time and is kept: opening one costs more than a transaction. A forked child starts without.
    arguments = {"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000}
    engine = create_engine(url, poolclass=QueuePool, pool_size=5, max_overflow=45, connect_args=arguments, hide_parameters=True)
    _forget_in_children(weakref.ref(engine))
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _forget_in_children(engine: weakref.ref[Engine]) -> None:
    """A connection that two processes share would lose SQLite's locks."""

    def forget() -> None:
        if (inherited := engine()) is not None:
            inherited.dispose(close=False)

    os.register_at_fork(after_in_child=forget)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred BEGIN that turns into a write fails at once when another writer was first: no timeout helps it.
    is_write = connection.get_execution_options().get("touyan_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _postgres(url: str) -> Engine:
    try:
        driver = url.replace("postgresql://", "postgresql+psycopg://", 1)
        return create_engine(driver, pool_size=5, max_overflow=15, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise missing_extra("psycopg", "postgres") from error


@contextmanager
def _told(url: str) -> Generator[None]:
    """Turns driver errors into ours. The URL may hold a password: only its kind is shown; parameters may hold what people wrote."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:  # the second where a connection cannot even be prepared
        words = str(getattr(error, "orig", error))
        told = next((e for signs, e in _errors(words) if any(sign in words for sign in signs)), None)
        if told is None and isinstance(error, (OperationalError, sqlite3.OperationalError)):
            told = Broken(
                "database", f"the {url.split(':')[0]} database does not answer: {words}", "check that it runs and try again"
            )
        if told is None:
            raise
        raise told from error


def _errors(words: str) -> list[tuple[tuple[str, ...], TouyanError]]:
    """What drivers say, by the words in which both of them say it."""
    first = words.partition("\n")[0]
    return [
        (
            ("deadlock detected", "could not serialize"),
            Conflict("lost-race", f"another transaction was first: {first}", "try again"),
        ),
        (("UNIQUE constraint", "duplicate key"), Conflict("lost-race", f"somebody else wrote it first: {first}", "try again")),
        (
            ("locked",),
            Conflict("database-busy", "the database was locked for 30 s", "see which process holds it, then try again"),
        ),
        (
            ("disk is full", "No space left"),
            Broken("disk-full", "the disk of the database is full", "free some space; nothing was lost; run again"),
        ),
        (
            ("malformed", "not a database"),
            Broken("database-damaged", f"the database is damaged: {first}", "restore it: touyan restore BACKUP"),
        ),
    ]


def refuse_network_file_system(path: Path, mounts: str | None = None) -> None:
    """Raises Invalid where `path` lies on a network file system: WAL needs the shared memory of one host."""
    kind = file_system(path, mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        hint = "put TOUYAN_HOME on a local disk, or use PostgreSQL: TOUYAN_DATABASE=postgresql://..."
        raise Invalid("network-file-system", f"{path} lies on {kind}, where SQLite loses data", hint)


def file_system(path: Path, mounts: str | None = None) -> str:
    """Type of the file system that holds `path`, by the longest mount point in `mounts` (the text of /proc/self/mounts).

    Links are followed: a home on a local disk may point anywhere. Empty where the system does not tell.
    """
    table = Path("/proc/self/mounts")
    if mounts is None:
        mounts = table.read_text() if table.exists() else ""
    target = path.resolve()
    found = ("", "")
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point)  # getmntent(3) writes blanks as \040
        if target.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, kind)
    return found[1]


def setting(connection: Connection, name: str) -> str | None:
    """A named setting of the store."""
    return connection.execute(select(tables.setting.c.value).where(tables.setting.c.name == name)).scalar()
