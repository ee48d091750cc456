"""Jobs and Attempts as they are kept: submit, claim, renew, finish, fail, cancel, reap.

Leases are rows with a fencing token that grows with every claim; whoever speaks of an Attempt shows its token, and a stale one
changes nothing. Every move goes through `core.states.advance`. Knows nothing of processes and folders. Invariant: a Job has at
most one result, and its Asset, Statement, Event and states change in one transaction or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, RowMapping, and_, func, insert, or_, select, text, update

from touyan.core.asset import InputRef, Manifest
from touyan.core.canonical import Json, canonical
from touyan.core.dsse import seal
from touyan.core.errors import Conflict, Missing, Refused, TouyanError, error_record
from touyan.core.job import SPEC_TYPE, JobSpec, read_spec, spec_bytes
from touyan.core.party import Actor
from touyan.core.seam import Seam, iso
from touyan.core.states import advance, is_final
from touyan.store import job_statements
from touyan.store import tables as t
from touyan.store.assets import Assets
from touyan.store.database import Database
from touyan.store.events import EventLog
from touyan.store.job_records import Attempt, Claim, Held, Job, Outcome, attempt_of, envelope_of, job_of
from touyan.store.parties import Parties
from touyan.store.policy import Thing, decide, require
from touyan.store.site_records import LOCAL
from touyan.store.statements import Statements
from touyan.store.wall import Wall

Word: TypeAlias = Literal["keep", "cancel", "lost"]
"""keep: go on · cancel: stop, the Job was called off · lost: stop, somebody else has the work now."""
Settle: TypeAlias = Callable[[Connection, RowMapping, RowMapping], None]
"""Writes into the ledger what an Attempt used, in the transaction that ends it: its Job and itself as they were before."""

ACTIVE = ("waiting", "placed")
HELD = ("claimed", "running", "unreachable")
GRACE_S = 15
"""An Attempt is UNREACHABLE this long after its lease before its Job is placed again; its wrapper has fenced itself by then."""
DRIFT_S = 1
"""How far the monotonic clocks of two hosts may part over one lease."""
LONGEST_LEASE_S = 3600
"""A lease or a back-off that ends later than this was written before the wall clock went back: it counts as ended."""
BACK_OFF_S = 1.0
BACK_OFF_LIMIT_S = 300.0


class Jobs:
    """The Jobs of one store."""

    def __init__(
        self, database: Database, parties: Parties, assets: Assets, statements: Statements, events: EventLog, seam: Seam
    ) -> None:
        self._database = database
        self._parties = parties
        self._assets = assets
        self._statements = statements
        self._events = events
        self._seam = seam
        self.wall = Wall(database, seam)

    def submit(self, actor: Actor, spec: JobSpec, tries_limit: int = 3, priority: int = 0) -> str:
        """Signs the spec and places a Job for it; returns its id. The same step key has at most one active Job in a project: that
        one is returned; a failed or cancelled one starts again. Raises Refused."""
        try:
            self._require_submitter(actor, spec)
        except Refused as refusal:
            with self._database.write() as connection:
                body: dict[str, Json] = {"code": refusal.code, "message": refusal.message, "verb": "submit"}
                self._events.emit(connection, actor, "access.refused", [spec.key], body)
            raise
        envelope = json.dumps(seal(SPEC_TYPE, spec_bytes(spec), self._parties.signer(actor)).to_json())
        signed = {"spec": envelope, "submitter": actor.party, "name": spec.name, "tries_limit": tries_limit, "priority": priority}
        with self._database.write() as connection:
            self._one_at_a_time(connection, spec.key)
            known = self._newest(connection, spec.project, spec.key)
            if known is None or known["state"] == "done":
                return self._insert(connection, spec, signed)
            if known["state"] == "waiting":
                connection.execute(update(t.job).where(t.job.c.id == known["id"]).values(signed))
            elif known["state"] != "placed":
                fresh = {"site": "", "tries": 0, "not_before_ms": 0, "reason": "", "ended_at": None}
                self._move_job(connection, known, "again", signed | fresh)
            return str(known["id"])

    def _require_submitter(self, actor: Actor, spec: JobSpec) -> None:
        require(actor, "submit", Thing("job", spec.key, spec.project))
        if spec.submitter != actor.party:
            hint = f"submit it as {spec.submitter}"
            raise Refused("not-the-submitter", f"the spec names {spec.submitter} as its submitter", hint)

    def _one_at_a_time(self, connection: Connection, key: str) -> None:
        """PostgreSQL lets two submitters look at once; SQLite's write lock is held already."""
        if not self._database.is_sqlite:
            connection.execute(text("select pg_advisory_xact_lock(hashtext(:key))"), {"key": key})

    def _newest(self, connection: Connection, project: str, key: str) -> RowMapping | None:
        query = select(t.job).where(t.job.c.project == project, t.job.c.step_key == key).order_by(t.job.c.seq.desc()).limit(1)
        return connection.execute(query.with_for_update()).mappings().first()

    def _insert(self, connection: Connection, spec: JobSpec, signed: Mapping[str, Any]) -> str:
        identifier = self._seam.token(8)
        seq = connection.execute(select(func.coalesce(func.max(t.job.c.seq), 0))).scalar_one() + 1
        row = {
            "id": identifier, "seq": seq, "project": spec.project, "step_key": spec.key, "step": spec.step, "state": "waiting",
            "site": "", "not_before_ms": 0, "tries": 0, "reason": "", "created_at": self._now(), "ended_at": None, "asset": None,
        }  # fmt: skip
        connection.execute(insert(t.job), row | dict(signed))
        return identifier

    def claim(self, agent: Actor, site: str, owner: str, lease_s: float) -> Claim | None:
        """Takes the first Job of the agent's project that is due and placed on `site`, or None. The local site takes what is placed
        nowhere too, while no other site has joined. A claim not started within the lease expires."""
        require(agent, "claim", Thing("job", "next", agent.project))
        self.wall.heed()
        due = self._due(agent.project, site)
        with self._database.read() as connection:
            if connection.execute(due).first() is None:
                return None  # asked often: no write lock where there is nothing to do
        with self._database.write() as connection:
            row = connection.execute(due.with_for_update(skip_locked=True)).mappings().first()
            return None if row is None else self._place(connection, row, site, owner, lease_s)

    def _due(self, project: str, site: str) -> Any:
        c, now = t.job.c, self._seam.now_ms()
        is_due = or_(c.not_before_ms <= now, c.not_before_ms > now + LONGEST_LEASE_S * 1000)
        is_ours = c.site == site
        if site == LOCAL:
            is_alone = ~select(t.site.c.name).where(t.site.c.state == "open").exists()
            is_ours = or_(is_ours, and_(c.site == "", is_alone))
        query = select(t.job).where(c.project == project, c.state == "waiting", is_due, is_ours)
        return query.order_by(c.priority.desc(), c.seq).limit(1)

    def _place(self, connection: Connection, job: RowMapping, site: str, owner: str, lease_s: float) -> Claim:
        self._move_job(connection, job, "place", {"site": site, "tries": job["tries"] + 1})
        query = select(func.coalesce(func.max(t.attempt.c.number), 0)).where(t.attempt.c.job == job["id"])
        number, token = connection.execute(query).scalar_one() + 1, _next_token(connection)
        row = {
            "id": f"{job['id']}-{number}", "job": job["id"], "number": number, "site": site, "state": "claimed", "owner": owner,
            "token": token, "until_ms": self._until(lease_s), "started_at": None, "ended_at": None, "reason": "", "progress": "",
            "telemetry": "",
        }  # fmt: skip
        connection.execute(insert(t.attempt), row)
        return Claim(str(row["id"]), number, job["id"], job["project"], token, envelope_of(job["spec"]))

    def start(self, agent: Actor, claim: Claim, lease_s: float) -> None:
        """The Attempt runs. Raises Conflict where the claim no longer holds."""
        self.wall.heed()
        with self._database.write() as connection:
            _, attempt = self._locked(connection, agent, claim)
            self._move_attempt(connection, attempt, "start", {"started_at": self._now(), "until_ms": self._until(lease_s)})

    def renew(self, agent: Actor, claim: Claim, lease_s: float, progress: str = "") -> Word:
        """A heartbeat: prolongs the lease and records progress (JSON). The answer says whether to go on."""
        self.wall.heed()
        with self._database.write() as connection:
            try:
                _, attempt = self._locked(connection, agent, claim)
            except Conflict:
                return "lost"
            if is_final("attempt", attempt["state"]):
                return "cancel" if attempt["state"] == "cancelled" else "lost"
            if attempt["state"] == "unreachable":
                self._move_attempt(connection, attempt, "return", {})
            fields = {"until_ms": self._until(lease_s)} | ({"progress": progress} if progress else {})
            connection.execute(
                update(t.attempt).where(t.attempt.c.id == claim.attempt, t.attempt.c.token == claim.token).values(fields)
            )
        return "keep"

    def finish(self, agent: Actor, claim: Claim, manifest: Manifest, outcome: Outcome, settle: Settle | None = None) -> str:
        """Publishes the Asset whose bytes are safe in the objects, records the result, ends Attempt and Job; returns the Asset's
        id. Raises Conflict where the claim no longer holds."""
        with self._database.write() as connection:
            job, attempt = self._locked(connection, agent, claim)
            telemetry = canonical({"counts": dict(outcome.counts)} | dict(outcome.telemetry)).decode()
            ended = {"ended_at": self._now(), "telemetry": telemetry, "progress": outcome.progress}
            self._move_attempt(connection, attempt, "finish", ended)
            asset = self._publish(connection, agent, job, claim, manifest, outcome)
            fields = {"asset": asset, "job": job["id"], "name": job["name"], "spec": job["spec"], "telemetry": telemetry}
            self._assets.keep_result(connection, job["project"], job["step_key"], fields)
            self._move_job(connection, job, "finish", {"asset": asset, "ended_at": self._now(), "reason": ""})
            self._tell(
                connection, agent, job, "job.done", {"asset": asset, "counts": dict(outcome.counts), "attempts": claim.number}
            )
            if settle is not None:
                settle(connection, job, attempt)
        return asset

    def _publish(
        self, connection: Connection, agent: Actor, job: RowMapping, claim: Claim, manifest: Manifest, outcome: Outcome
    ) -> str:
        spec = read_spec(envelope_of(job["spec"]).payload)
        if not _fits(manifest, spec):
            raise Conflict(
                "wrong-result", f"the manifest is not of the {spec.output} that {spec.name} makes", "run the step again"
            )
        asset = self._assets.publish(connection, agent, manifest, spec.name)
        body: dict[str, Json] = {
            "job": claim.job, "attempt": claim.attempt, "step": spec.step, "version": spec.version,
            "environment_class": spec.environment, "environment": dict(outcome.environment),
        }  # fmt: skip
        self._statements.make(connection, agent, asset, "made-by", body)
        return asset

    def fail(self, agent: Actor, claim: Claim, error: TouyanError, may_retry: bool, settle: Settle | None = None) -> None:
        """The Attempt failed; its Job waits for another, later each time, or fails where it may not or has had its tries."""
        with self._database.write() as connection:
            job, attempt = self._locked(connection, agent, claim)
            self._move_attempt(connection, attempt, "fail", {"ended_at": self._now(), "reason": str(error)})
            self._place_again(connection, agent, job, error, may_retry)
            if settle is not None:
                settle(connection, job, attempt)

    def release(self, agent: Actor, claim: Claim, reason: str) -> None:
        """Gives an interrupted Attempt back: its Job waits again at once, and the try does not count."""
        with self._database.write() as connection:
            job, attempt = self._locked(connection, agent, claim)
            self._move_attempt(connection, attempt, "lose", {"ended_at": self._now(), "reason": reason})
            self._move_job(connection, job, "retry", {"site": "", "not_before_ms": 0, "tries": max(0, job["tries"] - 1)})

    def cancel(self, actor: Actor, job: str, reason: str) -> None:
        """Calls a Job off; its agent hears of it at the next heartbeat. Raises Refused, Missing, or Conflict where it ended."""
        with self._database.write() as connection:
            self.cancel_in(connection, actor, job, reason)

    def cancel_in(self, connection: Connection, actor: Actor, job: str, reason: str) -> None:
        """The same within the caller's transaction."""
        row = self._job(connection, job)
        thing = Thing("job", job, row["project"])
        if not decide(actor, "withdraw", thing).is_allowed:
            require(actor, "submit", thing)
        error = Refused(
            "cancelled", f"the job {row['name']} was called off: {reason}", "run the flow again when that no longer holds"
        )
        self._move_job(connection, row, "cancel", {"reason": _kept(error), "ended_at": self._now()})
        for attempt in self._attempts(connection, job, HELD):
            self._move_attempt(connection, attempt, "cancel", {"ended_at": self._now(), "reason": reason})
        self._tell(connection, actor, row, "job.cancelled", {"reason": reason})

    def active_on(self, connection: Connection, project: str, assets: Collection[str]) -> list[str]:
        """Ids of the active Jobs that have one of `assets` as an input."""
        rows = connection.execute(select(t.job).where(t.job.c.project == project, t.job.c.state.in_(ACTIVE))).mappings().all()
        return [r["id"] for r in rows if any(i.asset in assets for i in read_spec(envelope_of(r["spec"]).payload).inputs)]

    def reap(self, agent: Actor) -> list[str]:
        """Ends what time has ended in the agent's project: claims not started expire, silent Attempts become unreachable, and
        lost after the grace. Returns the ids of the Attempts it moved."""
        require(agent, "claim", Thing("job", "next", agent.project))
        moved: list[str] = []
        self.wall.heed()
        with self._database.read() as connection:
            if not self._overdue(connection, agent.project):
                return moved  # asked often: no write lock where there is nothing to do
        with self._database.write() as connection:
            for attempt in self._overdue(connection, agent.project):
                moved += self._reap(connection, agent, attempt)
        return moved

    def _overdue(self, connection: Connection, project: str) -> list[RowMapping]:
        c, now = t.attempt.c, self._seam.now_ms()
        is_over = or_(c.until_ms < now, c.until_ms > now + LONGEST_LEASE_S * 1000)
        query = select(t.attempt).join(t.job, t.job.c.id == c.job).where(t.job.c.project == project, c.state.in_(HELD), is_over)
        return list(connection.execute(query).mappings().all())

    def _reap(self, connection: Connection, agent: Actor, seen: RowMapping) -> list[str]:
        job = self._job(connection, seen["job"])
        attempt = connection.execute(select(t.attempt).where(t.attempt.c.id == seen["id"]).with_for_update()).mappings().one()
        if (attempt["state"], attempt["until_ms"]) != (seen["state"], seen["until_ms"]):
            return []  # it spoke up while we waited for its row
        if attempt["state"] == "running":
            self._move_attempt(connection, attempt, "silence", {})
            return [attempt["id"]]
        is_claim = attempt["state"] == "claimed"
        waited_ms = self._seam.now_ms() - attempt["until_ms"]
        if not is_claim and 0 <= waited_ms <= (GRACE_S + DRIFT_S) * 1000:
            return []
        words = "the claim was not started in time" if is_claim else "its agent fell silent"
        self._move_attempt(connection, attempt, "expire" if is_claim else "lose", {"ended_at": self._now(), "reason": words})
        error = Conflict("attempt-lost", f"{job['name']}: {words}", "check that the site's agent runs, then run again")
        self._place_again(connection, agent, job, error, may_retry=True)
        return [attempt["id"]]

    def _place_again(self, connection: Connection, agent: Actor, job: RowMapping, error: TouyanError, may_retry: bool) -> None:
        if may_retry and job["tries"] < job["tries_limit"]:
            wait_s = min(BACK_OFF_S * 2 ** max(0, job["tries"] - 1), BACK_OFF_LIMIT_S)
            self._move_job(connection, job, "retry", {"site": "", "not_before_ms": self._until(wait_s)})
            return
        self._move_job(connection, job, "give-up", {"reason": _kept(error), "ended_at": self._now()})
        self._tell(connection, agent, job, "job.failed", {"code": error.code, "message": error.message, "tries": job["tries"]})

    def held(self, project: str) -> list[Held]:
        """The Claims of a project that have not ended."""
        query = select(t.attempt, t.job.c.project, t.job.c.spec).join(t.job, t.job.c.id == t.attempt.c.job)
        with self._database.read() as connection:
            rows = connection.execute(query.where(t.job.c.project == project, t.attempt.c.state.in_(HELD))).mappings().all()
        return [
            Held(Claim(r["id"], r["number"], r["job"], r["project"], r["token"], envelope_of(r["spec"])), r["owner"])
            for r in rows
        ]

    def get(self, job: str) -> Job:
        """A Job by id. Raises Missing."""
        with self._database.read() as connection:
            return job_of(self._job(connection, job))

    def list(self, project: str, states: Collection[str] = (), last: int = 50) -> list[Job]:
        """The newest Jobs of a project, newest first, in the given states or in any."""
        query = select(t.job).where(t.job.c.project == project).order_by(t.job.c.seq.desc()).limit(last)
        with self._database.read() as connection:
            rows = connection.execute(query.where(t.job.c.state.in_(states)) if states else query).mappings().all()
        return [job_of(r) for r in rows]

    def attempts(self, job: str) -> list[Attempt]:
        """The Attempts of a Job, first to last."""
        with self._database.read() as connection:
            return [attempt_of(r) for r in self._attempts(connection, job)]

    def _attempts(self, connection: Connection, job: str, states: Collection[str] = ()) -> list[RowMapping]:
        query = select(t.attempt).where(t.attempt.c.job == job).order_by(t.attempt.c.number)
        return list(connection.execute(query.where(t.attempt.c.state.in_(states)) if states else query).mappings().all())

    def _job(self, connection: Connection, job: str) -> RowMapping:
        row = connection.execute(job_statements.JOB, {"wanted": job}).mappings().first()
        if row is None:
            raise Missing("no-job", f"there is no job {job!r}", "see: touyan jobs")
        return row

    def _locked(self, connection: Connection, agent: Actor, claim: Claim) -> tuple[RowMapping, RowMapping]:
        """Job and Attempt of a claim, locked in this order everywhere. Raises Conflict on a stale token."""
        job = self._job(connection, claim.job)
        require(agent, "claim", Thing("job", claim.job, job["project"]))
        attempt = connection.execute(job_statements.ATTEMPT, {"wanted": claim.attempt, "shown": claim.token}).mappings().first()
        if attempt is None:
            raise _stale(claim.attempt)
        return job, attempt

    def _move_job(self, connection: Connection, job: RowMapping, event: str, fields: Mapping[str, Any]) -> None:
        state = advance("job", job["state"], event)
        shown = {"wanted": job["id"], "from_state": job["state"], "state": state}
        if connection.execute(job_statements.MOVE_JOB, shown | dict(fields)).rowcount != 1:
            raise _stale(job["id"])

    def _move_attempt(self, connection: Connection, attempt: RowMapping, event: str, fields: Mapping[str, Any]) -> None:
        state = advance("attempt", attempt["state"], event)
        shown = {"wanted": attempt["id"], "shown": attempt["token"], "from_state": attempt["state"], "state": state}
        if connection.execute(job_statements.MOVE_ATTEMPT, shown | dict(fields)).rowcount != 1:
            raise _stale(attempt["id"])

    def _tell(self, connection: Connection, actor: Actor, job: RowMapping, kind: str, body: Mapping[str, Json]) -> None:
        """The one Event of a Job's end."""
        asset = body.get("asset")
        subjects = [job["id"], asset] if isinstance(asset, str) else [job["id"]]
        common: dict[str, Json] = {"name": job["name"], "step": job["step"], "step_key": job["step_key"]}
        self._events.emit(connection, actor, kind, subjects, common | dict(body))

    def _now(self) -> str:
        return iso(self._seam.now_ms())

    def _until(self, seconds: float) -> int:
        return self._seam.now_ms() + round(min(seconds, LONGEST_LEASE_S) * 1000)


def _fits(manifest: Manifest, spec: JobSpec) -> bool:
    """Whether a manifest says what was signed: rights follow the inputs it names, and a payload could write another one."""
    inputs = tuple(sorted(InputRef(i.role, i.asset) for i in spec.inputs))
    named = (manifest.kind, manifest.step_key, manifest.inputs, manifest.provider)
    return named == (spec.output, spec.key, inputs, "")


def _next_token(connection: Connection) -> int:
    """Fencing tokens grow over the whole store; the row's lock orders two claims at once."""
    grow = update(t.lease).where(t.lease.c.name == "attempts").values(token=t.lease.c.token + 1).returning(t.lease.c.token)
    token = connection.execute(grow).scalar()
    if token is not None:
        return token
    connection.execute(
        text("insert into lease (name, owner, token, until_ms) values ('attempts', '', 0, 0) on conflict do nothing")
    )
    return connection.execute(grow).scalar_one()


def _kept(error: TouyanError) -> str:
    return canonical(error_record(error)).decode()


def _stale(what: str) -> Conflict:
    return Conflict(
        "stale-token", f"{what} belongs to somebody else by now", "stop: its work is discarded; the job goes on elsewhere"
    )
