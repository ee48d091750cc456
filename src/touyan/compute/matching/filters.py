"""The filters, in their order: each looks at one Job and one site and gives a reason against it, or none.

Owns every reason for a refusal, with what would have to be otherwise. Knows nothing of scores and of who else waits. Invariant:
a site that passes all of them may run the Job, whatever it costs; nothing after them lets one in that they kept out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from touyan.compute.matching.candidate import HERE, Candidate
from touyan.compute.matching.policy import TRUST, Policy
from touyan.compute.matching.request import Request
from touyan.compute.rates.table import RateTable
from touyan.compute.resources import NodeClass, Pool
from touyan.core.job import Accelerator, Need


class Fit(NamedTuple):
    """One way to run a Job at a site."""

    pool: Pool
    kind: NodeClass
    accelerator: Accelerator | None


class Refusal(NamedTuple):
    """Why a site may not run a Job. `filter` is a stable slug."""

    filter: str
    words: str


def closed(request: Request, site: Candidate, policy: Policy) -> str:
    return site.closed


def project(request: Request, site: Candidate, policy: Policy) -> str:
    works = site.projects is None or request.project in site.projects
    return "" if works else f"it does not work for the project {request.project}"


def party(request: Request, site: Candidate, policy: Policy) -> str:
    allowed = site.capacity.offer.parties
    if not allowed or request.party in allowed or (request.organisation and request.organisation in allowed):
        return ""
    return f"its owner lends to {_few(allowed)}, not to {request.party or 'an unnamed party'}"


def purpose(request: Request, site: Candidate, policy: Policy) -> str:
    allowed = site.capacity.offer.purposes
    return f"its owner lends for {_few(allowed)}, not for {request.purpose}" if allowed and request.purpose not in allowed else ""


def territory(request: Request, site: Candidate, policy: Policy) -> str:
    for data in request.data:
        if data.territory is not None and not lies_in(site.zone, data.territory):
            where = f"stands in {site.zone}" if site.zone else "does not say where it stands"
            return f"it {where}; the rights of {data.asset[:12]} permit use in {_few(data.territory)}"
    return ""


def egress(request: Request, site: Candidate, policy: Policy) -> str:
    for data in request.data:
        if data.stays is not None and site.name not in data.held_at and not lies_in(site.zone, data.stays):
            return f"{data.asset[:12]} may not leave {_few(data.stays)}, and {site.zone or 'no zone'} is outside"
    return ""


def security(request: Request, site: Candidate, policy: Policy) -> str:
    trust = site.trust or policy.unstated_trust
    if site.zone == HERE:
        return ""
    held = TRUST.index(trust) if trust in TRUST else 0
    for data in request.data:
        asked = TRUST.index(data.security) if data.security in TRUST else len(TRUST)
        if asked > held:
            return f"it is trusted with {trust} data, and {data.asset[:12]} is {data.security} (touyan sites invite --trust)"
    return ""


def voucher(request: Request, site: Candidate, policy: Policy) -> str:
    grant = request.voucher
    if grant is None:
        return "it runs Jobs with a voucher only" if site.capacity.offer.needs_voucher else ""
    if grant.purposes and request.purpose not in grant.purposes:
        return f"voucher {grant.id} is for {_few(grant.purposes)}, not for {request.purpose}"
    if not grant.is_valid:
        return f"voucher {grant.id} has expired"
    return ""


Filter = Callable[[Request, Candidate, Policy], str]
FILTERS: tuple[Filter, ...] = (closed, project, party, purpose, territory, egress, security, voucher)


def refusal(request: Request, site: Candidate, policy: Policy) -> Refusal | None:
    """The first reason against a site that has nothing to do with its machines, or None."""
    for each in FILTERS:
        if words := each(request, site, policy):
            return Refusal(each.__name__, words)
    return None


def fits(request: Request, site: Candidate, table: RateTable) -> list[Fit] | Refusal:
    """Every way in which the site's machines can run the Job; or the first thing that none of them has. Each check looks only
    at what passed the one before, so what is left has everything at once."""
    ways = [Fit(p, c, a) for a in request.alternatives for p, c in site.capacity.classes()]
    for check in CHECKS:
        left = [way for way in ways if check.holds(way, request.need, site, table)]
        if not left:
            return Refusal(check.name, check.words(ways, request.need) if ways else "it states no machines")
        ways = left
    return ways


class Check(NamedTuple):
    """One property that a way must have, and what is said where none has it."""

    name: str
    holds: Callable[[Fit, Need, Candidate, RateTable], bool]
    words: Callable[[list[Fit], Need], str]


CHECKS = (
    Check(
        "kind",
        lambda way, need, site, _: need.kind in way.pool.kinds and (not site.kinds or need.kind in site.kinds),
        lambda ways, need: f"it takes no {need.kind} Jobs",
    ),
    Check(
        "accelerator",
        lambda way, need, _, table: way.accelerator is None or table.is_same(way.accelerator.model, way.kind.model),
        lambda ways, need: f"it has {_models(ways)}, and {_few({a.model for a in need.accelerators})} is asked for",
    ),
    Check(
        "devices",
        lambda way, *_: way.accelerator is None or way.kind.devices >= way.accelerator.count,
        lambda ways, need: f"a node has {_most(ways, 'devices')} of them, {_least(ways)} are asked for",
    ),
    Check(
        "gang",
        lambda way, need, *_: way.kind.nodes >= need.gang,
        lambda ways, need: f"it has {_most(ways, 'nodes')} such nodes, {need.gang} are asked for at once",
    ),
    Check(
        "memory",
        lambda way, need, *_: way.kind.memory_bytes >= need.memory_bytes,
        lambda ways, need: f"a node has {_gib(_most(ways, 'memory_bytes'))}, {_gib(need.memory_bytes)} is asked for",
    ),
    Check(
        "cpus",
        lambda way, need, *_: way.kind.cpus >= max(1, need.cpus),
        lambda ways, need: f"a node has {_most(ways, 'cpus')} CPUs, {max(1, need.cpus)} are asked for",
    ),
    Check(
        "limit",
        lambda way, need, *_: not way.pool.limit_s or way.pool.limit_s >= need.limit_s,
        lambda ways, need: f"it runs Jobs of {max(w.pool.limit_s for w in ways)} s at most, {need.limit_s} s are asked for",
    ),
)


def lies_in(zone: str, zones: frozenset[str]) -> bool:
    """A region lies in its country: `CN-SH` is in `CN`. What does not say where it is, is nowhere."""
    return bool(zone) and (zone == HERE or zone in zones or zone.partition("-")[0] in zones)


def _models(ways: list[Fit]) -> str:
    return _few({way.kind.model for way in ways} - {""}) or "no accelerators"


def _most(ways: list[Fit], what: str) -> int:
    return max(getattr(way.kind, what) for way in ways)


def _least(ways: list[Fit]) -> int:
    return min(way.accelerator.count for way in ways if way.accelerator is not None)


def _few(words: Iterable[str]) -> str:
    """At most four of them, in order."""
    listed = sorted(words)
    return " or ".join(listed[:4]) + (f" and {len(listed) - 4} more" if len(listed) > 4 else "")


def _gib(size: int) -> str:
    return f"{size / 2**30:.4g} GiB"
