"""Calling back: a Job that is out on borrowed devices waits again.

Owns how it is taken from its site. Knows nothing of whose turn it is. Invariant: the try does not count, and what the Attempt did
beyond its last checkpoint is done again; an end that its agent told first stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from touyan.core.errors import Conflict
from touyan.store.home import Store
from touyan.store.site_records import Placement


def call_back(store: Store, stopped: Sequence[Placement]) -> None:
    """Takes placed Jobs from their sites, and running ones from their agents, who hear `lost` at their next round."""
    reasons = {p.job: p.reasons.get("", "") for p in stopped}
    store.placements.take_from_sites(list(reasons))
    for project in sorted({store.jobs.get(job).project for job in reasons}):
        for claim in (held.claim for held in store.jobs.held(project) if held.claim.job in reasons):
            with suppress(Conflict):  # it ended meanwhile
                store.jobs.release(store.agent(project), claim, reasons[claim.job])
