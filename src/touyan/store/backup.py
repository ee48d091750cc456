"""Backup and restore of a whole store, in one form for both databases.

    backup.json · tables/NAME.jsonl · objects/ab/SHA256 · keys/ (only when asked for)

`backup.json` names every file with its digest; so what is damaged is found and named before anything is restored. The tables are
one moment of the database, runs may go on beside it. Invariant: a backup, and a restored home, is there whole or not at all.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, LargeBinary, Table, func, insert, select, text

from touyan.core.asset import check_digest, check_path
from touyan.core.canonical import Json, canonical, parse
from touyan.core.errors import Broken, Conflict, Invalid, Missing, TouyanError
from touyan.core.party import Actor
from touyan.core.seam import iso
from touyan.store import tables as t
from touyan.store.audit import audit_log
from touyan.store.database import SCHEMA, Database, setting
from touyan.store.home import Store, make_home
from touyan.store.keys import PublicKey
from touyan.store.objects import disk_errors, open_objects
from touyan.store.policy import Thing, require

VERSION = 1
MANIFEST = "backup.json"
ROWS = 1000


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds, or what was restored."""

    path: Path
    at: str
    rows: int
    objects: int
    size_bytes: int
    """Bytes of the objects."""
    absent: tuple[str, ...]
    """sha256 of objects that Assets name and the store did not have: erased, or lost before."""
    log_size: int
    log_root: str
    has_keys: bool

    def to_json(self) -> dict[str, Json]:
        return {
            "path": str(self.path), "at": self.at, "rows": self.rows, "objects": self.objects, "size_bytes": self.size_bytes,
            "absent": list(self.absent), "log_size": self.log_size, "log_root": self.log_root, "has_keys": self.has_keys,
        }  # fmt: skip


def backup(store: Store, actor: Actor, target: Path, *, include_keys: bool = False) -> BackupReport:
    """Writes a backup to the new folder `target`. Raises Refused, Conflict where `target` exists, Broken on a full disk."""
    require(actor, "backup", Thing("store", "store", actor.project))
    if target.exists():
        raise Conflict("target-exists", f"{target} is there already", "name a folder that does not exist yet")
    draft = target.with_name(f"{target.name}.part-{store.seam.token(4)}")
    try:
        with disk_errors(target.parent):
            draft.mkdir(mode=0o700, parents=True)
            manifest = _write(store, draft, include_keys)
            _write_file(draft / MANIFEST, [canonical(manifest)])
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    report = _report(target, manifest)
    body: dict[str, Json] = {k: v for k, v in report.to_json().items() if k not in ("path", "absent")}
    with store.database.write() as connection:
        store.events.emit(connection, actor, "store.backed-up", [], body)
    return report


def _write(store: Store, folder: Path, include_keys: bool) -> dict[str, Json]:
    store.events.head(store.log_key)  # what was done so far is under a signature that the copy can be held to
    with store.database.read() as connection:
        tables: dict[str, Json] = {table.name: _dump(connection, table, folder) for table in t.metadata.sorted_tables}
        log_size, log_root = audit_log(connection, store.log_key_public)
        named = connection.execute(
            select(t.asset_file.c.sha256, t.asset_file.c.size_bytes).distinct().order_by(t.asset_file.c.sha256)
        )
        objects, absent = _copy_objects(store, {sha256: size for sha256, size in named}, folder)
        origin = setting(connection, "origin") or ""
    keys: dict[str, Json] = {p.name: _copy_key(p, folder) for p in _key_files(store.home / "keys")} if include_keys else {}
    public = store.log_key_public
    return {
        "backup": VERSION, "schema": SCHEMA, "origin": origin, "at": iso(store.seam.now_ms()), "tables": tables, "objects": objects,
        "absent": list(absent), "keys": keys, "log": {"size": log_size, "root": log_root},
        "log_key": {"key_id": public.key_id, "public_hex": public.public_hex},
    }  # fmt: skip


def _dump(connection: Connection, table: Table, folder: Path) -> dict[str, Json]:
    """One table as canonical JSON lines in the order of its key: an object a row, bytes in Base64."""
    rows = 0

    def lines() -> Iterator[bytes]:
        nonlocal rows
        query = select(table).order_by(*table.primary_key.columns)
        for row in connection.execution_options(yield_per=ROWS).execute(query).mappings():
            rows += 1
            yield canonical({k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in row.items()}) + b"\n"

    digest = _write_file(folder / "tables" / f"{table.name}.jsonl", lines())
    return {"rows": rows, "sha256": digest}


def _copy_objects(store: Store, named: Mapping[str, int], folder: Path) -> tuple[dict[str, Json], list[str]]:
    """Verified copies of the objects, and the digests of those that are not there. A corrupt one stops the backup."""
    held: dict[str, Json] = {}
    absent: list[str] = []
    for sha256, size in named.items():
        target = folder / "objects" / sha256[:2] / sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            store.objects.fetch(sha256, target)
            held[sha256] = size
        except Missing:
            absent.append(sha256)
    return held, absent


def _key_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in (".json", ".secret"))


def _copy_key(path: Path, folder: Path) -> Json:
    return _write_file(folder / "keys" / path.name, [path.read_bytes()])


