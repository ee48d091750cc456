"""Whose turn it is: the shares of docs/design/fairness.md, kept in a hub.

Tells `FairShares` what the store shows, round by round, and says which waiting Jobs are offered to the matcher, which borrowers give
their devices back, and what is kept for whom. Knows nothing of sites. Invariant: what is offered or out never exceeds the devices,
and whatever this process forgot it learns from what is out before it looks at what waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from touyan.compute.scheduling.fair import FairShares
from touyan.compute.scheduling.policy import Ask
from touyan.compute.shares import Shares
from touyan.core.errors import Refused

CALLED_BACK = "its devices are called back by the owner who lent them; it goes on from its last checkpoint"


@dataclass(frozen=True, slots=True)
class Active:
    """A Job that has not ended and asks for shared devices."""

    job: str
    owner: str
    devices: int
    arrived_s: float
    is_out: bool
    """Placed or running."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one round decided."""

    offered: frozenset[str]
    """Waiting Jobs whose turn has come."""
    withheld: Mapping[str, str]
    """Waiting Jobs whose turn has not, with the reason."""
    stops: tuple[str, ...]
    """Jobs that are out and give their devices back."""
    kept: Mapping[str, int]
    """By owner: devices that only its own Jobs may have."""


class Turns:
    """The shares of one pool of devices, over time."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._policy = FairShares(shares)
        self._asks: dict[str, Ask] = {}
        self._started: dict[str, float] = {}
        """When each Job's turn came."""
        self._ran: set[str] = set()
        """Jobs that were out once; what never ran teaches nothing."""
        self._refused: dict[str, str] = {}
        self._coming: list[tuple[float, int]] = []
        """Devices of stopped Jobs, and when they are free."""

    def round(self, active: Sequence[Active], devices: int, now_s: float) -> Turn:
        """`devices`: all that are shared now, at sites that are open."""
        self._forget({each.job for each in active}, now_s)
        for is_out in (True, False):
            self._meet(sorted((a for a in active if a.is_out == is_out), key=lambda a: a.arrived_s), now_s)
            self._decide(devices - sum(a.devices for a in active if a.is_out and a.job in self._refused), now_s)
        out = {each.job for each in active if each.is_out} - self._refused.keys()
        self._ran |= out
        waiting = [each for each in active if not each.is_out]
        return Turn(
            frozenset(each.job for each in waiting if each.job in self._started),
            {each.job: self._why(each) for each in waiting if each.job not in self._started},
            tuple(sorted(out - self._started.keys())),
            self._policy.kept(),
        )

    def _forget(self, jobs: set[str], now_s: float) -> None:
        for gone in self._asks.keys() - jobs:
            ask, since_s = self._asks.pop(gone), self._started.pop(gone, None)
            if since_s is None:
                self._policy.withdrawn(ask)
            else:
                self._policy.ended(ask, now_s - since_s if gone in self._ran else 0.0, now_s)
        self._ran &= jobs
        self._refused = {job: words for job, words in self._refused.items() if job in jobs}

    def _meet(self, fresh: Iterable[Active], now_s: float) -> None:
        for each in fresh:
            if each.job in self._asks or each.job in self._refused:
                continue
            ask = Ask(each.job, each.owner, each.devices, each.arrived_s)
            if each.owner not in self._shares.owners:
                self._policy.welcome(each.owner)
            try:
                self._policy.submitted(ask, now_s)
            except Refused as refusal:
                self._refused[each.job] = f"{refusal.message}; {refusal.hint}"
            else:
                self._asks[each.job] = ask

    def _decide(self, devices: int, now_s: float) -> None:
        while decision := self._policy.decide(devices - self._used(now_s), now_s):
            for ask in decision.stops:
                del self._started[ask.id]
                self._coming.append((now_s + self._shares.reclaim_s, ask.devices))
            for ask in decision.starts:
                self._started[ask.id] = now_s

    def _used(self, now_s: float) -> int:
        self._coming = [(at_s, count) for at_s, count in self._coming if at_s > now_s]
        return sum(self._asks[job].devices for job in self._started) + sum(count for _, count in self._coming)

    def _why(self, each: Active) -> str:
        if each.job in self._refused:
            return self._refused[each.job]
        share = self._shares.owners.get(each.owner)
        own = f"{each.owner} brought {share.nominal} devices, and they are in use" if share else f"{each.owner} brought none"
        return f"its turn has not come: {own}; nothing that others brought is free to be lent"
