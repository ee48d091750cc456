"""Placements: which site a waiting Job was given to, and what was said of every other.

Owns the rows that say so, and the queue of Jobs without one. Knows nothing of how a site is chosen. Invariant: only a waiting Job
is placed, in the transaction that found it waiting; what was said last stays, also after its Job has ended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from sqlalchemy import RowMapping, bindparam, delete, func, insert, or_, select, update

from touyan.core.seam import Seam, iso
from touyan.store import tables as t
from touyan.store.database import Database
from touyan.store.job_records import Job, job_of
from touyan.store.jobs import LONGEST_LEASE_S
from touyan.store.site_records import LOCAL, Placement, placement_of

_PLACED = update(t.job).where(t.job.c.id == bindparam("placed")).values(site=bindparam("chosen"))


class Placements:
    """The placements of one store."""

    def __init__(self, database: Database, seam: Seam) -> None:
        self._database = database
        self._seam = seam

    def unplaced(self, last: int, by_party: bool = False) -> list[Job]:
        """The Jobs of all projects that are due and placed nowhere, in the order in which they are served. `by_party`: each party's
        first, then each party's second, so that none fills the answer; that sorts all that wait, about 2 µs a Job."""
        c, now = t.job.c, self._seam.now_ms()
        is_due = or_(c.not_before_ms <= now, c.not_before_ms > now + LONGEST_LEASE_S * 1000)
        turn = func.row_number().over(partition_by=c.submitter, order_by=(c.priority.desc(), c.seq))
        order = (turn, c.seq) if by_party else (c.priority.desc(), c.seq)
        query = select(t.job).where(c.state == "waiting", c.site == "", is_due).order_by(*order).limit(last)
        with self._database.read() as connection:
            return [job_of(r) for r in connection.execute(query).mappings()]

    def waiting_since(self, before: str, last: int = 20) -> list[tuple[str, str, str]]:
        """(Job, name, since) of the Jobs that wait since before a time, oldest first."""
        c = t.job.c
        query = select(c.id, c.name, c.created_at).where(c.state == "waiting", c.created_at < before).order_by(c.seq).limit(last)
        with self._database.read() as connection:
            return [(job, name, since) for job, name, since in connection.execute(query)]

    def states(self) -> dict[str, int]:
        """How many Jobs are in each state."""
        with self._database.read() as connection:
            rows = connection.execute(select(t.job.c.state, func.count()).group_by(t.job.c.state)).all()
        return {state: int(n) for state, n in rows}

    def waiting_at(self) -> dict[str, int]:
        """How many Jobs are placed on each site and not yet claimed."""
        query = select(t.job.c.site, func.count()).where(t.job.c.state == "waiting", t.job.c.site != "").group_by(t.job.c.site)
        with self._database.read() as connection:
            return {site: int(n) for site, n in connection.execute(query)}

    def take_back(self, older_ms: int, closed: Sequence[str]) -> None:
        """Unplaces the Jobs that were placed before `older_ms` and not claimed, and all that wait at `closed` sites."""
        c, p = t.job.c, t.placement.c
        stale = select(p.job).where(p.at_ms < older_ms, p.job == c.id).exists()
        query = select(c.id).where(c.state == "waiting", c.site != "", or_(c.site.in_(closed), stale))
        with self._database.read() as connection:
            found = connection.execute(query).scalars().all()
        if found:
            with self._database.write() as connection:
                connection.execute(update(t.job).where(c.id.in_(found), c.state == "waiting").values(site=""))

    def take_from_sites(self, jobs: Sequence[str]) -> None:
        """Unplaces those of `jobs` that no agent has claimed."""
        c = t.job.c
        with self._database.write() as connection:
            connection.execute(update(t.job).where(c.id.in_(jobs), c.state == "waiting").values(site=""))

    def keep(self, placements: Sequence[Placement]) -> None:
        """Writes decisions down, of the Jobs that still wait for one; one that says what was said before is left as it is."""
        at_ms = self._seam.now_ms()
        rows = [_row(replace(p, at=iso(at_ms))) | {"at_ms": at_ms} for p in placements]
        known = self._texts([p.job for p in placements])
        fresh = [r for r in rows if r["site"] or known.get(str(r["job"])) != (r["site"], r["reasons"])]
        if not fresh:
            return
        c, jobs = t.job.c, [r["job"] for r in fresh]
        with self._database.write() as connection:
            query = select(c.id).where(c.id.in_(jobs), c.state == "waiting", c.site == "").with_for_update()
            open_jobs = set(connection.execute(query).scalars())
            kept = [r for r in fresh if r["job"] in open_jobs]
            connection.execute(delete(t.placement).where(t.placement.c.job.in_(open_jobs)))
            if kept:
                connection.execute(insert(t.placement), kept)
                connection.execute(_PLACED, [{"placed": r["job"], "chosen": r["site"]} for r in kept])

    def _texts(self, jobs: Sequence[str]) -> dict[str, tuple[str, str]]:
        p = t.placement.c
        with self._database.read() as connection:
            rows = connection.execute(select(p.job, p.site, p.reasons).where(p.job.in_(jobs))).all()
        return {job: (site, reasons) for job, site, reasons in rows}

    def of(self, jobs: Sequence[str]) -> Mapping[str, Placement]:
        """The last decision on each of `jobs` that was decided on."""
        with self._database.read() as connection:
            rows: Sequence[RowMapping] = (
                connection.execute(select(t.placement).where(t.placement.c.job.in_(jobs))).mappings().all()
            )
        return {r["job"]: placement_of(r) for r in rows}

    def takes_local(self) -> bool:
        """Whether the store's own machine takes Jobs while other sites have joined."""
        with self._database.read() as connection:
            query = select(t.setting.c.value).where(t.setting.c.name == _LOCAL_SETTING)
            return connection.execute(query).scalar() != "off"

    def set_local(self, takes: bool) -> None:
        with self._database.write() as connection:
            connection.execute(delete(t.setting).where(t.setting.c.name == _LOCAL_SETTING))
            if not takes:
                connection.execute(insert(t.setting), {"name": _LOCAL_SETTING, "value": "off"})


_LOCAL_SETTING = f"site.{LOCAL}"


def _row(placement: Placement) -> dict[str, str | int]:
    chosen = json.dumps(asdict(placement.accelerator)) if placement.accelerator else ""
    reasons = json.dumps(dict(placement.reasons), ensure_ascii=False, sort_keys=True)
    return {"job": placement.job, "site": placement.site, "accelerator": chosen, "reasons": reasons, "at": placement.at}
