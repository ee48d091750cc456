"""Backup and restore: whole or not at all, from either database into the other, and nothing damaged gets through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from touyan.core.canonical import sha256_hex
from touyan.core.errors import Broken, Conflict, Missing, Refused
from touyan.core.party import Actor
from touyan.store import tables as t
from touyan.store.audit import audit_log
from touyan.store.backup import backup, check_backup, restore
from touyan.store.home import Store, open_store


@pytest.fixture
def saved(sqlite_store: Store, tmp_path: Path, add_source: Callable[..., str]) -> Path:
    add_source(sqlite_store, {"a.txt": b"first", "b.txt": b"second"})
    backup(sqlite_store, sqlite_store.me(), tmp_path / "saved", include_keys=True)
    return tmp_path / "saved"


@pytest.mark.postgres
@pytest.mark.parametrize("way", ["sqlite to postgres", "postgres to sqlite", "postgres to postgres", "sqlite to sqlite"])
def test_a_backup_of_either_database_becomes_a_store_on_the_other(
    way: str, make_store: Callable[..., Store], add_source: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    postgres_cluster: object,
) -> None:  # fmt: skip
    first, _, second = way.split()
    with postgres_cluster.database() as one, postgres_cluster.database() as two:  # type: ignore[attr-defined]
        monkeypatch.setenv("TOUYAN_DATABASE", one if first == "postgres" else "")
        store = make_store()
        asset = add_source(store, {"a.txt": b"first"})
        report = backup(store, store.me(), tmp_path / "saved", include_keys=True)
        monkeypatch.setenv("TOUYAN_DATABASE", two if second == "postgres" else "")
        restored = restore(tmp_path / "saved", tmp_path / "second")
        assert (restored.rows, restored.log_root) == (report.rows, report.log_root)
        again = open_store(tmp_path / "second")
        assert again.gate.open(asset, again.me(), "refine").read_file("a.txt") == b"first"
        add_source(again, {"later.txt": b"later"})  # counters go on after the rows that were restored
        assert again.events.sequence() > report.log_size
        store.close()
        again.close()


def test_private_keys_leave_only_when_asked_for(sqlite_store: Store, tmp_path: Path) -> None:
    backup(sqlite_store, sqlite_store.me(), tmp_path / "saved")
    assert not (tmp_path / "saved" / "keys").exists()
    restore(tmp_path / "saved", tmp_path / "second")
    assert open_store(tmp_path / "second").parties.get("ann")


@pytest.mark.parametrize("victim", ["tables/event.jsonl", "tables/statement.jsonl", "keys/root.json", "object"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_backup_is_refused_and_the_file_is_named(saved: Path, tmp_path: Path, victim: str, damage: str) -> None:
    digest = sha256_hex(b"first")
    path = saved / (f"objects/{digest[:2]}/{digest}" if victim == "object" else victim)
    data = path.read_bytes()
    path.chmod(0o600)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-2] if damage == "cut" else bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(Broken, match=path.name):
        restore(saved, tmp_path / "second")
    assert not (tmp_path / "second").exists()


def test_a_log_that_was_rewritten_together_with_its_digests_is_refused(saved: Path, tmp_path: Path) -> None:
    path, manifest = saved / "tables" / "node.jsonl", saved / "backup.json"
    before = path.read_bytes()
    after = before.replace(b'"level":0,"position":0', b'"level":0,"position":999')
    manifest.write_bytes(manifest.read_bytes().replace(sha256_hex(before).encode(), sha256_hex(after).encode()))
    path.write_bytes(after)
    check_backup(saved)
    with pytest.raises(Broken, match="evidence log"):
        restore(saved, tmp_path / "second")
    assert not (tmp_path / "second").exists()


def test_a_changed_leaf_is_found_whatever_the_digests_say(sqlite_store: Store, add_source: Callable[..., str]) -> None:
    add_source(sqlite_store, {"a.txt": b"first"})
    sqlite_store.events.head(sqlite_store.log_key)
    with sqlite_store.database.write() as connection:
        audit_log(connection, sqlite_store.log_key_public)
        connection.execute(update(t.event).where(t.event.c.position == 0).values(leaf=b"{}", salt=None, body=None))
        with pytest.raises(Broken, match="event 0 was changed"):
            audit_log(connection, sqlite_store.log_key_public)


@pytest.mark.parametrize(("table", "change", "found"), [
    ("event", {"body": '{"organisation":"other"}'}, "body of event 0"),
    ("node", {"hash": b"\0" * 32}, "changed"),
    ("tree_head", {"envelope": '{"payloadType":"x","payload":"","signatures":[]}'}, "not signed"),
])  # fmt: skip
def test_the_audit_finds_a_changed_body_node_or_head(
    sqlite_store: Store, table: str, change: dict[str, object], found: str
) -> None:
    sqlite_store.events.head(sqlite_store.log_key)
    with sqlite_store.database.write() as connection:
        connection.execute(update(t.metadata.tables[table]).values(**change))
        with pytest.raises(Broken, match=found):
            audit_log(connection, sqlite_store.log_key_public)


def test_an_erased_body_is_no_fault(sqlite_store: Store) -> None:
    sqlite_store.events.head(sqlite_store.log_key)
    with sqlite_store.database.write() as connection:
        sqlite_store.events.erase_body(connection, 0)
        assert audit_log(connection, sqlite_store.log_key_public)[0] == 1


def test_a_home_in_use_is_left_alone(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "mine").write_text("mine")
    with pytest.raises(Conflict):
        restore(saved, tmp_path / "second")
    assert (tmp_path / "second" / "mine").read_text() == "mine"


def test_a_backup_never_writes_over_another(saved: Path, sqlite_store: Store) -> None:
    with pytest.raises(Conflict):
        backup(sqlite_store, sqlite_store.me(), saved)


def test_a_folder_without_a_backup_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"backup\.json"):
        restore(tmp_path, tmp_path / "second")


def test_an_object_that_the_store_lost_is_named(sqlite_store: Store, tmp_path: Path, add_source: Callable[..., str]) -> None:
    add_source(sqlite_store, {"a.txt": b"first"})
    sqlite_store.objects.delete(sha256_hex(b"first"))
    assert backup(sqlite_store, sqlite_store.me(), tmp_path / "saved").absent == (sha256_hex(b"first"),)


def test_only_who_may_makes_a_backup(sqlite_store: Store, tmp_path: Path, enrol: Callable[..., Actor]) -> None:
    with pytest.raises(Refused):
        backup(sqlite_store, enrol(sqlite_store, "rita", "reviewer"), tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
