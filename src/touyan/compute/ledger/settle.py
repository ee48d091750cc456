"""The end of an Attempt in the ledger: charged for what it used, or not where the site failed; once, whoever says so how often.

`settle` goes into the transaction that ends the Attempt; `settle_report` takes the word of a site, which may come later, and holds
it against what the store knows. Knows no agent and no wire. Invariant: one Attempt, one charge: its key is Attempt and token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, select

from touyan.compute.ending import PASSING
from touyan.compute.ledger.book import add_free, write
from touyan.compute.ledger.charge import FREE, Fault, Terms, Usage, facts_of, lines
from touyan.compute.ledger.transfer import Kind, Transfer, voucher
from touyan.compute.ledger.vouchers import Hold, expire, give_back, release, take
from touyan.compute.rates.table import RateTable, published
from touyan.core.errors import Conflict, Missing
from touyan.core.job import read_spec
from touyan.core.seam import from_iso, iso
from touyan.core.states import is_final
from touyan.store import tables as t
from touyan.store.job_records import envelope_of
from touyan.store.jobs import ACTIVE

LATE_MS = 24 * 3_600_000
"""A site that has not said what an Attempt used so long after its end: the hold is free again."""
SLACK_MS = 1_000
"""Two clocks may part so far over one Attempt; it is the bound of the reconciliation too."""
CORE = "cpu-core"
"""The model that a site names where an Attempt had no accelerator."""
MOST_CORES = 1024
"""Of one node, where a Job asks for all there are: a site's word is no bound. Two sockets of 384 threads are the most there are (2026)."""
NEVER_SAID = ("lost", "expired")
"""States of an Attempt that its site has nothing to say of."""
FAULTS: dict[str, Fault] = {"lost": "site", "expired": "site", "cancelled": "party"}


@dataclass(frozen=True, slots=True)
class Report:
    """What a site says that an Attempt used: one of `usage` in `sync`."""

    attempt: str
    token: int
    elapsed_s: float
    devices: int
    model: str = ""
    """`cpu-core` or empty: no accelerator; `devices` are cores then."""
    energy_wh: float | None = None


def settle(
    connection: Connection, at: str, project: str, party: str, usage: Usage, terms: Terms = FREE, rates: RateTable | None = None
) -> bool:
    """Charges one Attempt of `party`; False where that was done before. Where the terms are FREE, one statement, and a second one
    where there are lines beyond device time; else the terms that `hold` agreed on count, those given here only where nothing was."""
    kept = None if terms.is_free else take(connection, usage.attempt)
    facts = facts_of(party, usage, kept.terms if kept else terms, rates or published())
    if kept is not None:
        facts = replace(facts, voucher=kept.voucher, unit=kept.unit, held=kept.amount)
    kind: Kind = "refund" if usage.fault == "site" else "settle"
    written = lines(facts)
    is_new = write(connection, kind, usage.key, project, party, at, facts.to_json(), written)
    if kept is not None:
        _free_rest(connection, kept, written) if is_new else give_back(connection, at, kept)
    return is_new


def settle_report(
    connection: Connection, now_ms: int, said: Report, site: str, owner: str, terms: Terms = FREE, fault: Fault | None = None
) -> bool:
    """Charges by a site's word: no longer than the Attempt was seen to run, no more devices than its spec allows, nothing where it
    was lost. `fault` None: by the Attempt's state. False where it is charged already.

    Raises Missing for an Attempt that the site never had, Conflict on a stale token or where it has not ended.
    """
    row = _ended(connection, said, site)
    usage = _bounded(row, said, owner, now_ms, published())
    return settle(connection, iso(now_ms), row["project"], row["submitter"], replace(usage, fault=fault or _fault(row)), terms)


def close_unsaid(connection: Connection, now_ms: int) -> int:
    """Frees what is held for Attempts that were lost, for Jobs that ended without them, and for those whose site said nothing for a
    day; returns vouchers that have expired. How many holds there were. To be called now and then."""
    h, a, late = t.voucher_hold.c, t.attempt.c, iso(now_ms - LATE_MS)
    joined = t.voucher_hold.outerjoin(t.attempt, a.id == h.attempt)
    found = connection.execute(select(h.attempt, a.state, a.ended_at).select_from(joined)).all()
    gone = [f.attempt for f in found if f.state in NEVER_SAID or (f.ended_at or "9") < late]
    gone += _of_ended_jobs(connection, [f.attempt for f in found if f.state is None])
    for attempt in gone:
        release(connection, iso(now_ms), attempt)
    expire(connection, iso(now_ms))
    return len(gone)


def _of_ended_jobs(connection: Connection, attempts: Sequence[str]) -> list[str]:
    """Of Attempts that were to be and are not yet, those whose Job wants no more of them."""
    jobs = {attempt: attempt.rpartition("-")[0] for attempt in attempts}
    query = select(t.job.c.id, t.job.c.state).where(t.job.c.id.in_(set(jobs.values())))
    states = {row.id: row.state for row in connection.execute(query)}
    return [attempt for attempt, job in jobs.items() if states.get(job) not in ACTIVE]


def _free_rest(connection: Connection, kept: Hold, written: Sequence[Transfer]) -> None:
    """Counts free what the Attempt did not need of its hold."""
    rest = sum(line.amount for line in written if line.credit == voucher(kept.voucher))
    if kept.voucher and rest:
        add_free(connection, kept.voucher, rest)


def _ended(connection: Connection, said: Report, site: str) -> RowMapping:
    a, j = t.attempt.c, t.job.c
    columns = (a.token, a.state, a.site, a.started_at, a.ended_at, a.reason, j.project, j.submitter, j.spec)
    query = select(*columns).join(t.job, j.id == a.job).where(a.id == said.attempt, a.site == site)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise Missing("no-attempt", f"{site} was given no Attempt {said.attempt!r}", "report what this hub handed out")
    if row["token"] != said.token:
        raise Conflict("stale-token", f"{said.attempt} has another token", "report under the token of the claim")
    if not is_final("attempt", row["state"]):
        raise Conflict("not-ended", f"{said.attempt} has not ended", "report it again with its end")
    return row


def _bounded(row: RowMapping, said: Report, owner: str, now_ms: int, rates: RateTable) -> Usage:
    """A site's word within what the store saw: a site may lie."""
    need = read_spec(envelope_of(row["spec"]).payload).need
    began = row["started_at"]
    until_ms = from_iso(row["ended_at"]) if row["ended_at"] else now_ms
    seen_ms = 0 if began is None else max(0, until_ms - from_iso(began)) + SLACK_MS
    elapsed_ms = min(max(0, round(said.elapsed_s * 1000)), seen_ms)
    model = "" if said.model == CORE else said.model
    allowed = max((a.count for a in need.accelerators if rates.exact(a.model) == rates.exact(model)), default=0)
    asked = need.cpus * need.gang
    devices = min(said.devices, allowed * need.gang)
    cores = asked if model else min(said.devices, asked or MOST_CORES * need.gang)
    energy_wh = None if said.energy_wh is None else round(said.energy_wh)
    return Usage(said.attempt, said.token, row["site"], owner, elapsed_ms, need.limit_s * 1000, model, devices, cores, energy_wh)


def _fault(row: RowMapping) -> Fault:
    """Whose fault the end was, as the store knows it."""
    if row["state"] == "failed":
        return "site" if any(f"[{code}]" in row["reason"] for code in PASSING) else "party"
    return FAULTS.get(row["state"], "none")
