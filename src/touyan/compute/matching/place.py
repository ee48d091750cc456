"""The matcher of a hub: from the store to a placement for every waiting Job, with a reason for every site.

Owns the round: look, see whose turn it is, match, say why. Knows nothing of agents and of when it is asked. Invariant: it writes
nothing; a Job that is out and named in its answer gives its devices back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from touyan.compute.hub.placing import Candidate as Offered
from touyan.compute.hub.placing import Waiting
from touyan.compute.matching.candidate import Candidate
from touyan.compute.matching.history import History
from touyan.compute.matching.match import Decision, match
from touyan.compute.matching.policy import Policy, published, read_policy
from touyan.compute.matching.reasons import alternatives, reasons
from touyan.compute.matching.sharing import Sharing
from touyan.compute.matching.view import View
from touyan.compute.shares import SHARES
from touyan.store.home import Store
from touyan.store.site_records import Placement

POLICY = "policy.yaml"
"""In the home of the store, as the shares are; each is read again when it changes."""


class SiteMatcher:
    """Fits `touyan.compute.hub.placing.Matcher`."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._given = policy
        self._read: tuple[int, Policy] = (-1, published())
        self.history = History()
        self._sharing: Sharing | None = None

    def __call__(self, store: Store, sites: Sequence[Offered], jobs: Sequence[Waiting]) -> list[Placement]:
        policy = self._given or self._policy(store.home / POLICY)
        sharing = self._sharing_of(store.home / SHARES)
        with store.database.read() as connection:
            self.history.read(connection)
            view = View(store, connection, self.history)
            offer = sharing.offer(view, view.requests(jobs), view.candidates(sites))
            held = view.held()
        if sharing.is_on:
            policy = replace(policy, queue_depth=0)  # a guest that queues at a site would stand before its owner
        matching = match(offer.requests, offer.sites, policy, self.history.throughput, held)
        return [*offer.decided, *(self._placement(decision, offer.sites, policy) for decision in matching.decisions)]

    def _sharing_of(self, path: Path) -> Sharing:
        if self._sharing is None:
            self._sharing = Sharing(path, self.history.throughput.table)
        return self._sharing

    def _placement(self, decision: Decision, sites: Sequence[Candidate], policy: Policy) -> Placement:
        said = reasons(decision, sites)
        if len(decision.refusals) == len(sites):
            table = self.history.throughput.table
            said[""] = "; ".join(alternatives(decision.request, sites, policy, table)) or "no site has such machines"
        chosen = decision.chosen
        if chosen is None:
            return Placement(decision.request.job, "", said)
        return Placement(decision.request.job, chosen.site, said, chosen.accelerator)

    def _policy(self, path: Path) -> Policy:
        """The file's weights, or the published ones. Raises Invalid on a mistake in it."""
        changed = path.stat().st_mtime_ns if path.exists() else -1
        if changed != self._read[0]:
            self._read = (changed, read_policy(path) if changed >= 0 else published())
        return self._read[1]
