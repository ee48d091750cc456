"""What must never happen, counted after a run.

Owns the counting, from what engines really ran, what the store holds and what the ledger says. Knows nothing of faults.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from chaos_engine import Payload
from chaos_world import World
from sqlalchemy import func, select

from touyan.compute.ledger.check import check
from touyan.store import tables as t
from touyan.store.jobs import DRIFT_S, HELD


@dataclass
class Count:
    """Figures by what they count; all of `wrong` have to be 0."""

    wrong: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    """The first of what is wrong, in words."""

    @property
    def is_clean(self) -> bool:
        return not any(self.wrong.values())

    def text(self) -> str:
        seen = [f"{_number(value):>12} {name}" for name, value in self.seen.items()]
        wrong = [f"{_number(value):>12} {name}" for name, value in self.wrong.items()]
        return "\n".join([*seen, "", "never:", *wrong, *self.told])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def count(network: World, without_end: int, took_s: float, within_s: float) -> Count:
    """Everything, of a network at rest."""
    found = Count()
    store = network.hub.store
    payloads = [p for site in network.sites for p in site.engine.payloads.values()]
    jobs = {j.id: j for j in store.jobs.list("default", last=1_000_000)}
    found.seen |= {"Jobs": len(jobs), "payloads that ran": sum(p.began_s is not None for p in payloads)}
    found.seen |= {f"Jobs {state}": n for state, n in sorted(Counter(j.state for j in jobs.values()).items())}
    found.seen["hub restarts"] = network.hub.kills
    found.seen["agent restarts"] = sum(s.kills for s in network.sites)
    found.seen["hours of virtual time"] = network.time.now_s / 3600
    found.seen["s from the last fault to the last end"] = took_s
    found.seen["s within which they had to come"] = within_s
    found.wrong["Attempts of a Job that overlap"] = _overlaps(payloads, 0.0, found)
    found.wrong["of them for longer than the stated drift"] = _overlaps(payloads, DRIFT_S, None)
    found.wrong["payloads started twice"] = sum(s.engine.started_twice for s in network.sites)
    found.wrong["Jobs without an end in the bound"] = without_end
    found.wrong["errors of the hub that it did not know"] = network.hub.unexpected
    found.wrong["payloads that still run"] = sum(len(s.engine.running()) for s in network.sites)
    _count_results(network, found)
    _count_ledger(network, found)
    left = [p for s in network.sites for p in (s.home.root / "parties").rglob("*") if p.is_file()]
    found.wrong["files left at sites"] = len(left)
    return found


def _overlaps(payloads: list[Payload], beyond_s: float, found: Count | None) -> int:
    """Pairs of Attempts of one Job that ran at once for longer than `beyond_s`, in true time."""
    by_job: dict[str, list[Payload]] = defaultdict(list)
    for payload in payloads:
        if payload.began_s is not None:
            by_job[payload.job].append(payload)
    pairs = 0
    for ran in by_job.values():
        for one, other in pairwise(sorted(ran, key=lambda p: p.began_s or 0.0)):
            if (ended_s := one.ended_s or float("inf")) - (other.began_s or 0.0) > beyond_s:
                pairs += 1
                if found is not None and len(found.told) < 10:
                    found.told.append(
                        f"  {one.order.attempt} at {one.site} ran {one.began_s:.1f} to {ended_s:.1f}, "
                        f"{other.order.attempt} at {other.site} began {other.began_s:.1f}"
                    )
    return pairs


def _count_results(network: World, found: Count) -> None:
    a = t.attempt.c
    with network.hub.store.database.read() as connection:
        states = connection.execute(select(a.job, a.state, func.count()).group_by(a.job, a.state)).all()
        published = connection.execute(select(func.count()).select_from(t.asset).where(t.asset.c.kind == "report")).scalar_one()
    succeeded = {job: n for job, state, n in states if state == "succeeded"}
    done = sum(j.state == "done" for j in network.hub.store.jobs.list("default", last=1_000_000))
    network.hub.store.events.sequence()
    told = Counter(e.event.subjects[0] for e in network.hub.store.events.find("default", kind="job.done", last=1_000_000))
    found.wrong["results accepted twice"] = sum(n > 1 for n in succeeded.values()) + sum(n > 1 for n in told.values())
    found.wrong["ends that are not one result"] = abs(done - len(succeeded)) + abs(done - published) + abs(done - len(told))
    found.wrong["Attempts still held"] = sum(n for _, state, n in states if state in HELD)


def _count_ledger(network: World, found: Count) -> None:
    ledger, a = t.ledger.c, t.attempt.c
    with network.hub.store.database.read() as connection:
        audit = check(connection)
        keys = (
            connection.execute(select(ledger.key).where(ledger.kind.in_(("settle", "refund")), ledger.line == 0)).scalars().all()
        )
        succeeded = connection.execute(select(a.id).where(a.state == "succeeded")).scalars().all()
        holds = connection.execute(
            select(t.voucher_hold.c.attempt, a.state).outerjoin(t.attempt, a.id == t.voucher_hold.c.attempt)
        )
        open_holds = [tuple(row) for row in holds]
    charged = Counter(key.partition("/")[0] for key in keys)
    found.seen["lines of the ledger"] = audit.lines
    found.seen["Attempts charged"] = len(charged)
    found.wrong["Attempts charged twice"] = sum(n > 1 for n in charged.values())
    found.wrong["results that were not charged"] = len(set(succeeded) - set(charged))
    found.wrong["holds left open"] = len(open_holds)
    found.wrong["units that do not sum to zero"] = sum(n != 0 for n in audit.sums.values())
    found.wrong["replay that is not byte-equal"] = int(audit.journal_sha256 != audit.replay_sha256)
    found.wrong["other problems of the ledger"] = len(audit.problems)
    found.told += [f"  {problem}" for problem in audit.problems[:5]] + [f"  open hold {h}" for h in open_holds[:5]]
