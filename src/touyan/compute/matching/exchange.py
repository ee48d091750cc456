"""Local search on a batch: a Job takes a cheaper option where another gives way and the two together gain.

Owns moves and exchanges. Knows nothing of how the first choice came about. Invariant: every step lowers the cost and keeps every
row within its room, so it ends, and what it returns is allowed where what it was given was.
"""

from __future__ import annotations

from collections import defaultdict

from touyan.compute.matching.batch import Batch, Choice
from touyan.compute.matching.options import Option, Row

ROUNDS = 6
"""Over all Jobs; measured batches of 200 come to rest after 3 to 5."""
GAIN = 1e-9
"""Relative to the cost: less is rounding."""


class Exchange:
    """One search."""

    def __init__(self, batch: Batch, choice: Choice) -> None:
        self._batch = batch
        self.choice = list(choice)
        self._left = batch.left(choice)
        self._at: dict[Row, set[int]] = defaultdict(set)
        """Who takes from each row."""
        for job, taken in enumerate(choice):
            if taken >= 0:
                self._note(job, batch.options[job][taken])

    def run(self) -> Choice:
        for _ in range(ROUNDS):
            if not sum([self._better(job) for job in range(len(self.choice)) if self.choice[job] != 0]):
                break
        return self.choice

    def _better(self, job: int) -> bool:
        """Takes the first cheaper option that gains, alone or with one other giving way."""
        now = self._cost(job)
        for position, option in enumerate(self._batch.options[job]):
            gain = now - option.cost
            if gain <= GAIN * now:
                return False
            lacking = self._lacking(job, option)
            if not lacking:
                self._set(job, position)
                return True
            if self._with_another(job, position, lacking, gain):
                return True
        return False

    def _with_another(self, job: int, position: int, lacking: dict[Row, float], gain: float) -> bool:
        mine = self.choice[job]
        for other in sorted(set.intersection(*(self._at[row] for row in lacking)) - {job}):
            theirs = self.choice[other]
            gives = dict(self._batch.options[other][theirs].uses)
            if any(gives[row] < amount for row, amount in lacking.items()):
                continue
            was = self._cost(other)
            self._set(other, -1)
            self._set(job, position)
            place = self._cheapest(other, was + gain)
            if self._price(other, place) < was + gain * (1 - GAIN):
                self._set(other, place)
                return True
            self._set(job, mine)
            self._set(other, theirs)
        return False

    def _cheapest(self, job: int, below: float) -> int:
        for position, option in enumerate(self._batch.options[job]):
            if option.cost >= below:
                break
            if all(amount <= self._left[row] for row, amount in option.uses):
                return position
        return -1

    def _lacking(self, job: int, option: Option) -> dict[Row, float]:
        """What each row of an option is short of, once the Job has left where it is."""
        own = dict(self._uses(job))
        short = ((row, amount - self._left[row] - own.get(row, 0.0)) for row, amount in option.uses)
        return {row: amount for row, amount in short if amount > 0}

    def _set(self, job: int, position: int) -> None:
        for row, amount in self._uses(job):
            self._left[row] += amount
            self._at[row].discard(job)
        self.choice[job] = position
        for row, amount in self._uses(job):
            self._left[row] -= amount
            self._at[row].add(job)

    def _note(self, job: int, option: Option) -> None:
        for row, _ in option.uses:
            self._at[row].add(job)

    def _uses(self, job: int) -> tuple[tuple[Row, float], ...]:
        taken = self.choice[job]
        return self._batch.options[job][taken].uses if taken >= 0 else ()

    def _cost(self, job: int) -> float:
        return self._price(job, self.choice[job])

    def _price(self, job: int, position: int) -> float:
        return self._batch.options[job][position].cost if position >= 0 else self._batch.waiting[job]
