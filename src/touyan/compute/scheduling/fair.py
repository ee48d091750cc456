"""Many owners, one pool: each is served as on its own machines, and what it does not need is lent.

Of each owner's unfinished jobs, in order of arrival, those that fit its nominal share are *secured*: never stopped. Others run on
borrowed devices, shortest predicted first, owners with the least decayed borrowing for their weight first, until a lender needs
them. Invariant: from the reclaim delay after a job's arrival on, what it would have on its owner's machines alone is free or
secured; as first come first served is monotone, no job is secured later than alone plus that delay (docs/design/fairness.md).
"""

from __future__ import annotations

import math
from heapq import heappop, heappush
from itertools import count

from touyan.compute.scheduling.policy import Ask, Decision
from touyan.compute.scheduling.predict import GroupQuantile, Predictor
from touyan.compute.scheduling.queue import DEPTH
from touyan.compute.shares import DecayedUse, Share, Shares
from touyan.core.errors import Refused


class Owner:
    """One owner's jobs and devices at this moment."""

    def __init__(self, share: Share, half_life_s: float) -> None:
        self.share = share
        self.line: dict[str, Ask] = {}
        """Not yet secured, waiting or on borrowed devices, in order of arrival."""
        self.secured: set[str] = set()
        self.borrowed: dict[str, Ask] = {}
        """Running on borrowed devices, in order of start."""
        self.ranked: list[tuple[float, int, Ask]] = []
        self.use = DecayedUse(half_life_s)
        self.secured_devices = 0
        self._line_devices = 0

    def add(self, ask: Ask) -> None:
        self.line[ask.id] = ask
        self._line_devices += ask.devices

    def secure(self, ask: Ask) -> None:
        self.leave_line(ask)
        self.secured.add(ask.id)
        self.secured_devices += ask.devices

    def leave_line(self, ask: Ask) -> None:
        del self.line[ask.id]
        self._line_devices -= ask.devices

    def borrow(self, ask: Ask, now_s: float) -> None:
        self.borrowed[ask.id] = ask
        self.use.change(ask.devices, now_s)

    def give_back(self, ask: Ask, now_s: float) -> None:
        del self.borrowed[ask.id]
        self.use.change(-ask.devices, now_s)

    def head(self) -> Ask | None:
        """The next to be secured, where the share has room for it."""
        ask = next(iter(self.line.values()), None)
        return ask if ask is not None and ask.devices <= self._unused else None

    @property
    def kept(self) -> int:
        """Devices of the share that nobody may borrow: its own line claims them, or they are beyond what it lends."""
        idle = self._unused - min(self._unused, self._line_devices)
        lent = idle if self.share.lending is None else min(idle, self.share.lending)
        return self._unused - lent

    def start_ranked(self, lendable: int, now_s: float) -> list[Ask]:
        """Puts on borrowed devices what fits, shortest predicted first."""
        starts: list[Ask] = []
        passed: list[tuple[float, int, Ask]] = []
        while self.ranked and lendable > 0 and len(passed) < DEPTH:
            entry = heappop(self.ranked)
            ask = entry[2]
            if ask.id not in self.line:
                continue  # secured meanwhile
            if ask.devices > lendable or not self.may_borrow(ask.devices):
                passed.append(entry)
                continue
            self.borrow(ask, now_s)
            lendable -= ask.devices
            starts.append(ask)
        for entry in passed:
            heappush(self.ranked, entry)
        return starts

    def may_borrow(self, devices: int) -> bool:
        return self.share.borrowing is None or self.use.rate + devices <= self.share.borrowing

    def due(self, now_s: float) -> float:
        """Whose turn it is to borrow, and last to be stopped: the least of these."""
        return self.use.at(now_s) / self.share.weight

    @property
    def _unused(self) -> int:
        return self.share.nominal - self.secured_devices


