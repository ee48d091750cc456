"""Shared devices in a hub: from the shares file and a look at the store to what is offered, and what is kept at whose site.

Owns the names of owners in the file, and which devices are shared. Knows nothing of scores. Invariant: what is kept for an owner is
kept at its own site, where its gangs fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from touyan.compute.matching.candidate import Candidate, tiers
from touyan.compute.matching.request import Request
from touyan.compute.matching.turns import CALLED_BACK, Active, Turns
from touyan.compute.matching.view import View
from touyan.compute.rates.table import RateTable
from touyan.compute.shares import Shares
from touyan.core.job import Need
from touyan.store.site_records import Placement


@dataclass(frozen=True, slots=True)
class Offer:
    """What the matcher is asked, and what is decided without it."""

    requests: Sequence[Request]
    sites: Sequence[Candidate]
    decided: tuple[Placement, ...] = ()
    """Jobs that wait for their turn, and Jobs that give their devices back."""


class Sharing:
    """One shares file in force. Another one begins anew: what is out is met again first."""

    def __init__(self, shares: Shares, table: RateTable) -> None:
        self._shares = shares
        self._table = table
        self._turns = Turns(shares)

    def offer(self, view: View, requests: Sequence[Request], sites: Sequence[Candidate]) -> Offer:
        """Whose turn it is now."""
        owned = [replace(r, owner=self._owner(view, r.party)) for r in requests]
        waits = [Active(r.job, r.owner, r.devices, view.now_s - r.waited_s, False) for r in owned if self._counts(r.need)]
        out = [taken for taken in view.out() if self._counts(taken.need) and taken.devices]
        away = [Active(o.job, self._owner(view, o.party), o.devices, o.arrived_s, True) for o in out]
        open_ = {site.name for site in sites if not site.closed}
        # What still runs at a site that takes nothing new counts on both sides: nobody is called back for it.
        devices = sum(self._devices(s) for s in sites if s.name in open_) + sum(o.devices for o in out if o.site not in open_)
        turn = self._turns.round([*waits, *away], devices, view.now_s)
        withheld = [Placement(job, "", {"": words}) for job, words in turn.withheld.items()]
        stopped = [Placement(job, "", {"": CALLED_BACK}) for job in turn.stops]
        offered = [r for r in owned if r.job not in turn.withheld]
        return Offer(offered, [self._kept(view, site, turn.kept) for site in sites], (*withheld, *stopped))

    def _owner(self, view: View, party: str) -> str:
        """The name under which a party, or its organisation, has a share; its own id where it has none."""
        return next((name for name in view.names(party) if name in self._shares.owners), party)

    def _counts(self, need: Need) -> bool:
        """Whether a Job runs on shared devices, whichever alternative is chosen."""
        return bool(need.accelerators) and all(self._is_shared(a.model) for a in need.accelerators)

    def _is_shared(self, model: str) -> bool:
        shared = self._shares.models
        return not shared or any(self._table.is_same(model, each) for each in shared)

    def _devices(self, site: Candidate) -> int:
        return sum(
            kind.nodes * kind.devices for _, kind in site.capacity.classes() if kind.devices and self._is_shared(kind.model)
        )

    def _kept(self, view: View, site: Candidate, kept: Mapping[str, int]) -> Candidate:
        lender = self._owner(view, site.owner)
        if lender not in kept:
            return site
        return replace(site, lender=lender, guests=max(0, self._free(site) - kept[lender]))

    def _free(self, site: Candidate) -> int:
        classes: Iterable[int] = (
            next(iter(tiers(site, pool, kind, 0, 0))).devices
            for pool, kind in site.capacity.classes()
            if self._is_shared(kind.model)
        )
        return sum(classes)
