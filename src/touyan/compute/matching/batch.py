"""A batch of Jobs with their options, and what it means to choose: at most one option a Job, no row beyond its room.

Owns the problem and its check. Knows nothing of sites, rights and prices. Invariant: a Choice that `is_allowed` takes no more from
any row than it has; what a Job costs that stays waiting is more than any option, so nobody waits where there is room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from touyan.compute.matching.options import Option

CLOSE = 0.01
"""Relative to the bound: a closer answer takes many times as long, and no site would notice."""
Choice: TypeAlias = list[int]
"""For each Job the position of its option, or -1: it waits on."""
SLACK = 1e-6
"""Of a row's room: sums of floating device-seconds differ by less."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs by position; options of each from the cheapest up."""

    options: Sequence[Sequence[Option]]
    rooms: Sequence[float]
    waiting: Sequence[float]
    """What each Job costs that stays waiting."""

    def cost(self, choice: Choice) -> float:
        each = zip(self.options, choice, self.waiting, strict=True)
        return sum(options[taken].cost if taken >= 0 else waits for options, taken, waits in each)

    def least(self) -> float:
        """What no choice can undercut: everybody's cheapest option, as if nobody else were there."""
        return sum(options[0].cost if options else waits for options, waits in zip(self.options, self.waiting, strict=True))

    def left(self, choice: Choice) -> list[float]:
        """What each row still has."""
        left = list(self.rooms)
        for options, taken in zip(self.options, choice, strict=True):
            for row, amount in options[taken].uses if taken >= 0 else ():
                left[row] -= amount
        return left

    def is_allowed(self, choice: Choice) -> bool:
        return all(left >= -SLACK * room for room, left in zip(self.rooms, self.left(choice), strict=True))


def greedy(batch: Batch) -> Choice:
    """One Job after the other takes the cheapest option that still has room: the dearest to keep waiting first, then those that lose
    most by not getting their first wish (their regret)."""
    left = list(batch.rooms)
    choice = [-1] * len(batch.options)
    for job in _by_regret(batch):
        choice[job] = _cheapest(batch.options[job], left)
    return choice


def fill(batch: Batch, choice: Choice) -> Choice:
    """The same choice, and whoever waits takes what is left, the dearest to keep waiting first."""
    left = batch.left(choice)
    filled = list(choice)
    for job in sorted((j for j, taken in enumerate(choice) if taken < 0), key=lambda j: -batch.waiting[j]):
        filled[job] = _cheapest(batch.options[job], left)
    return filled


def _cheapest(options: Sequence[Option], left: list[float]) -> int:
    """Takes the first option that there is room for; -1 where there is none."""
    for position, option in enumerate(options):
        if all(amount <= left[row] for row, amount in option.uses):
            for row, amount in option.uses:
                left[row] -= amount
            return position
    return -1


def _by_regret(batch: Batch) -> list[int]:
    def lost(job: int) -> float:
        options = batch.options[job]
        elsewhere = next((o.cost for o in options if options and o.site != options[0].site), batch.waiting[job])
        return elsewhere - options[0].cost if options else 0.0

    return sorted(range(len(batch.options)), key=lambda j: (-batch.waiting[j], -lost(j), j))
