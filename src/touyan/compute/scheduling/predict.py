"""How long a job will run, from how long jobs like it have run.

Owns the groups: owner, user and size; owner and user; owner and size; owner; size; all. The first with enough finished jobs
answers. Knows nothing of queues. Invariant: only what has ended is learnt.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from touyan.compute.scheduling.policy import Ask

ENOUGH = 5
"""Finished jobs before a group answers."""
REMEMBERED = 100
"""Newest finished jobs of a group. Mean completion on Philly with 30, 100, 1000: 5.26, 5.01, 5.13 h (jobs of one second by duration)."""
UNKNOWN_S = 3600.0
"""While nothing has ended at all."""
MEDIAN, TAIL = 0.5, 0.8


class Predictor(Protocol):
    """Foretells durations in seconds."""

    def predict(self, ask: Ask) -> float: ...

    def learn(self, ask: Ask, ran_s: float) -> None: ...


class Recent:
    """The newest durations of one group, in order."""

    def __init__(self) -> None:
        self._by_age: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, ran_s: float) -> None:
        self._by_age.append(ran_s)
        insort(self._sorted, ran_s)
        if len(self._by_age) > REMEMBERED:
            self._sorted.pop(bisect_left(self._sorted, self._by_age.popleft()))

    def quantile(self, share: float) -> float:
        return self._sorted[int(len(self._sorted) * share)]


class GroupQuantile:
    """Foretells a quantile of the group's newest durations.

    What shortest-first needs is the mean. Durations have heavy tails (Philly: median 0.32 h, mean 3.65 h): the median is blind to
    them, a sample's mean is ruled by its longest job; a high quantile sees the tail and is robust.
    """

    def __init__(self, share: float = TAIL) -> None:
        self._share = share
        self._groups: dict[tuple[object, ...], Recent] = {}

    def predict(self, ask: Ask) -> float:
        for name in _names(ask):
            group = self._groups.get(name)
            if group is not None and len(group) >= ENOUGH:
                return group.quantile(self._share)
        return UNKNOWN_S

    def learn(self, ask: Ask, ran_s: float) -> None:
        for name in _names(ask):
            self._groups.setdefault(name, Recent()).add(ran_s)


def _names(ask: Ask) -> Iterator[tuple[object, ...]]:
    """The groups of a job, from the narrowest up."""
    if ask.user:
        yield ("user", ask.owner, ask.user, ask.devices)
        yield ("user", ask.owner, ask.user)
    yield ("owner", ask.owner, ask.devices)
    yield ("owner", ask.owner)
    yield ("size", ask.devices)
    yield ("all",)