def _write_file(path: Path, chunks: Iterator[bytes] | Sequence[bytes]) -> str:
    """Writes and flushes; the sha256."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def check_backup(source: Path) -> dict[str, Any]:
    """The content of `backup.json`, once every file it names has the digest it names. Raises Broken, naming the file, or Invalid."""
    try:
        manifest = cast("dict[str, Any]", parse((source / MANIFEST).read_bytes()))
        if manifest.get("backup") != VERSION or manifest["schema"] != SCHEMA:
            found = f"form {manifest.get('backup')!r}, schema {manifest['schema']!r}"
            raise Invalid(
                "other-backup", f"{source} has {found}; this program reads {VERSION} and {SCHEMA}", "use the Touyan that made it"
            )
        files = {f"tables/{name}.jsonl": table["sha256"] for name, table in manifest["tables"].items()}
        files |= {f"keys/{name}": sha256 for name, sha256 in manifest["keys"].items()}
        files |= {f"objects/{check_digest(sha256)[:2]}/{sha256}": sha256 for sha256 in manifest["objects"]}
    except FileNotFoundError as error:
        raise Missing("no-backup", f"there is no {MANIFEST} in {source}", "name the folder that touyan backup wrote") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise Broken("damaged-backup", f"{source / MANIFEST} is damaged: {error}", "use another backup") from error
    if unknown := set(manifest["tables"]) ^ {table.name for table in t.metadata.sorted_tables}:
        raise Broken("damaged-backup", f"{source / MANIFEST}: the tables {sorted(unknown)} do not fit", "use another backup")
    for path, sha256 in files.items():
        _check_file(source / check_path(path), sha256)
    return manifest


def _check_file(path: Path, sha256: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        found = ""
    if found != sha256:
        what = "was changed or cut short" if found else "is missing"
        raise Broken("damaged-backup", f"{path} {what}", "use another backup; nothing was restored")


def restore(source: Path, home: Path) -> BackupReport:
    """Restores a backup into the new folder `home`, and into the database and objects of TOUYAN_DATABASE and TOUYAN_OBJECTS.

    Either database takes the backup of the other. Everything is checked before and after: digests, the signed heads, the root of
    the log. Raises Conflict where `home` or the database is in use, Broken where the backup is damaged.
    """
    if home.exists() and any(home.iterdir()):
        raise Conflict("home-in-use", f"{home} is not empty", "name a folder that does not exist yet")
    manifest = check_backup(source)
    draft = home.with_name(f"{home.name}.part-{manifest['tables']['setting']['sha256'][:8]}")
    shutil.rmtree(draft, ignore_errors=True)  # of a restore that was cut off
    try:
        with disk_errors(home.parent):
            make_home(draft)
            _restore_files(source, manifest, draft)
            _restore_tables(source, manifest, draft)
            if home.exists():
                home.rmdir()
            draft.rename(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return _report(home, manifest)


def _restore_files(source: Path, manifest: Mapping[str, Any], draft: Path) -> None:
    objects = open_objects(os.environ.get("TOUYAN_OBJECTS") or str(draft / "objects"))
    for sha256 in manifest["objects"]:
        path = source / "objects" / sha256[:2] / sha256
        if objects.put(path).sha256 != sha256:
            raise Broken("damaged-backup", f"{path} was changed while it was restored", "run it again")
    for name in manifest["keys"]:
        _write_file(draft / "keys" / name, [(source / "keys" / name).read_bytes()])


def _restore_tables(source: Path, manifest: Mapping[str, Any], draft: Path) -> None:
    database = Database(os.environ.get("TOUYAN_DATABASE") or f"sqlite:///{draft / 'touyan.db'}")
    try:
        database.migrate()
        with database.write() as connection:
            if setting(connection, "origin") is not None:
                raise Conflict("database-in-use", "the database holds a store already", "point TOUYAN_DATABASE at an empty one")
            for table in t.metadata.sorted_tables:
                _load(connection, table, source / "tables" / f"{table.name}.jsonl")
            if not database.is_sqlite:
                _count_on(connection)
            key = PublicKey(manifest["log_key"]["key_id"], manifest["log_key"]["public_hex"])
            if audit_log(connection, key) != (manifest["log"]["size"], manifest["log"]["root"]):
                raise Broken(
                    "damaged-backup", "the log does not have the size and root that backup.json names", "use another backup"
                )
    finally:
        database.close()


def _load(connection: Connection, table: Table, path: Path) -> None:
    blobs = [c.name for c in table.columns if isinstance(c.type, LargeBinary)]
    batch: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = cast("dict[str, Any]", parse(line))
                batch.append(row | {name: base64.b64decode(row[name], validate=True) for name in blobs})
            except (TouyanError, ValueError, KeyError, TypeError) as error:
                raise Broken("damaged-backup", f"{path}, line {number}: {error}", "use another backup") from error
            if len(batch) == ROWS:
                connection.execute(insert(table), batch)
                batch = []
    if batch:
        connection.execute(insert(table), batch)


def _count_on(connection: Connection) -> None:
    """PostgreSQL's counters do not follow rows that bring their own number."""
    columns = (table.autoincrement_column for table in t.metadata.sorted_tables)
    for counted in (column for column in columns if column is not None):
        newest = connection.execute(select(func.max(counted))).scalar()
        place = {"table": counted.table.name, "column": counted.name, "next": (newest or 0) + 1}
        connection.execute(text("select setval(pg_get_serial_sequence(:table, :column), :next, false)"), place)


def _report(path: Path, manifest: Mapping[str, Any]) -> BackupReport:
    return BackupReport(
        path, manifest["at"], sum(table["rows"] for table in manifest["tables"].values()), len(manifest["objects"]),
        sum(manifest["objects"].values()), tuple(manifest["absent"]), manifest["log"]["size"], manifest["log"]["root"],
        bool(manifest["keys"]),
    )  # fmt: skip