class FairShares:
    """The policy of a pool with several owners. Its Asks must be of owners with a share, none larger than it."""

    def __init__(self, shares: Shares, predictor: Predictor | None = None) -> None:
        self._owners = {name: Owner(share, shares.half_life_s) for name, share in shares.owners.items()}
        self._shares = shares
        self._predictor = predictor or GroupQuantile()
        self._numbers = count()
        self._coming: list[tuple[float, int]] = []
        """Devices of stopped jobs, with the time at which they are free."""

    def welcome(self, owner: str) -> None:
        """Lets a party in that brought nothing: it borrows what is lent, and nothing is promised to it."""
        self._owners.setdefault(owner, Owner(Share(0), self._shares.half_life_s))

    def kept(self) -> dict[str, int]:
        """By owner: devices of its share that nobody else may have now."""
        return {name: owner.kept for name, owner in self._owners.items()}

    def submitted(self, ask: Ask, now_s: float) -> None:
        share = self._owners[ask.owner].share if ask.owner in self._owners else self._shares.of(ask.owner)
        if 0 < share.nominal < ask.devices:
            words = f"{ask.owner} asks for {ask.devices} devices at once and owns {share.nominal}"
            raise Refused("gang-beyond-share", words, "ask for less at once, or bring more devices to the pool")
        self._owners[ask.owner].add(ask)
        self._rank(ask)

    def ended(self, ask: Ask, ran_s: float, now_s: float) -> None:
        owner = self._owners[ask.owner]
        if ran_s > 0:  # else its turn had come and it never ran
            self._predictor.learn(ask, ran_s)
        if ask.id in owner.secured:
            owner.secured.discard(ask.id)
            owner.secured_devices -= ask.devices
        else:
            owner.give_back(ask, now_s)
            owner.leave_line(ask)

    def withdrawn(self, ask: Ask) -> None:
        """A job that this policy has not started, or has stopped, is called off."""
        self._owners[ask.owner].leave_line(ask)

    def decide(self, free: int, now_s: float) -> Decision:
        while self._coming and self._coming[0][0] <= now_s:
            heappop(self._coming)
        for owner in self._owners.values():
            _secure_borrowers(owner, now_s)
        starts, again_s = self._start_secured(free, now_s)
        free -= sum(ask.devices for ask in starts)
        stops = self._stop_borrowers(free, now_s)
        starts += self._start_borrowers(free - self._kept(), now_s)
        return Decision(tuple(starts), tuple(stops), again_s)

    def _kept(self) -> int:
        return sum(owner.kept for owner in self._owners.values())

    def _start_secured(self, free: int, now_s: float) -> tuple[list[Ask], float]:
        """Before its delay is over, a job may only take what nobody else has been promised; the earliest such end of a delay."""
        starts: list[Ask] = []
        again_s = math.inf
        for owner in self._owners.values():
            while (ask := owner.head()) is not None and ask.devices <= free:
                due_s = ask.arrived_s + self._shares.reclaim_s
                if now_s < due_s and free < self._kept():
                    again_s = min(again_s, due_s)
                    break
                owner.secure(ask)
                free -= ask.devices
                starts.append(ask)
                _secure_borrowers(owner, now_s)
        return starts, again_s

    def _stop_borrowers(self, free: int, now_s: float) -> list[Ask]:
        """Until what is kept is free or on its way: of the owner who borrowed most for its weight, the run that began last."""
        stops: list[Ask] = []
        lacking = self._kept() - free - sum(devices for _, devices in self._coming)
        while lacking > 0 and (borrowers := [o for o in self._owners.values() if o.borrowed]):
            owner = max(borrowers, key=lambda o: o.due(now_s))
            ask = next(reversed(owner.borrowed.values()))
            owner.give_back(ask, now_s)
            self._rank(ask)
            heappush(self._coming, (now_s + self._shares.reclaim_s, ask.devices))
            lacking -= ask.devices
            stops.append(ask)
        return stops

    def _start_borrowers(self, lendable: int, now_s: float) -> list[Ask]:
        """The owner with the least borrowing goes first, with as many as it has: its next turn comes when it borrowed more."""
        starts: list[Ask] = []
        if lendable > 0:
            for owner in sorted((o for o in self._owners.values() if o.ranked), key=lambda o: o.due(now_s)):
                begun = owner.start_ranked(lendable, now_s)
                lendable -= sum(ask.devices for ask in begun)
                starts += begun
        return starts

    def _rank(self, ask: Ask) -> None:
        heappush(self._owners[ask.owner].ranked, (self._predictor.predict(ask), next(self._numbers), ask))


def _secure_borrowers(owner: Owner, now_s: float) -> None:
    """Borrowers whose turn has come in their own share stay where they are, on their own account."""
    while (ask := owner.head()) is not None and ask.id in owner.borrowed:
        owner.give_back(ask, now_s)
        owner.secure(ask)
