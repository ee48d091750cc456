"""Withdrawals: a source, a document or a person leaves, and everything made from it learns of it.

One transaction writes the row, a signed Statement on every reached Asset, the cancellation of Jobs and one Event; bytes are deleted
after it, from a list that it left, so that a crash between the two is made good. Knows nothing of what a table holds (`reach.py`).
Invariant: an Asset published while a withdrawal is being made is either reached by it or inherits it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from sqlalchemy import Connection, delete, func, insert, select, update

from touyan.core.asset import Manifest, check_digest, read_manifest
from touyan.core.canonical import Json, canonical, parse
from touyan.core.document import PSEUDONYM_DIGITS, one_spelling, pseudonym
from touyan.core.errors import Conflict, Invalid, Missing, Refused
from touyan.core.names import nearest
from touyan.core.party import Actor
from touyan.core.seam import Seam, from_iso, iso
from touyan.core.statement import EFFECTS, Effect, Selector, Withdrawal, read_statement
from touyan.store import tables as t
from touyan.store.assets import Assets
from touyan.store.database import Database
from touyan.store.events import EventLog
from touyan.store.gate import Gate
from touyan.store.holdings import Holdings
from touyan.store.jobs import Jobs
from touyan.store.policy import Thing, require
from touyan.store.reach import Reach, Scope, find, load, needed_elsewhere, settled
from touyan.store.statements import Statements
from touyan.store.withdrawn import active, as_withdrawal, withdrawal_body

SELECTORS: tuple[Selector, ...] = ("source", "document", "subject")
PENDING = "erase:"
"""Prefix of the settings that list the objects which a withdrawal still has to delete."""
LOOKS = 10
"""How often the tables are looked through again because something was published meanwhile."""


@dataclass(frozen=True, slots=True)
class WithdrawalReport:
    """What a withdrawal did."""

    id: str
    selector: Selector
    value: str
    effect: Effect
    documents: int
    """Documents that were found."""
    reached: Mapping[str, tuple[str, ...]]
    """Ids of the reached Assets by kind."""
    jobs: tuple[str, ...]
    """Ids of the Jobs that were cancelled."""
    erased: tuple[str, ...]
    """sha256 of the objects that were deleted."""
    erased_bytes: int
    kept: tuple[str, ...]
    """sha256 of objects that hold it, or may, and stay: an Asset of another project or one that was not reached needs them."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models that saw the data."""
        return self.reached.get("model", ())

    def to_json(self) -> dict[str, Json]:
        reached: dict[str, Json] = {kind: list(ids) for kind, ids in self.reached.items()}
        return {
            "id": self.id, "selector": self.selector, "value": self.value, "effect": self.effect, "documents": self.documents,
            "reached": reached, "models": list(self.models), "jobs": list(self.jobs), "erased": list(self.erased),
            "erased_bytes": self.erased_bytes, "kept": list(self.kept),
        }  # fmt: skip


