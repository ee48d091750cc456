"""What the hub shows: sites with what they have and run, why a Job is where it is, and what needs somebody's attention.

Owns the views that CLI and REST print alike. Knows nothing of how they are printed. Invariant: nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from touyan.compute.hub.placing import SILENT_S, offered
from touyan.core.errors import error_record
from touyan.core.seam import iso
from touyan.store.home import Store
from touyan.store.site_records import Site
from touyan.store.sites import JOINED

STUCK_S = 15 * 60
"""A Job that waits longer than this is told of."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site as a person sees it."""

    site: Site
    running: int
    waiting: int
    is_silent: bool

    @property
    def state(self) -> str:
        return "silent" if self.is_silent else self.site.state

    @property
    def seen_at(self) -> str:
        return iso(self.site.seen_ms) if self.site.seen_ms else ""

    @property
    def words(self) -> str:
        """What it has, such as `2 x 64 CPU + 4 a800-80g`."""
        kinds = (c for _, c in offered(self.site).classes()) if self.site.joined_at else ()
        return ", ".join(f"{c.nodes} x {c.cpus} CPU" + (f" + {c.devices} {c.model}" if c.devices else "") for c in kinds)

    def to_json(self) -> dict[str, Any]:
        s = self.site
        return {
            "name": s.name, "owner": s.owner, "party": s.party, "project": s.project, "driver": s.driver, "state": self.state,
            "reason": s.reason, "zone": s.zone, "trust": s.trust, "kinds": list(s.kinds), "seen_at": self.seen_at,
            "joined_at": s.joined_at, "has": self.words, "running": self.running, "waiting": self.waiting,
            "windows": [[w.from_at, w.until_at, w.reason] for w in s.windows],
        }  # fmt: skip


def site_views(store: Store) -> list[SiteView]:
    """All sites, by name."""
    held, waiting, now_ms = store.site_attempts.counts(), store.placements.waiting_at(), store.seam.now_ms()
    return [SiteView(s, held.get(s.name, 0), waiting.get(s.name, 0), is_silent(s, now_ms)) for s in store.sites.list()]


def is_silent(site: Site, now_ms: int) -> bool:
    """Whether a site that has joined has not spoken for longer than an agent may."""
    return site.state in JOINED and now_ms - site.seen_ms > SILENT_S * 1000


def alerts(store: Store) -> list[str]:
    """What somebody should look at: silent sites, Jobs that wait for long, Attempts out of reach."""
    now_ms = store.seam.now_ms()
    silent = [s for s in store.sites.list() if is_silent(s, now_ms)]
    found = [f"site {s.name} is silent since {iso(s.seen_ms) if s.seen_ms else 'it joined'}: see its agent" for s in silent]
    found += [
        f"attempt {a} at {site} is unreachable: it is placed again when its lease and the grace have passed"
        for a, site in store.site_attempts.unreachable()
    ]
    stuck = store.placements.waiting_since(iso(now_ms - STUCK_S * 1000))
    return found + [f"job {job} ({name}) waits since {since}: touyan why {job}" for job, name, since in stuck]


def why(store: Store, job: str) -> dict[str, Any]:
    """Why a Job is where it is: the last decision with every site's reason, and its Attempts. Raises Missing."""
    found = store.jobs.get(job)
    placement = store.placements.of([job]).get(job)
    attempts = [
        {
            "attempt": a.id,
            "site": a.site,
            "state": a.state,
            "started_at": a.started_at,
            "ended_at": a.ended_at,
            "reason": a.reason,
        }
        for a in store.jobs.attempts(job)
    ]
    return {
        "job": job, "name": found.name, "state": found.state, "site": found.site, "tries": found.tries,
        "decided_at": placement.at if placement else "", "reasons": dict(placement.reasons) if placement else {},
        "attempts": attempts, "error": error_record(found.error) if found.error else None,
    }  # fmt: skip
