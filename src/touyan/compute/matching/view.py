"""What the matcher sees of the store: Jobs as Requests, sites as Candidates.

Owns the reading, a fixed number of queries a batch and one walk for each distinct input. Knows nothing of scores. Invariant: it
writes nothing; what it cannot know of an input's rights counts as the strictest.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, select

from touyan.compute.hub.placing import Candidate as Offered
from touyan.compute.hub.placing import Waiting
from touyan.compute.ledger.vouchers import Voucher as Grant
from touyan.compute.ledger.vouchers import vouchers
from touyan.compute.matching.candidate import HERE, Candidate
from touyan.compute.matching.history import History
from touyan.compute.matching.policy import TRUST
from touyan.compute.matching.request import Data, Request, Voucher
from touyan.compute.matching.turns import CALLED_BACK
from touyan.compute.resources import NodeClass, Pool
from touyan.core.job import Accelerator, JobSpec, Need, read_spec
from touyan.core.party import Party
from touyan.core.rights import Rights, SecurityClass
from touyan.core.seam import from_iso, iso
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.job_records import envelope_of
from touyan.store.jobs import HELD
from touyan.store.site_records import LOCAL

STAYS = "stays-in:"
"""A duty of the rights that begins so names a zone that the bytes may not leave."""
FAILED = ("failed", "lost")


@dataclass(frozen=True, slots=True)
class Taken:
    """What one Job holds at a site, or will once its agent has started it."""

    job: str
    site: str
    arrived_s: float
    party: str
    need: Need
    accelerator: Accelerator | None
    is_running: bool

    @property
    def devices(self) -> int:
        return self.need.gang * (self.accelerator.count if self.accelerator else 0)


class View:
    """One look at the store, for one batch."""

    def __init__(self, store: Store, connection: Connection, history: History) -> None:
        self._store = store
        self._connection = connection
        self._history = history
        self._now_ms = store.seam.now_ms()
        self._parties: dict[str, Party] = {}
        self._data: dict[tuple[str, str], Data] = {}
        self._grants: dict[tuple[str, str], list[Grant]] = {}
        self._projects = self._all_projects()
        self._taken = self._all_taken()

    def held(self) -> Counter[str]:
        """Devices by party, over all sites."""
        found: Counter[str] = Counter()
        for each in self.out():
            found[each.party] += each.devices
        return found

    def out(self) -> list[Taken]:
        """All that is placed or held."""
        return [taken for of_site in self._taken.values() for taken in of_site]

    @property
    def now_s(self) -> float:
        return self._now_ms / 1000

    def names(self, party: str) -> tuple[str, ...]:
        """What a file may call a party: its id and name, then those of its organisation."""
        if not party:
            return ()
        own = self._party(party)
        above = (self._party(own.organisation),) if own.organisation else ()
        return tuple(dict.fromkeys(name for each in (own, *above) for name in (each.id, each.name)))

    def candidates(self, offered: Iterable[Offered]) -> list[Candidate]:
        return [self._candidate(each) for each in offered]

    def requests(self, waiting: Sequence[Waiting]) -> list[Request]:
        failures = self._failures([job.id for job in waiting])
        return [self._request(job, failures.get(job.id, ())) for job in waiting]

    def _candidate(self, offered: Offered) -> Candidate:
        site, is_here = offered.site, offered.site.name == LOCAL
        return Candidate(
            site.name, offered.capacity, site.owner, self._organisation(site.owner), HERE if is_here else site.zone, site.trust,
            offered.closed, offered.room, None if is_here else self._projects[site.party], site.kinds, self._counted(offered),
        )  # fmt: skip

    def _counted(self, offered: Offered) -> dict[tuple[str, str], tuple[int, int]]:
        """What the site's own count of free devices does not show yet: where it counts itself, what it has not started."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for taken in self._taken.get(offered.site.name, ()):
            for pool, kind in offered.capacity.classes():
                if _runs_on(taken, kind):
                    self._count(found, taken, pool, kind)
                    break
        return found

    def _count(self, found: dict[tuple[str, str], tuple[int, int]], taken: Taken, pool: Pool, kind: NodeClass) -> None:
        devices, cpus = found.get((pool.name, kind.name), (0, 0))
        shows_devices = taken.is_running and kind.free_devices is not None
        shows_cpus = taken.is_running and kind.free_cpus is not None
        found[pool.name, kind.name] = (
            devices + (0 if shows_devices else taken.devices),
            cpus + (0 if shows_cpus else taken.need.cpus * taken.need.gang),
        )

    def _request(self, job: Waiting, failures: tuple[str, ...]) -> Request:
        spec = job.spec
        data = tuple(self._input(spec.project, i.asset) for i in spec.inputs)
        waited_s = max(0.0, (self._now_ms - from_iso(job.created_at)) / 1000)
        return Request(
            job.id, spec.need, spec.project, spec.submitter, self._organisation(spec.submitter), spec.purpose, spec.step,
            self._history.work_s(spec.step), data, self._voucher(spec), waited_s, job.priority, failures,
        )  # fmt: skip

    def _organisation(self, party: str) -> str:
        return (self._party(party).organisation or party) if party else ""

    def _party(self, name: str) -> Party:
        known = self._parties.get(name)
        if known is None:
            known = self._parties[name] = self._store.parties.get(name)
        return known

    def _input(self, project: str, asset: str) -> Data:
        known = self._data.get((project, asset))
        if known is None:
            known = self._data[project, asset] = self._look_at(project, asset)
        return known

    def _look_at(self, project: str, asset: str) -> Data:
        size = self._connection.execute(select(t.asset.c.size_bytes).where(t.asset.c.id == asset).limit(1)).scalar() or 0
        allowed = self._store.gate.effective(self._connection, project, asset)
        stays = frozenset(duty.removeprefix(STAYS) for duty in allowed.duties if duty.startswith(STAYS))
        sources = [i for i, _ in self._store.gate.sources(self._connection, project, asset)]
        security = max((_class(self._standing(project, i)) for i in sources), key=_height, default="public")
        return Data(asset, size, allowed.territory, stays or None, security, frozenset({LOCAL}))

    def _standing(self, project: str, source: str) -> Rights:
        return self._store.statements.standing(self._connection, project, source).rights or Rights()

    def _voucher(self, spec: JobSpec) -> Voucher | None:
        """Of the Party's vouchers for this purpose the one with most left: where it suffices, the ledger finds one that does."""
        name = (spec.project, spec.submitter)
        if name not in self._grants:
            self._grants[name] = vouchers(self._connection, *name)
        now = iso(self._now_ms)
        valid = [g for g in self._grants[name] if g.expires_at > now and g.purpose in ("", spec.purpose) and g.free]
        return _voucher(max(valid, key=lambda grant: grant.free)) if valid else None

    def _failures(self, jobs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        a = t.attempt.c
        is_failure = a.job.in_(jobs) & a.state.in_(FAILED) & (a.reason != CALLED_BACK)
        rows = self._connection.execute(select(a.job, a.site).where(is_failure).order_by(a.token)).all()
        found: dict[str, tuple[str, ...]] = {}
        for job, site in rows:
            found[job] = (*found.get(job, ()), site)
        return found

    def _all_projects(self) -> defaultdict[str, frozenset[str]]:
        """By the party of a site: the projects it works for."""
        m = t.membership.c
        found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        for party, project in self._connection.execute(select(m.party, m.project).where(m.role == "agent")):
            found[party] |= {project}
        return found

    def _all_taken(self) -> dict[str, list[Taken]]:
        """By site: what waits there or is held there."""
        j, a, p = t.job.c, t.attempt.c, t.placement.c
        columns = (j.id, j.created_at, j.site, j.submitter, j.spec, p.accelerator)
        waits = select(*columns).join(t.placement, p.job == j.id).where(j.state == "waiting", j.site != "")
        holds = select(*columns, a.state).join(t.attempt, a.job == j.id).outerjoin(t.placement, p.job == j.id)
        rows = [(*row, "") for row in self._connection.execute(waits).all()]
        rows += [tuple(row) for row in self._connection.execute(holds.where(a.state.in_(HELD))).all()]
        found: dict[str, list[Taken]] = {}
        for job, created_at, site, party, spec, chosen, state in rows:
            accelerator = Accelerator(**json.loads(chosen)) if chosen else None
            is_running = state in ("running", "unreachable")
            taken = Taken(job, site, from_iso(created_at) / 1000, party, _need(spec), accelerator, is_running)
            found.setdefault(site, []).append(taken)
        return found


@lru_cache(8192)
def _need(spec: str) -> Need:
    """Asked anew each round of each Job that is out, and its spec never changes."""
    return read_spec(envelope_of(spec).payload).need


def _runs_on(taken: Taken, kind: NodeClass) -> bool:
    if taken.accelerator is None:
        return kind.cpus >= taken.need.cpus
    return kind.model == taken.accelerator.model and kind.devices >= taken.accelerator.count


def _class(rights: Rights) -> SecurityClass:
    """What holds personal information is no public matter, whatever its class says."""
    is_personal = rights.personal_state not in ("none", "de-identified")
    return "general" if is_personal and rights.security == "public" else rights.security


def _height(security: SecurityClass) -> int:
    return TRUST.index(security) if security in TRUST else len(TRUST)


def _voucher(grant: Grant) -> Voucher:
    """Milliseconds and fen as seconds and yuan."""
    if grant.unit == "fen":
        return Voucher(grant.id, grant.free / 100, "yuan")
    return Voucher(grant.id, grant.free / 1000)
