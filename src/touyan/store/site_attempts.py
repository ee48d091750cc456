"""What a remote agent says of its Attempts, many at a time.

One query finds all Attempts that a round names, one statement prolongs all leases. Knows nothing of the wire. Invariant: a site
speaks only of Attempts of its own, under the fencing token it was given; of any other it hears `lost`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, func, select, update

from touyan.core.party import Actor
from touyan.core.seam import Seam
from touyan.core.states import AttemptState, is_final
from touyan.store import tables as t
from touyan.store.database import Database
from touyan.store.job_records import Claim, envelope_of
from touyan.store.jobs import HELD, LONGEST_LEASE_S, Jobs, Word


@dataclass(frozen=True, slots=True)
class Told:
    """What an agent says of one Attempt that it holds."""

    attempt: str
    token: int
    is_running: bool
    progress: str = ""
    """JSON, as `progress.json` has it; empty: nothing new."""


@dataclass(frozen=True, slots=True)
class Known:
    """An Attempt of a site as the store has it."""

    claim: Claim
    state: AttemptState
    asset: str
    """Of the Job: what counted, if something did."""


class SiteAttempts:
    """The Attempts of sites that have joined."""

    def __init__(self, database: Database, jobs: Jobs, seam: Seam) -> None:
        self._database = database
        self._jobs = jobs
        self._seam = seam

    def find(self, site: str, attempts: Collection[str]) -> dict[str, Known]:
        """Those of `attempts` that are the site's."""
        if not attempts:
            return {}
        return {k.claim.attempt: k for k in self._known(t.attempt.c.id.in_(attempts), site)}

    def handed_out(self, site: str) -> list[Known]:
        """The Attempts that the site was given and has not yet said to have started, oldest first."""
        return self._known(t.attempt.c.state == "claimed", site)

    def _known(self, where: object, site: str) -> list[Known]:
        a, j = t.attempt.c, t.job.c
        query = select(a.id, a.number, a.job, a.token, a.state, j.project, j.spec, j.asset).join(t.job, j.id == a.job)
        with self._database.read() as connection:
            rows = connection.execute(query.where(a.site == site, where).order_by(a.token)).mappings().all()  # type: ignore[arg-type]
        return [_known(r) for r in rows]

    def renew(self, actors: Mapping[str, Actor], site: str, told: Sequence[Told], lease_s: float) -> dict[str, Word]:
        """Prolongs the leases of what a site holds and starts what it says runs; the word on each. `actors`: by project."""
        words: dict[str, Word] = {}
        with self._database.write() as connection:
            known = self.find(site, [o.attempt for o in told])
            for one in told:
                words[one.attempt] = self._renew(actors, known.get(one.attempt), one, lease_s)
            kept = [a for a, word in words.items() if word == "keep"]
            until_ms = self._seam.now_ms() + round(min(lease_s, LONGEST_LEASE_S) * 1000)
            if kept:
                connection.execute(update(t.attempt).where(t.attempt.c.id.in_(kept)).values(until_ms=until_ms))
            self._note(connection, [o for o in told if o.progress and words[o.attempt] == "keep"])
        return words

    def _renew(self, actors: Mapping[str, Actor], known: Known | None, told: Told, lease_s: float) -> Word:
        if known is None or known.claim.token != told.token or known.claim.project not in actors:
            return "lost"
        if is_final("attempt", known.state):
            return "cancel" if known.state == "cancelled" else "lost"
        actor = actors[known.claim.project]
        if known.state == "claimed" and told.is_running:
            self._jobs.start(actor, known.claim, lease_s)
        elif known.state == "unreachable":
            return self._jobs.renew(actor, known.claim, lease_s)
        return "keep"

    def _note(self, connection: Connection, told: Sequence[Told]) -> None:
        for one in told:
            connection.execute(update(t.attempt).where(t.attempt.c.id == one.attempt).values(progress=one.progress))

    def earlier(self, site: str, job: str, number: int) -> list[str]:
        """The Attempts of a Job before `number` that were at the site, newest first."""
        a = t.attempt.c
        query = select(a.id).where(a.job == job, a.site == site, a.number < number).order_by(a.number.desc())
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def holds(self, site: str, attempt: str) -> bool:
        """Whether the site holds an Attempt now."""
        a = t.attempt.c
        query = select(a.id).where(a.id == attempt, a.site == site, a.state.in_(HELD))
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def in_states(self, states: Collection[str]) -> list[str]:
        """Ids of the Attempts in one of `states`."""
        with self._database.read() as connection:
            return list(connection.execute(select(t.attempt.c.id).where(t.attempt.c.state.in_(states))).scalars())

    def unreachable(self) -> list[tuple[str, str]]:
        """(Attempt, site) of those whose agent is silent."""
        a = t.attempt.c
        with self._database.read() as connection:
            rows = connection.execute(select(a.id, a.site).where(a.state == "unreachable").order_by(a.token)).all()
        return [(attempt, site) for attempt, site in rows]

    def counts(self) -> dict[str, int]:
        """How many Attempts each site holds."""
        a = t.attempt.c
        with self._database.read() as connection:
            rows = connection.execute(select(a.site, func.count()).where(a.state.in_(HELD)).group_by(a.site)).all()
        return {site: int(n) for site, n in rows}


def progress_text(done: float, total: float | None, unit: str) -> str:
    """Progress as the store keeps it."""
    return json.dumps({"done": done, "total": total, "unit": unit[:40]}, separators=(",", ":"))


def _known(row: RowMapping) -> Known:
    claim = Claim(row["id"], row["number"], row["job"], row["project"], row["token"], envelope_of(row["spec"]))
    return Known(claim, row["state"], row["asset"] or "")
