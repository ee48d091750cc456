"""What a remote agent says of its Attempts, many at a time.

One query finds all Attempts that a round names, one statement prolongs all leases. Knows nothing of the wire. Invariant: a site
speaks only of Attempts of its own, under the fencing token it was given; of any other it hears `lost`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, bindparam, func, or_, select, update

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


_A, _J = t.attempt.c, t.job.c
_ATTEMPTS = select(_A.id, _A.number, _A.job, _A.token, _A.state, _J.project, _J.spec, _J.asset).join(t.job, _J.id == _A.job)
# Built once: putting a statement together takes three times as long as carrying it out, and every round does it.
_OF_SITE = _ATTEMPTS.where(_A.site == bindparam("of_site")).order_by(_A.token)
_FOUND = _OF_SITE.where(_A.id.in_(bindparam("named", expanding=True)))
_HANDED_OUT = _OF_SITE.where(_A.state == "claimed")
_HAS_WORK = select(
    or_(
        select(_A.id).where(_A.site == bindparam("of_site"), _A.state == "claimed").exists(),
        select(_J.id).where(_J.site == bindparam("of_site"), _J.state == "waiting").exists(),
    )
)
_PROLONGED = update(t.attempt).where(_A.id.in_(bindparam("named", expanding=True))).values(until_ms=bindparam("until"))
_NOTED = update(t.attempt).where(_A.id == bindparam("named")).values(progress=bindparam("said"))


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
        with self._database.read() as connection:
            rows = connection.execute(_FOUND, {"of_site": site, "named": list(attempts)}).mappings().all()
        return {r["id"]: _known(r) for r in rows}

    def handed_out(self, site: str) -> list[Known]:
        """The Attempts that the site was given and has not yet said to have started, oldest first."""
        with self._database.read() as connection:
            return [_known(r) for r in connection.execute(_HANDED_OUT, {"of_site": site}).mappings()]

    def has_work_for(self, site: str) -> bool:
        """Whether something was handed out to the site and not started, or is placed there."""
        with self._database.read() as connection:
            return bool(connection.execute(_HAS_WORK, {"of_site": site}).scalar())

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
                connection.execute(_PROLONGED, {"named": kept, "until": until_ms})
            if noted := [{"named": o.attempt, "said": o.progress} for o in told if o.progress and words[o.attempt] == "keep"]:
                connection.execute(_NOTED, noted)
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

    def by_state(self) -> dict[tuple[str, str], int]:
        """How many Attempts are held, by site and state."""
        query = select(_A.site, _A.state, func.count()).where(_A.state.in_(HELD)).group_by(_A.site, _A.state)
        with self._database.read() as connection:
            return {(site, state): int(n) for site, state, n in connection.execute(query)}

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