class Withdrawals:
    """The withdrawals of one store."""

    def __init__(
        self, database: Database, assets: Assets, statements: Statements, events: EventLog, gate: Gate,
        jobs: Jobs, pseudonym_key: Callable[[], bytes], seam: Seam,
    ) -> None:  # fmt: skip
        self._database = database
        self._assets = assets
        self._statements = statements
        self._events = events
        self._gate = gate
        self._pseudonym_key = pseudonym_key
        self._jobs = jobs
        self._seam = seam

    def pseudonym(self, identifier: str) -> str:
        """The pseudonym of a person by any of its identifiers: 32 hex digits, as `read` and `mask` write them.

        HMAC-SHA-256 (RFC 2104) under the key that the agent hands to steps in TOUYAN_PSEUDONYM_KEY: its hex digits, as text.
        """
        return pseudonym(self._pseudonym_key().hex().encode(), one_spelling(identifier))

    def withdraw(
        self, actor: Actor, selector: Selector, value: str, effect: Effect = "no-new-use", reason: str = "",
        deadline: str = "", source: str = "",
    ) -> WithdrawalReport:  # fmt: skip
        """Withdraws a source `provider/name`, a document by doc_id, or a person by pseudonym; the same again completes the first.

        `source` narrows a document or a person to one source. Raises Invalid, Refused, and Missing where nothing here has it.
        """
        _check(selector, value, effect, reason, deadline)
        self._require(actor, value)
        self.finish_erasing(actor)
        scope = Scope(actor.project, selector, value, source)
        with Holdings(self._assets.objects) as holdings:
            for _ in range(LOOKS):
                report = self._attempt(actor, scope, holdings, effect, reason, deadline)
                if report is not None:
                    self.finish_erasing(actor)
                    return report
        raise Conflict(
            "outrun", "Assets are published faster than they can be looked through", "withdraw again in a quieter moment"
        )

    def _attempt(
        self, actor: Actor, scope: Scope, holdings: Holdings, effect: Effect, reason: str, deadline: str
    ) -> WithdrawalReport | None:
        """One look and one transaction; None where an Asset was published or a Job ended between the two."""
        with self._database.read() as connection:
            newest, assets = _newest(connection, actor.project), load(connection, actor.project)
        reach = find(assets, scope, holdings)
        _require_found(scope, reach, assets)
        with self._database.write() as connection:
            # Jobs before lineage: in the order in which the end of a Job takes these locks, or the two would block each other.
            jobs = self._cancel_jobs(connection, actor, reach, reason)
            self._assets.hold_lineage(connection)
            if jobs is None or _newest(connection, actor.project) != newest:
                connection.rollback()
                return None
            return self._write(connection, actor, scope, reach, effect, reason, deadline, jobs)

    def _cancel_jobs(self, connection: Connection, actor: Actor, reach: Reach, reason: str) -> tuple[str, ...] | None:
        """Calls off the unfinished Jobs that use a reached Asset; None where one of them has just ended."""
        found = self._jobs.active_on(connection, actor.project, frozenset(reach.assets))
        try:
            for job in sorted(found):
                self._jobs.cancel_in(connection, actor, job, f"withdrawn: {reason}")
        except Conflict:
            return None
        return tuple(found)

    def _require(self, actor: Actor, value: str) -> None:
        try:
            require(actor, "withdraw", Thing("withdrawal", value, actor.project))
        except Refused as refusal:
            self._gate.tell(actor, "withdrawal.refused", [value], refusal)
            raise

    def _write(
        self, connection: Connection, actor: Actor, scope: Scope, reach: Reach, effect: Effect, reason: str, deadline: str,
        jobs: tuple[str, ...],
    ) -> WithdrawalReport:  # fmt: skip
        withdrawal = self._row(connection, actor, settled(scope, reach.documents), effect, reason, deadline)
        for asset in reach.assets:
            self._state(connection, actor, asset, withdrawal)
        erased, kept = self._mark_erased(connection, actor, withdrawal.id, reach) if effect == "erase" else ({}, set[str]())
        kinds = sorted({m.kind for m in reach.assets.values()})
        report = WithdrawalReport(
            withdrawal.id, scope.selector, scope.value, effect, reach.count, {k: reach.of_kind(k) for k in kinds},
            jobs, tuple(sorted(erased)), sum(erased.values()), tuple(sorted(kept)),
        )  # fmt: skip
        counts: dict[str, Json] = {kind: len(ids) for kind, ids in report.reached.items()}
        body: dict[str, Json] = {
            "selector": scope.selector, "effect": effect, "deadline": deadline, "reached": counts, "documents": report.documents,
            "jobs": len(jobs), "objects": len(erased), "bytes": report.erased_bytes, "kept": len(kept),
        }  # fmt: skip
        self._events.emit(connection, actor, "withdrawal.made", [withdrawal.id, *report.models], body)
        return report

    def _row(self, connection: Connection, actor: Actor, scope: Scope, effect: Effect, reason: str, deadline: str) -> Withdrawal:
        """The active withdrawal of this scope and effect, made where there is none."""
        w, at = t.withdrawal.c, iso(self._seam.now_ms())
        same = (
            (w.project == scope.project) & (w.selector == scope.selector) & (w.value == scope.value) & (w.source == scope.source)
        )
        known = connection.execute(select(t.withdrawal).where(same, w.effect == effect, w.lifted_at.is_(None))).mappings().first()
        if known is not None:
            return as_withdrawal(known)
        row = {
            "project": scope.project, "source": scope.source, "selector": scope.selector, "value": scope.value,
            "effect": effect, "deadline": deadline, "reason": reason, "at": at,
        }  # fmt: skip
        identifier = self._seam.token(32)
        connection.execute(insert(t.withdrawal), row | {"id": identifier, "lifted_at": None})
        return Withdrawal(identifier, scope.selector, scope.value, effect, deadline, reason)

    def _state(self, connection: Connection, actor: Actor, asset: str, withdrawal: Withdrawal) -> None:
        if withdrawal.id not in self._statements.standing(connection, actor.project, asset).withdrawals:
            self._statements.make(connection, actor, asset, "withdrawal", withdrawal_body(withdrawal))

    def _mark_erased(
        self, connection: Connection, actor: Actor, identifier: str, reach: Reach
    ) -> tuple[dict[str, int], set[str]]:
        """States which Assets lose bytes and lists the objects to delete: (sha256 to bytes, sha256 of what stays)."""
        digests = reach.digests()
        kept = needed_elsewhere(connection, actor.project, digests, reach.assets)
        losing = [asset for asset, paths in reach.paths.items() if paths]
        for asset in losing:
            if not self._statements.standing(connection, actor.project, asset).is_erased:
                body: dict[str, Json] = {"withdrawal": identifier, "paths": sorted(reach.paths[asset])}
                self._statements.make(connection, actor, asset, "erased", body)
        doomed = {sha: size for sha, size in digests.items() if sha not in kept and self._assets.objects.has(sha, size)}
        connection.execute(delete(t.setting).where(t.setting.c.name == PENDING + identifier))
        if doomed:
            connection.execute(insert(t.setting), {"name": PENDING + identifier, "value": canonical(doomed).decode()})
        return doomed, kept

    def finish_erasing(self, actor: Actor) -> int:
        """Deletes the objects that committed withdrawals have listed; the number of them. Safe to repeat."""
        with self._database.read() as connection:
            query = select(t.setting.c.name, t.setting.c.value).where(t.setting.c.name.startswith(PENDING, autoescape=True))
            pending = [(name, cast("dict[str, int]", parse(value))) for name, value in connection.execute(query)]
        for name, doomed in pending:
            for sha256 in doomed:
                self._assets.objects.delete(sha256)
            with self._database.write() as connection:
                done = connection.execute(delete(t.setting).where(t.setting.c.name == name)).rowcount
                if done:
                    body: dict[str, Json] = {"objects": len(doomed), "bytes": sum(doomed.values())}
                    self._events.emit(connection, actor, "withdrawal.erased", [name.removeprefix(PENDING)], body)
        return sum(len(doomed) for _, doomed in pending)

    def erased_from(self, project: str, source: str) -> frozenset[str]:
        """sha256 of the files that erasure has taken out of any version of the source `provider/name`."""
        s, a = t.statement.c, t.asset.c
        is_of_source = (a.id == s.asset) & (a.project == s.project) & (a.provider == source)
        query = select(s.payload, a.manifest).join(t.asset, is_of_source).where(s.project == project, s.kind == "erased")
        found: set[str] = set()
        with self._database.read() as connection:
            for payload, manifest in connection.execute(query):
                paths = cast("Sequence[str]", read_statement(bytes(payload)).body["paths"])
                found |= {f.sha256 for f in read_manifest(bytes(manifest)).files if f.path in paths}
        return frozenset(found)

    def lift(self, actor: Actor, identifier: str, reason: str) -> tuple[str, ...]:
        """Ends a withdrawal; the Assets it is lifted from. What was erased stays erased. Raises Missing, Refused."""
        self._require(actor, identifier)
        with self._database.write() as connection:
            self._assets.hold_lineage(connection)
            w = t.withdrawal.c
            here = (w.id == identifier) & (w.project == actor.project) & w.lifted_at.is_(None)
            if not connection.execute(update(t.withdrawal).where(here).values(lifted_at=iso(self._seam.now_ms()))).rowcount:
                raise Missing(
                    "no-withdrawal",
                    f"no withdrawal {identifier[:12]} stands in this project",
                    "see: touyan log --type withdrawal.made",
                )
            assets = self._statements.withdrawn_by(connection, actor.project, identifier)
            for asset in assets:
                self._statements.make(connection, actor, asset, "lift", {"withdrawal": identifier, "reason": reason})
            self._events.emit(connection, actor, "withdrawal.lifted", [identifier], {"assets": len(assets), "reason": reason})
        return assets

    def active(self, project: str, source: str = "") -> list[Withdrawal]:
        """The withdrawals that stand against a source, those of persons in any source among them; without one, all of a project."""
        with self._database.read() as connection:
            return active(connection, project, source)

    def apply_to_new_source(self, connection: Connection, actor: Actor, asset: str, provider: str) -> list[Withdrawal]:
        """States the withdrawals that stand against `provider/name` on a source registered again; those that now hold for it.

        `Assets.publish` has done the same for an Asset it saw for the first time; doing it twice changes nothing.
        """
        standing = active(connection, actor.project, provider)
        for withdrawal in standing:
            self._state(connection, actor, asset, withdrawal)
        return standing

    def exclusions_asset(self, actor: Actor, sources: Sequence[str]) -> str | None:
        """An Asset of kind exclusions for the documents and persons withdrawn from `sources`; None where there are none.

        One file a withdrawal, `<id>.jsonl`, one line `{"selector","value"}`: the same withdrawals give the same Asset.
        """
        with self._database.read() as connection:
            listed = {w.id: w for source in sources for w in active(connection, actor.project, source) if w.selector != "source"}
        if not listed:
            return None
        with TemporaryDirectory(prefix="touyan-exclusions-") as folder:
            for identifier, withdrawal in listed.items():
                line = canonical({"selector": withdrawal.selector, "value": withdrawal.value}) + b"\n"
                (Path(folder) / f"{identifier}.jsonl").write_bytes(line)
            return self._assets.add_folder(actor, "exclusions", Path(folder), "exclusions")


