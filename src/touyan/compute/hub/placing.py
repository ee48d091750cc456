"""Placing: which site each waiting Job is to run on, decided in batches, with a reason for every site.

Owns when a decision is asked for, what the matcher sees and what is written down; the decision itself is the matcher's. Knows
nothing of agents. Invariant: a Job is offered to a site only by a row that says why, and one that its site does not take in time
is decided anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeAlias

from touyan.compute.hub.call_back import call_back
from touyan.compute.resources import KINDS, Capacity, NodeClass, Pool, read_capacity
from touyan.compute.shares import SHARES
from touyan.core.job import JobSpec
from touyan.core.seam import iso
from touyan.store.home import Store
from touyan.store.site_records import LOCAL, Placement, Site
from touyan.store.sites import JOINED

AT_ONCE = 200
"""Jobs decided in one round."""
SILENT_S = 90.0
"""A site that has not spoken for so long is offered nothing."""
LOOK_AHEAD = 8
"""Jobs looked at for each that there is room for: the first may fit none of the sites that have room."""
TELL_S = 10.0
"""While no site has room, Jobs are told why so often."""
TAKEN_S = 120.0
"""A Job that its site has not claimed within this time is placed again."""
LOCAL_ROOM = 1
"""Attempts of this machine's own site while others have joined: it is offered the next when it is idle."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A Job to be placed."""

    id: str
    spec: JobSpec
    priority: int
    created_at: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A site as the matcher sees it."""

    site: Site
    capacity: Capacity
    held: int
    """Attempts it holds now."""
    room: int
    """Jobs it would take now: what it wanted when it last spoke, less what was placed there since."""
    closed: str = ""
    """Why it takes nothing now; empty: it does."""


Matcher: TypeAlias = Callable[[Store, Sequence[Candidate], Sequence[Waiting]], Sequence[Placement]]
"""`place(store, sites, jobs)`: a Placement for every Job, in any order; one of a Job that is out calls it back. It reads what it
likes and writes nothing."""


class Placing:
    """Places the waiting Jobs of one store."""

    def __init__(self, store: Store, matcher: Matcher) -> None:
        self._store = store
        self._matcher = matcher
        self._told_ms = 0

    def round(self) -> int:
        """Decides on what waits, and writes it down; how many Jobs were given to a site. Nothing is done while no site has joined."""
        sites = [s for s in self._store.sites.list() if s.state in JOINED]
        if not sites:
            return 0
        now_ms = self._store.seam.now_ms()
        candidates = self._candidates(sites, now_ms)
        self._store.placements.take_back(now_ms - round(TAKEN_S * 1000), [c.site.name for c in candidates if c.closed])
        room = sum(c.room for c in candidates if not c.closed)
        if not room and now_ms < self._told_ms + TELL_S * 1000:
            return 0
        waiting = self._waiting(room)
        if not waiting:
            return 0
        self._told_ms = now_ms
        placed = self._matcher(self._store, candidates, waiting)  # may take a second: no transaction is open meanwhile
        self._store.placements.keep(placed)
        asked = {job.id for job in waiting}
        if stopped := [p for p in placed if p.job not in asked]:
            call_back(self._store, stopped)
        return sum(bool(p.site) for p in placed)

    def _waiting(self, room: int) -> list[Waiting]:
        """What is decided on. Where devices are shared, no party hides another's turn behind its own Jobs."""
        is_shared = (self._store.home / SHARES).exists()
        last = AT_ONCE if is_shared else min(AT_ONCE, LOOK_AHEAD * (room + 1))
        found = self._store.placements.unplaced(last, by_party=is_shared)
        return [Waiting(j.id, j.spec, j.priority, j.created_at) for j in found]

    def _candidates(self, sites: Sequence[Site], now_ms: int) -> list[Candidate]:
        held, waiting = self._store.site_attempts.counts(), self._store.placements.waiting_at()
        found = [
            Candidate(s, offered(s), held.get(s.name, 0), max(0, s.want - waiting.get(s.name, 0)), closed(s, now_ms))
            for s in sites
        ]
        if self._store.placements.takes_local():
            busy = held.get(LOCAL, 0) + waiting.get(LOCAL, 0)
            found.append(Candidate(here(), offered(here()), held.get(LOCAL, 0), max(0, LOCAL_ROOM - busy)))
        return found


def offered(site: Site) -> Capacity:
    """What a site says that it has; it was checked when it said so."""
    return _capacity(site.capacity_json)


@lru_cache(1024)
def _capacity(text: str) -> Capacity:
    return read_capacity(json.loads(text))


def closed(site: Site, now_ms: int) -> str:
    """Why a site takes nothing now; empty where it does."""
    if site.state == "draining":
        return f"it is drained: {site.reason or 'no reason given'}"
    if now_ms - site.seen_ms > SILENT_S * 1000:
        return f"its agent has not spoken since {iso(site.seen_ms)}" if site.seen_ms else "its agent has not spoken yet"
    if (window := site.window_at(iso(now_ms))) is not None:
        return f"maintenance until {window.until_at}: {window.reason}"
    return ""


@cache
def here() -> Site:
    """This machine as a site."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    capacity = Capacity((Pool("here", (NodeClass("here", 1, len(os.sched_getaffinity(0)), memory_bytes),)),))
    stated = json.dumps(capacity.to_json())
    return Site(LOCAL, "", "", "", "local", "open", "", "", KINDS, stated, (), "", "", None, 0, LOCAL_ROOM)
