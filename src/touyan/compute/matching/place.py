"""The matcher of a hub: from the store to a placement for every waiting Job, with a reason for every site.

Owns the round: look, see whose turn it is, match, say why. Knows nothing of agents and of when it is asked. Invariant: it writes
nothing; a Job that is out and named in its answer gives its devices back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from touyan.compute.hub.placing import Candidate as Offered
from touyan.compute.hub.placing import Waiting
from touyan.compute.matching.candidate import Candidate
from touyan.compute.matching.history import History
from touyan.compute.matching.match import Decision, match
from touyan.compute.matching.policy import Policy, published, read_policy
from touyan.compute.matching.reasons import alternatives, reasons
from touyan.compute.matching.sharing import Offer, Sharing
from touyan.compute.matching.view import View
from touyan.compute.matching.watched import Watched
from touyan.compute.shares import SHARES, Shares, read_shares
from touyan.store.home import Store
from touyan.store.site_records import Placement

POLICY = "policy.yaml"
"""In the home of the store, as the shares are."""


@dataclass(frozen=True, slots=True)
class Files:
    """What an operator may change while the hub runs."""

    policy: Watched[Policy]
    shares: Watched[Shares | None]

    @classmethod
    def of(cls, home: Path) -> Files:
        return cls(Watched(home / POLICY, read_policy, published()), Watched[Shares | None](home / SHARES, read_shares, None))


class SiteMatcher:
    """Fits `touyan.compute.hub.placing.Matcher`, for one store."""

    def __init__(self) -> None:
        self.history = History()
        self._files: Files | None = None
        self._sharing: tuple[Shares | None, Sharing | None] = (None, None)

    def __call__(self, store: Store, sites: Sequence[Offered], jobs: Sequence[Waiting]) -> list[Placement]:
        self._files = self._files or Files.of(store.home)
        policy, sharing = self._files.policy.value(), self._sharing_now(self._files.shares.value())
        with store.database.read() as connection:
            self.history.read(connection)
            view = View(store, connection, self.history)
            offer = Offer(view.requests(jobs), view.candidates(sites))
            held = view.held()
            if sharing is not None:
                offer = sharing.offer(view, offer.requests, offer.sites)
                policy = replace(policy, queue_depth=0)  # a guest that queues at a site would stand before its owner
        matching = match(offer.requests, offer.sites, policy, self.history.throughput, held)
        return [*offer.decided, *(self._placement(decision, offer.sites, policy) for decision in matching.decisions)]

    def _sharing_now(self, shares: Shares | None) -> Sharing | None:
        if shares is not self._sharing[0]:
            self._sharing = (shares, Sharing(shares, self.history.throughput.table) if shares else None)
        return self._sharing[1]

    def _placement(self, decision: Decision, sites: Sequence[Candidate], policy: Policy) -> Placement:
        said = reasons(decision, sites)
        if len(decision.refusals) == len(sites):
            table = self.history.throughput.table
            said[""] = "; ".join(alternatives(decision.request, sites, policy, table)) or "no site has such machines"
        chosen = decision.chosen
        if chosen is None:
            return Placement(decision.request.job, "", said)
        return Placement(decision.request.job, chosen.site, said, chosen.accelerator)
