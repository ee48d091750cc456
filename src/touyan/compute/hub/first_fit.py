"""First fit: a Job goes to the first site, by name, that is open, has room and could run it; this machine comes last.

The plainest matcher that keeps every rule a site states about itself. Knows nothing of prices, data and queues. Invariant: every
site gets a reason, and no site gets more Jobs than it has room for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from touyan.compute.hub.placing import Candidate, Waiting
from touyan.compute.resources import NodeClass, Pool
from touyan.core.job import Accelerator, Need
from touyan.store.home import Store
from touyan.store.site_records import LOCAL, Placement

ELSEWHERE = "not needed: another site came first"


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a site could run a Job: with which alternative, or why not."""

    reason: str = ""
    accelerator: Accelerator | None = None


def first_fit(store: Store, sites: Sequence[Candidate], jobs: Sequence[Waiting]) -> list[Placement]:
    """The placements of `jobs`; see `Matcher`."""
    rooms = {c.site.name: c.room for c in sites}
    projects = store.sites.projects()
    return [_place(sites, rooms, projects, job) for job in jobs]


def _place(sites: Sequence[Candidate], rooms: dict[str, int], projects: dict[str, list[str]], job: Waiting) -> Placement:
    reasons: dict[str, str] = {}
    chosen: tuple[str, Accelerator | None] = ("", None)
    for candidate in sites:
        name = candidate.site.name
        fit = fits(candidate, job, projects.get(name, []))
        if fit.reason:
            reasons[name] = fit.reason
        elif chosen[0]:
            reasons[name] = ELSEWHERE
        elif rooms[name] <= 0:
            reasons[name] = "it has no room now"
        else:
            chosen, reasons[name] = (name, fit.accelerator), "the first site that fits"
            rooms[name] -= 1
    return Placement(job.id, chosen[0], reasons, chosen[1])


def fits(candidate: Candidate, job: Waiting, projects: Sequence[str]) -> Fit:
    """Whether the site could run the Job at all."""
    site, need = candidate.site, job.spec.need
    if candidate.closed:
        return Fit(candidate.closed)
    if site.name != LOCAL and job.spec.project not in projects:
        return Fit(f"it does not work for the project {job.spec.project}")
    if need.kind not in site.kinds:
        return Fit(f"it takes {', '.join(site.kinds)} work, not {need.kind}")
    if not need.accelerators:
        return Fit("" if _has(candidate, need, None) else _too_small(need))
    for alternative in need.accelerators:
        if _has(candidate, need, alternative):
            return Fit("", alternative)
    asked = " or ".join(f"{a.count} x {a.model}" for a in need.accelerators)
    return Fit(f"it has no {asked}; it has {', '.join(candidate.capacity.models) or 'no accelerators'}")


def _has(candidate: Candidate, need: Need, accelerator: Accelerator | None) -> bool:
    return any(_holds(pool, kind, need, accelerator) for pool, kind in candidate.capacity.classes())


def _holds(pool: Pool, kind: NodeClass, need: Need, accelerator: Accelerator | None) -> bool:
    """Whether a class of nodes holds every member of the gang, one a node."""
    is_enough = kind.nodes >= need.gang and kind.cpus >= need.cpus and kind.memory_bytes >= need.memory_bytes
    has_devices = accelerator is None or (kind.model == accelerator.model and kind.devices >= accelerator.count)
    return need.kind in pool.kinds and is_enough and has_devices and (not pool.limit_s or pool.limit_s >= need.limit_s)


def _too_small(need: Need) -> str:
    return f"no class of its nodes has {need.gang} x {need.cpus} CPUs with {need.memory_bytes / 2**30:g} GiB for {need.limit_s} s"
