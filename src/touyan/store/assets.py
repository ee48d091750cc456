"""Assets as they are kept: manifest, files, inputs, and the result that a step key stands for.

`publish` is one transaction after all bytes are safe: an Asset is there whole or not at all. A new Asset takes over the
withdrawals that reached its inputs while it was being made. Knows the lineage; the decision to open is the gate's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, insert, literal, select, text

from touyan.core.asset import FileRef, InputRef, Manifest, asset_id, build, check_path, manifest_bytes, read_manifest
from touyan.core.canonical import Json
from touyan.core.errors import Invalid, Missing
from touyan.core.party import Actor
from touyan.core.seam import Seam, iso
from touyan.store import tables as t
from touyan.store.database import Database
from touyan.store.events import EventLog
from touyan.store.objects import Objects
from touyan.store.statements import Statements
from touyan.store.withdrawn import active, withdrawal_body

LINEAGE_LOCK = 0x6C696E65


@dataclass(frozen=True, slots=True)
class Asset:
    """An Asset in a project."""

    id: str
    project: str
    name: str
    """Name of the source or step that first made it here."""
    manifest: Manifest
    published_at: str


class Assets:
    """The Assets of one store."""

    def __init__(self, database: Database, objects: Objects, statements: Statements, events: EventLog, seam: Seam) -> None:
        self._database = database
        self.objects = objects
        self._statements = statements
        self._events = events
        self._seam = seam

    def store_folder(self, folder: Path, skip: Iterable[str] = ()) -> list[FileRef]:
        """Stores every file below `folder` and returns their FileRefs. Links are refused: they may point anywhere. So are devices."""
        refs: list[FileRef] = []
        skipped = set(skip)
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                kind = "a symbolic link" if path.is_symlink() else "no regular file"
                raise Invalid("link-in-output", f"{name} is {kind}", "write the file itself")
            if path.is_file() and name not in skipped:
                stored = self.objects.put(path)
                refs.append(FileRef(check_path(name), stored.sha256, stored.size_bytes))
        return refs

    def publish(self, connection: Connection, actor: Actor, manifest: Manifest, name: str) -> str:
        """Makes an Asset known in the actor's project, within the caller's transaction; returns its id."""
        identifier, at = asset_id(manifest), iso(self._seam.now_ms())
        self.hold_lineage(connection, shared=True)
        self._hold(connection, identifier)
        if self._row(connection, actor.project, identifier) is not None:
            return identifier
        if manifest.inputs:
            self._require_inputs(connection, actor.project, manifest)
        if not connection.execute(select(t.asset.c.id).where(t.asset.c.id == identifier).limit(1)).first():
            self._write_content(connection, identifier, manifest)
        row = {
            "id": identifier, "project": actor.project, "kind": manifest.kind, "name": name, "provider": manifest.provider,
            "step_key": manifest.step_key, "manifest": manifest_bytes(manifest), "size_bytes": manifest.size_bytes, "published_at": at,
        }  # fmt: skip
        connection.execute(insert(t.asset), row)
        self._inherit(connection, actor, identifier, manifest)
        body: dict[str, Json] = {
            "kind": manifest.kind,
            "name": name,
            "files": len(manifest.files),
            "size_bytes": manifest.size_bytes,
        }
        self._events.emit(connection, actor, "asset.published", [identifier], body)
        return identifier

    def hold_lineage(self, connection: Connection, *, shared: bool = False) -> None:
        """Keeps withdrawals out while Assets are published, and Assets while one is made, until the transaction ends."""
        if not self._database.is_sqlite:  # SQLite has one writer at a time anyway
            lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
            connection.execute(text(f"select {lock}(:n)"), {"n": LINEAGE_LOCK})

    def _hold(self, connection: Connection, identifier: str) -> None:
        """One publication of an Asset at a time: two runs of one flow may well publish the same one."""
        if not self._database.is_sqlite:
            number = int.from_bytes(bytes.fromhex(identifier[:16]), signed=True)
            connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": number})

    def _require_inputs(self, connection: Connection, project: str, manifest: Manifest) -> None:
        """An input that the project does not have has no rights here either, and the gate could not see what it lacks."""
        wanted = {i.asset for i in manifest.inputs}
        known = connection.execute(select(t.asset.c.id).where(t.asset.c.project == project, t.asset.c.id.in_(wanted))).scalars()
        if missing := sorted(wanted - set(known)):
            raise Missing("no-input", f"the input {missing[0][:12]} is not in the project {project!r}", "publish it there first")

    def _write_content(self, connection: Connection, identifier: str, manifest: Manifest) -> None:
        files = [{"asset": identifier, "path": f.path, "sha256": f.sha256, "size_bytes": f.size_bytes} for f in manifest.files]
        inputs = [{"asset": identifier, "role": r, "input": i} for r, i in sorted({(i.role, i.asset) for i in manifest.inputs})]
        for table, rows in ((t.asset_file, files), (t.asset_input, inputs)):
            if rows:
                connection.execute(insert(table), rows)

    def _inherit(self, connection: Connection, actor: Actor, identifier: str, manifest: Manifest) -> None:
        """Withdrawals that reached an input while this was made, unless the step was told to leave those documents out.

        What comes from outside takes over those that stand against its source: registering it again does not undo them.
        """
        left_out = self.left_out(connection, manifest.inputs)
        standings = (self._statements.standing(connection, actor.project, i) for i in {i.asset for i in manifest.inputs})
        inherited = {w.id: w for standing in standings for w in standing.withdrawals.values() if w.id not in left_out}
        if manifest.provider:
            inherited |= {w.id: w for w in active(connection, actor.project, manifest.provider)}
        for withdrawal in inherited.values():
            self._statements.make(connection, actor, identifier, "withdrawal", withdrawal_body(withdrawal))

    def left_out(self, connection: Connection, inputs: Sequence[InputRef]) -> set[str]:
        """Ids of the withdrawals that the `exclusions` among `inputs` carry out; they are its file names."""
        given = [i.asset for i in inputs if i.role == "exclusions"]
        if not given:
            return set()
        query = select(t.asset_file.c.path).where(t.asset_file.c.asset.in_(given))
        return {p.removesuffix(".jsonl") for p in connection.execute(query).scalars()}

    def add_folder(
        self, actor: Actor, kind: str, folder: Path, name: str, inputs: Sequence[InputRef] = (), provider: str = ""
    ) -> str:
        """Stores a folder as an Asset that no step made (a source, a foreign model, feedback); returns its id."""
        manifest = build(kind, self.store_folder(folder), list(inputs), provider=provider)
        with self._database.write() as connection:
            return self.publish(connection, actor, manifest, name)

    def get(self, connection: Connection, project: str, identifier: str) -> Asset:
        """The Asset in the project. Raises Missing."""
        row = self._row(connection, project, identifier)
        if row is None:
            raise Missing("no-asset", f"there is no asset {identifier[:12]} in the project {project!r}", "see: touyan show")
        return _asset(row)

    def _row(self, connection: Connection, project: str, identifier: str) -> RowMapping | None:
        query = select(t.asset).where(t.asset.c.project == project, t.asset.c.id == identifier)
        return connection.execute(query).mappings().first()

    def resolve(self, connection: Connection, project: str, prefix: str) -> str:
        """The whole id from its first digits (at least 4), or from the newest asset's name. Raises Missing or Invalid."""
        query = select(t.asset.c.id, t.asset.c.name).where(t.asset.c.project == project)
        match = (t.asset.c.id.startswith(prefix, autoescape=True) if len(prefix) >= 4 else t.asset.c.id == prefix) | (
            t.asset.c.name == prefix
        )
        rows = connection.execute(query.where(match).order_by(t.asset.c.seq.desc())).all()
        by_id = {i for i, _ in rows if i.startswith(prefix)}
        if len(by_id) > 1:
            raise Invalid("ambiguous-id", f"{prefix!r} begins {len(by_id)} ids", "give more digits")
        if not rows:
            raise Missing("no-asset", f"nothing here has the id or name {prefix!r}", "see: touyan show")
        return next(iter(by_id)) if by_id else rows[0][0]

    def list(self, project: str, kind: str = "", last: int = 50) -> list[Asset]:
        """The newest assets of a project, newest first."""
        query = select(t.asset).where(t.asset.c.project == project).order_by(t.asset.c.seq.desc()).limit(last)
        with self._database.read() as connection:
            return [_asset(r) for r in connection.execute(query.where(t.asset.c.kind == kind) if kind else query).mappings()]

    def ancestors(self, connection: Connection, identifier: str) -> set[str]:
        """The Asset itself and everything it was made from."""
        return self._closure(connection, identifier, t.asset_input.c.asset, t.asset_input.c.input)

    def descendants(self, connection: Connection, identifier: str) -> set[str]:
        """The Asset itself and everything that was made from it."""
        return self._closure(connection, identifier, t.asset_input.c.input, t.asset_input.c.asset)

    def _closure(self, connection: Connection, start: str, near: ColumnElement[str], far: ColumnElement[str]) -> set[str]:
        return set(connection.execute(_walk(start, near, far)).scalars())

    def outside(self, connection: Connection, project: str, identifier: str) -> list[tuple[str, str]]:
        """(id, provider) of the ancestors that no step made. An ancestor that the project does not have comes with no provider."""
        walk = _walk(identifier, t.asset_input.c.asset, t.asset_input.c.input).subquery()
        known = (t.asset.c.id == walk.c.id) & (t.asset.c.project == project)
        query = select(walk.c.id, t.asset.c.provider).select_from(walk).outerjoin(t.asset, known)
        made = (t.asset.c.step_key != "") | (t.asset.c.kind == "exclusions")
        return [(i, p or "") for i, p in connection.execute(query.where(t.asset.c.id.is_(None) | ~made).order_by(walk.c.id))]

    def inputs(self, connection: Connection, identifier: str) -> list[InputRef]:
        query = select(t.asset_input.c.role, t.asset_input.c.input).where(t.asset_input.c.asset == identifier)
        return sorted(InputRef(r, i) for r, i in connection.execute(query))

    def holds_file(self, identifiers: Sequence[str], sha256: str) -> bool:
        """Whether one of the Assets has a file of that digest."""
        f = t.asset_file.c
        with self._database.read() as connection:
            return (
                connection.execute(select(f.asset).where(f.sha256 == sha256, f.asset.in_(identifiers)).limit(1)).first()
                is not None
            )

    def is_whole(self, asset: Asset) -> bool:
        """Whether all its objects are there, by name and size."""
        return all(self.objects.has(f.sha256, f.size_bytes) for f in asset.manifest.files)

    def result(self, connection: Connection, project: str, step_key: str) -> Mapping[str, str] | None:
        """The recorded result of a step key, if there is one: asset, job, name, at, spec, telemetry."""
        query = select(t.result).where(t.result.c.project == project, t.result.c.step_key == step_key)
        row = connection.execute(query).mappings().first()
        return None if row is None else {k: str(v) for k, v in row.items()}

    def keep_result(self, connection: Connection, project: str, step_key: str, fields: Mapping[str, str]) -> None:
        """Records that `step_key` gives an Asset. A newer result of the same key takes the place of an older one."""
        where = (t.result.c.project == project) & (t.result.c.step_key == step_key)
        connection.execute(delete(t.result).where(where))
        connection.execute(
            insert(t.result), dict(fields) | {"project": project, "step_key": step_key, "at": iso(self._seam.now_ms())}
        )


def _walk(start: str, near: ColumnElement[str], far: ColumnElement[str]) -> Select[str]:
    """All that is reached from `start`. UNION, not UNION ALL: each Asset is visited once, however many paths lead to it."""
    walk = select(literal(start).label("id")).cte("walk", recursive=True)
    walk = walk.union(select(far.label("id")).join(walk, near == walk.c.id))
    return select(walk.c.id)


def _asset(row: RowMapping) -> Asset:
    return Asset(row["id"], row["project"], row["name"], read_manifest(bytes(row["manifest"])), row["published_at"])
