"""The verb `gather`: the sources of a flow become source Assets with an owner and rights, or are refused with reasons.

Rights are asked before a byte is read: a source whose rights block, or that was withdrawn, is never opened. Bytes that did not
change since the last time (by the file's stat) are not hashed again. Invariant: what is cleared here has a rights Statement
signed by the actor.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import delete, insert, select

from touyan.core.asset import FileRef, asset_id, build
from touyan.core.canonical import Json
from touyan.core.errors import Conflict, Invalid, Missing, Refused, TouyanError
from touyan.core.party import Actor
from touyan.core.rights import Block, Purpose, Rights, effective, rights_from_json
from touyan.data.snapshot import Snapshot, snapshot
from touyan.data.walk import FoundFile
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.policy import Thing, require

RACY_NS = 2_000_000_000  # a file written this recently may change again without a new time stamp: it is not remembered
CHUNK = 500
"""Values in one SQL list: SQLite takes 32,766 parameters at most."""
Item = TypeVar("Item")


class SourceEntry(Protocol):
    """What a flow says about a source."""

    @property
    def path(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def reader(self) -> str: ...
    @property
    def rights(self) -> Mapping[str, Json]: ...


@dataclass(frozen=True, slots=True)
class Gathered:
    """A source as it stands in the store."""

    name: str
    provider: str
    """`provider/name`: stable over the versions of the source."""
    path: str
    reader: str
    rights: Rights
    asset: str = ""
    """Id of the source Asset; empty where it was refused."""
    size_bytes: int = 0
    blocks: tuple[Block, ...] = ()

    @property
    def is_cleared(self) -> bool:
        return not self.blocks

    def to_json(self) -> dict[str, Json]:
        """The form in the record of a run."""
        blocks: list[Json] = [{"who": b.who, "part": b.part, "reason": b.reason} for b in self.blocks]
        return {
            "name": self.name, "provider": self.provider, "path": self.path, "reader": self.reader, "asset": self.asset,
            "size_bytes": self.size_bytes, "is_cleared": self.is_cleared, "blocks": blocks, "rights": self.rights.to_json(),
        }  # fmt: skip


def gather(
    store: Store, actor: Actor, sources: Mapping[str, SourceEntry], folder: Path, purposes: Sequence[Purpose]
) -> list[Gathered]:
    """Gathers every source for the given purposes.

    Raises Missing or Invalid where a cleared one cannot be found or read, Refused where the actor may not gather or state rights,
    Conflict where a source changes while it is read.
    """
    try:
        return [_gather_one(store, actor, name, entry, folder, purposes) for name, entry in sources.items()]
    except Refused as refusal:
        store.gate.tell(actor, "access.refused", [], refusal, {"verb": "gather"})
        raise


def _gather_one(store: Store, actor: Actor, name: str, entry: SourceEntry, folder: Path, purposes: Sequence[Purpose]) -> Gathered:
    who, rights = f"{entry.provider}/{name}", rights_from_json(entry.rights)
    source = Gathered(name, who, entry.path, entry.reader, rights)
    withdrawn = store.withdrawals.active(actor.project, who)
    blocks = [Block(who, "withdrawal", f"it was withdrawn ({w.effect}): {w.reason}") for w in withdrawn if w.selector == "source"]
    if blocks := [*_blocks_of(who, rights, purposes, store.seam.now_ms()), *blocks]:
        return _refused(store, actor, replace(source, blocks=tuple(blocks)))
    require(actor, "gather", Thing("source", who, actor.project))
    try:
        found = snapshot(entry.path, folder)
    except Refused as refusal:  # a link that leaves the folder: the source is refused, the others go on
        return _refused(store, actor, replace(source, blocks=(Block(who, "files", refusal.message),)))
    if back := _brought_back(store, actor, who, found):
        return _refused(
            store, actor, replace(source, blocks=(Block(who, "withdrawal", f"{back} was erased from it: remove the file"),))
        )
    asset = _publish(store, actor, who, _keep(store, found), rights)
    with store.database.read() as connection:
        # Single documents and persons that were withdrawn are left out by the refinery; the rest of the source goes on.
        partly = [w.id for w in withdrawn if w.selector != "source"]
        blocks = [b for p in purposes for b in store.gate.blocks(connection, actor.project, asset, p, partly)]
    gathered = replace(source, asset=asset, size_bytes=found.size_bytes, blocks=tuple(dict.fromkeys(blocks)))
    return _refused(store, actor, gathered) if blocks else gathered


def _blocks_of(who: str, rights: Rights, purposes: Sequence[Purpose], at_ms: int) -> tuple[Block, ...]:
    permitted = effective(who, rights)
    return tuple(dict.fromkeys(b for p in purposes for b in permitted.why_not(p, at_ms)))


def _refused(store: Store, actor: Actor, source: Gathered) -> Gathered:
    store.gate.tell(actor, "source.refused", [source.asset or source.provider], complaint(source), {"source": source.provider})
    return source


def _brought_back(store: Store, actor: Actor, who: str, found: Snapshot) -> str:
    """Path of a file that erasure took out of the store and that still lies in the source; empty where there is none."""
    erased = store.withdrawals.erased_from(actor.project, who)
    return next((f.path for f in found.files if erased and _digest(f) in erased), "")


def _digest(file: FoundFile) -> str:
    with file.absolute.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _keep(store: Store, found: Snapshot) -> list[FileRef]:
    """FileRefs of the snapshot, with their objects in the store."""
    known = _known(store, [str(f.absolute) for f in found.files])
    refs: list[FileRef] = []
    fresh: list[dict[str, object]] = []
    for file in found.files:
        stat, sha256, size = known.get(str(file.absolute), ("", "", -1))
        if stat != _stat(file) or not store.objects.has(sha256, size):
            stored = _put(store, file)
            sha256, size = stored.sha256, stored.size_bytes
            if time.time_ns() - file.modified_ns > RACY_NS:
                fresh.append({"path": str(file.absolute), "stat": _stat(file), "sha256": sha256, "size_bytes": size})
        refs.append(FileRef(file.path, sha256, size))
    _remember(store, fresh)
    return refs


def _stat(file: FoundFile) -> str:
    return "|".join(map(str, file.stat_key))


def _known(store: Store, paths: Sequence[str]) -> dict[str, tuple[str, str, int]]:
    """Path to stat, sha256 and size of the files that were hashed before."""
    known: dict[str, tuple[str, str, int]] = {}
    with store.database.read() as connection:
        for chunk in _chunks(paths):
            rows = connection.execute(select(t.file_stat).where(t.file_stat.c.path.in_(chunk))).mappings()
            known |= {r["path"]: (r["stat"], r["sha256"], r["size_bytes"]) for r in rows}
    return known


def _put(store: Store, file: FoundFile) -> FileRef:
    """Stores the bytes of a file that stood still meanwhile."""
    try:
        stored = store.objects.put(file.absolute)
        after = file.absolute.stat()
    except PermissionError as error:
        raise Invalid(
            "unreadable-source", f"{file.path} cannot be read: {error.strerror}", "grant read access, or remove the file"
        ) from error
    except FileNotFoundError as error:
        raise Missing(
            "source-moved", f"{file.path} went away while it was gathered", "run again when the source is at rest"
        ) from error
    if (after.st_size, after.st_mtime_ns, after.st_ino) != (file.size_bytes, file.modified_ns, file.inode):
        raise Conflict("source-changed", f"{file.path} changed while it was gathered", "run again when the source is at rest")
    return stored


def _remember(store: Store, rows: list[dict[str, object]]) -> None:
    """Remembers digests by stat."""
    try:
        with store.database.write() as connection:
            for chunk in _chunks(rows):
                connection.execute(delete(t.file_stat).where(t.file_stat.c.path.in_([r["path"] for r in chunk])))
                connection.execute(insert(t.file_stat), chunk)
    except Conflict:
        return  # a cache: another run that gathers the same source was first


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[i : i + CHUNK] for i in range(0, len(items), CHUNK))


def _publish(store: Store, actor: Actor, who: str, files: list[FileRef], rights: Rights) -> str:
    """The source Asset with its rights and owner Statements, in one transaction."""
    manifest = build("source", files, provider=who)
    identifier, record = asset_id(manifest), rights.to_json()
    with store.database.write() as connection:
        store.assets.publish(connection, actor, manifest, who.rpartition("/")[2])
        standing = store.statements.standing(connection, actor.project, identifier)
        if standing.rights != rights:
            require(actor, "state", Thing("source", identifier, actor.project))
            store.statements.make(connection, actor, identifier, "rights", {"rights": record})
            store.events.emit(connection, actor, "rights.stated", [identifier], {"rights": record, "source": who})
        if not standing.owner:
            store.statements.make(connection, actor, identifier, "owner", {"party": actor.party})
        store.withdrawals.apply_to_new_source(connection, actor, identifier, who)
    return identifier


def complaint(source: Gathered) -> TouyanError:
    """The error for a source that a flow cannot do without."""
    reasons = "; ".join(dict.fromkeys(b.reason for b in source.blocks))
    return Refused(
        "source-refused",
        f"the source {source.provider} is refused: {reasons}",
        "complete its rights record, with evidence; see: touyan why",
    )