def _check(selector: str, value: str, effect: str, reason: str, deadline: str) -> None:
    if selector not in SELECTORS:
        raise Invalid("bad-selector", f"{selector!r} is no selector", nearest(selector, SELECTORS))
    if effect not in EFFECTS:
        raise Invalid("bad-effect", f"{effect!r} is no effect of a withdrawal", nearest(effect, EFFECTS))
    if not reason.strip():
        raise Invalid("no-reason", "a withdrawal needs a reason", 'say why: --reason "the owner ended the contract"')
    if selector == "document":
        check_digest(value)
    is_hex = len(value) == PSEUDONYM_DIGITS and set(value) <= set("0123456789abcdef")
    if selector == "subject" and not is_hex:
        raise Invalid(
            "not-a-pseudonym",
            "a person is withdrawn by pseudonym, never by name",
            "give the identifier to: touyan withdraw --subject -",
        )
    try:
        _ = deadline and from_iso(deadline)
    except ValueError as error:
        raise Invalid("bad-deadline", f"{deadline!r} is no ISO date", "write it as 2027-12-31") from error


def _require_found(scope: Scope, reach: Reach, assets: Mapping[str, Manifest]) -> None:
    """A mistyped source or document must not look like a withdrawal that found nothing. A person may be withdrawn ahead of time."""
    wanted = scope.value if scope.selector == "source" else scope.source
    providers = {m.provider for m in assets.values() if m.provider}
    if wanted and wanted not in providers:
        raise Missing("no-source", f"there is no source {wanted!r} in the project {scope.project!r}", nearest(wanted, providers))
    if scope.selector == "document" and not scope.source and not reach.documents:
        raise Missing(
            "no-document", f"no table here has the document {scope.value[:12]}", "name its source: --source provider/name"
        )


def _newest(connection: Connection, project: str) -> int:
    return connection.execute(select(func.max(t.asset.c.seq)).where(t.asset.c.project == project)).scalar() or 0
