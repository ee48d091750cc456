"""The database: what it refuses, how it fails, and that both dialects have one schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from touyan.core.errors import Broken, Conflict, Invalid
from touyan.store import tables as t
from touyan.store.database import SCHEMA, Database, file_system, refuse_network_file_system
from touyan.store.home import Store, open_store

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /mnt/my\\040share nfs4 rw 0 0
/dev/sdb1 /mnt/my\\040share/local xfs rw 0 0
user@host: /mnt/ssh fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(("path", "kind"), [
    ("/var/lib/touyan", "ext4"), ("/mnt/my share/home", "nfs4"), ("/mnt/my share/local/home", "xfs"), ("/mnt/my share2", "ext4"),
    ("/mnt/ssh", "fuse.sshfs"),
])  # fmt: skip
def test_the_file_system_is_that_of_the_longest_mount_point(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


def test_a_network_file_system_is_refused_also_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "home").symlink_to("/mnt/ssh")
    with pytest.raises(Invalid, match=r"fuse\.sshfs"):
        refuse_network_file_system(tmp_path / "home" / "touyan.db", MOUNTS)


@pytest.mark.parametrize("damage", ["half", "header", "text"])
def test_a_damaged_database_file_is_told_with_what_to_do(make_store: Callable[..., Store], damage: str) -> None:
    store = make_store()
    store.events.sequence()
    store.close()
    path = store.home / "touyan.db"
    with Database(f"sqlite:///{path}").write() as connection:
        connection.execute(text("update setting set value = value"))
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    data = path.read_bytes()
    path.write_bytes(
        {"half": data[: len(data) // 2 // 4096 * 4096 + 100], "header": b"\0" * 100 + data[100:], "text": b"hello" * 999}[damage]
    )
    with pytest.raises(Broken) as told:
        open_store(store.home).me()
    assert told.value.code == "database-damaged"
    assert "restore" in told.value.hint


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.database.write() as connection:
            connection.execute(t.setting.insert(), {"name": "half", "value": "x"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.database.read() as connection:
        assert connection.execute(t.setting.select().where(t.setting.c.name == "half")).first() is None


def test_who_writes_the_same_row_second_is_told_of_the_conflict(store: Store) -> None:
    with pytest.raises(Conflict, match="first"), store.database.write() as connection:
        connection.execute(t.setting.insert(), {"name": "origin", "value": "x"})


def test_a_read_sees_one_moment(store: Store) -> None:
    count = t.setting.select()
    with store.database.read() as reader:
        before = len(reader.execute(count).all())
        with store.database.write() as writer:
            writer.execute(t.setting.insert(), {"name": "meanwhile", "value": "x"})
        assert len(reader.execute(count).all()) == before


def test_a_database_of_a_newer_program_is_left_alone(store: Store) -> None:
    with store.database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(Invalid, match="upgrade") as told:
        store.database.migrate()
    assert told.value.code == "newer-store"


def test_the_migrations_make_the_schema_of_the_tables(store: Store) -> None:
    with store.database.read() as connection:
        seen = inspect(connection)
        assert store.database.schema() == SCHEMA
        assert set(seen.get_table_names()) == {*t.metadata.tables, "alembic_version"}
        for name, table in t.metadata.tables.items():
            columns = {c["name"]: (c["type"].python_type, c["nullable"]) for c in seen.get_columns(name)}
            assert columns == {c.name: (c.type.python_type, c.nullable) for c in table.columns}, name
            assert seen.get_pk_constraint(name)["constrained_columns"] == [c.name for c in table.primary_key.columns], name
            indexes = {(i["name"], tuple(i["column_names"]), bool(i["unique"])) for i in seen.get_indexes(name)}
            assert indexes == {(i.name, tuple(c.name for c in i.columns), bool(i.unique)) for i in table.indexes}, name
            keys = {(k["constrained_columns"][0], k["referred_table"]) for k in seen.get_foreign_keys(name)}
            assert keys == {(k.parent.name, k.column.table.name) for k in table.foreign_keys}, name


def test_migrating_again_changes_nothing(store: Store) -> None:
    store.database.migrate()
    assert store.database.schema() == SCHEMA


def test_an_error_of_the_driver_never_repeats_what_people_wrote(sqlite_store: Store) -> None:
    with pytest.raises(IntegrityError, match="NOT NULL") as told, sqlite_store.database.write() as connection:
        connection.execute(text("insert into project (id, title) values (:words, null)"), {"words": "13812345678"})
    assert "13812345678" not in str(told.value)
