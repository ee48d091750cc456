"""The choke point: an Asset is opened here for a purpose, or it is not opened.

Three questions, in this order: may this Actor do this (policy); does a withdrawal stand against it; do the rights of every
source it came from permit the purpose now. Deny by default: a source without a rights record blocks. Every refusal is an Event.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from sqlalchemy import Connection, select

from touyan.core.asset import Manifest
from touyan.core.canonical import Json, short
from touyan.core.errors import Missing, Refused, TouyanError
from touyan.core.party import Actor, Verb
from touyan.core.rights import Block, Effective, Purpose, Rights, effective, meet
from touyan.core.seam import Seam
from touyan.core.statement import Standing
from touyan.store import tables as t
from touyan.store.assets import Asset, Assets
from touyan.store.database import Database
from touyan.store.events import EventLog
from touyan.store.policy import Thing, require
from touyan.store.statements import Statements

NEW_USE: frozenset[Purpose] = frozenset({"refine", "annotate", "train", "evaluate", "retrieve", "redistribute"})


@dataclass(frozen=True, slots=True)
class OpenAsset:
    """An Asset that may be used for the purpose it was opened for."""

    asset: Asset
    duties: frozenset[str]
    _fetch: Callable[[str, Path], None]

    @property
    def manifest(self) -> Manifest:
        return self.asset.manifest

    def copy_to(self, folder: Path) -> Path:
        """Writes verified copies of its files below `folder`, read-only; returns the folder. Raises Missing or Broken."""
        for file in self.manifest.files:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._fetch(file.sha256, target)
            target.chmod(0o444)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def read_file(self, path: str) -> bytes:
        """The verified bytes of one file that fits in memory. Raises Missing or Broken."""
        sha256 = next((f.sha256 for f in self.manifest.files if f.path == path), None)
        if sha256 is None:
            raise Missing(
                "no-file", f"the {self.manifest.kind} {short(self.asset.id)} has no file {path[:120]!r}", "see: touyan show"
            )
        with TemporaryDirectory() as folder:
            self._fetch(sha256, Path(folder) / "file")
            return (Path(folder) / "file").read_bytes()


class Gate:
    """Decides for one store."""

    def __init__(self, database: Database, assets: Assets, statements: Statements, events: EventLog, seam: Seam) -> None:
        self._database = database
        self._assets = assets
        self._statements = statements
        self._events = events
        self._seam = seam

    def open(self, identifier: str, actor: Actor, purpose: Purpose, leaving_out: Collection[str] = ()) -> OpenAsset:
        """Opens an Asset. `leaving_out` names withdrawals whose documents the caller leaves out. Raises Refused, Missing.

        Only refining leaves anything out: for every other purpose it names, what was withdrawn stays closed.
        """
        try:
            with self._database.read() as connection:
                asset = self._assets.get(connection, actor.project, identifier)
                require(actor, cast(Verb, purpose), Thing(asset.manifest.kind, identifier, asset.project))
                rights = self.effective(connection, asset.project, identifier)
                self._require_usable(connection, asset, purpose, leaving_out if purpose == "refine" else (), rights)
        except (Refused, Missing) as refusal:
            if isinstance(refusal, Refused) or self._is_elsewhere(identifier):
                self.tell(actor, "access.refused", [identifier], refusal, {"purpose": purpose})
            raise
        return OpenAsset(asset, rights.duties, self._assets.objects.fetch)

    def _is_elsewhere(self, identifier: str) -> bool:
        """Whether another project has the Asset: who asks for it here is told nothing, but the question is recorded."""
        with self._database.read() as connection:
            return connection.execute(select(t.asset.c.id).where(t.asset.c.id == identifier).limit(1)).first() is not None

    def tell(self, actor: Actor, kind: str, subjects: list[str], error: TouyanError, more: dict[str, Json] | None = None) -> None:
        """Records a refusal as an Event."""
        body: dict[str, Json] = {"code": error.code, "message": error.message} | (more or {})
        with self._database.write() as connection:
            self._events.emit(connection, actor, kind, subjects, body)

    def _require_usable(
        self, connection: Connection, asset: Asset, purpose: Purpose, leaving_out: Collection[str], rights: Effective
    ) -> None:
        blocks = self._blocks(connection, asset.project, asset.id, purpose, leaving_out, rights)
        if blocks:
            reasons = "; ".join(f"{b.who}: {b.reason}" for b in blocks[:5])
            raise Refused(
                f"rights-{blocks[0].part}", f"the {asset.manifest.kind} {short(asset.id)} may not be used to {purpose}: {reasons}",
                f"see: touyan why {short(asset.id)}",
            )  # fmt: skip

    def blocks(
        self, connection: Connection, project: str, identifier: str, purpose: Purpose, leaving_out: Collection[str] = ()
    ) -> list[Block]:
        """All reasons against using an Asset for `purpose` now; empty where it may be used. Inspection needs no rights."""
        rights = self.effective(connection, project, identifier)
        return self._blocks(connection, project, identifier, purpose, leaving_out, rights)

    def _blocks(
        self, connection: Connection, project: str, identifier: str, purpose: Purpose, leaving_out: Collection[str],
        rights: Effective,
    ) -> list[Block]:  # fmt: skip
        found = self._withdrawn(self._statements.standing(connection, project, identifier), identifier, purpose, leaving_out)
        return found if purpose == "inspect" else [*found, *rights.why_not(purpose, self._seam.now_ms())]

    def _withdrawn(self, standing: Standing, identifier: str, purpose: Purpose, leaving_out: Collection[str]) -> list[Block]:
        if standing.is_erased:
            return [Block(identifier, "withdrawal", "its bytes were erased")]
        found: list[Block] = []
        for one in standing.withdrawals.values():
            stops = purpose in NEW_USE or (purpose == "serve" and one.effect != "no-new-use")
            if stops and one.id not in leaving_out:
                found.append(Block(identifier, "withdrawal", f"a {one.selector} was withdrawn ({one.effect}): {one.reason}"))
        return found

    def effective(self, connection: Connection, project: str, identifier: str) -> Effective:
        """The rights of an Asset now: the meet over everything it was made from that came from outside.

        What came from nowhere has no rights: only a list of exclusions may. Rights are those last stated, whatever the clock says.
        """
        outside = self.sources(connection, project, identifier)
        kind = connection.execute(select(t.asset.c.kind).where(t.asset.c.id == identifier).limit(1)).scalar()
        if not outside and kind != "exclusions":
            return effective(short(identifier), Rights())
        return meet(self._effective_source(connection, project, i, who) for i, who in outside)

    def _effective_source(self, connection: Connection, project: str, identifier: str, who: str) -> Effective:
        rights = self._statements.standing(connection, project, identifier).rights
        return effective(who, rights if rights is not None else Rights())

    def sources(self, connection: Connection, project: str, identifier: str) -> list[tuple[str, str]]:
        """(Asset id, provider/name) of every ancestor that no step made: sources, foreign models, feedback."""
        return [(i, provider or short(i)) for i, provider in self._assets.outside(connection, project, identifier)]
