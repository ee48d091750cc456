"""One queue for all owners: first come first served, with backfill, or shortest predicted first with a guard.

The three are one policy with two numbers: how many blocked jobs may be passed over, and how long a job may be overtaken at all.
Knows nothing of shares. Invariant: nothing starts before a job that has waited longer than the patience and came before it.
"""

from __future__ import annotations

import math
from collections import deque
from heapq import heappop, heappush
from itertools import count

from touyan.compute.scheduling.policy import Ask, Decision
from touyan.compute.scheduling.predict import GroupQuantile, Predictor

DEPTH = 64
"""Blocked jobs that one decision looks past: it bounds its time, whatever the queue's length."""


class Queue:
    """Starts jobs in the order of their predicted duration, or of arrival where nothing predicts."""

    def __init__(self, predictor: Predictor | None = None, patience_s: float = math.inf, depth: int = DEPTH) -> None:
        self._predictor = predictor
        self._patience_s = patience_s
        self._depth = depth
        self._numbers = count()
        self._by_rank: list[tuple[float, int, Ask]] = []
        self._by_arrival: deque[Ask] = deque()
        self._waiting: set[str] = set()

    def submitted(self, ask: Ask, now_s: float) -> None:
        rank = ask.arrived_s if self._predictor is None else self._predictor.predict(ask)
        heappush(self._by_rank, (rank, next(self._numbers), ask))
        self._by_arrival.append(ask)
        self._waiting.add(ask.id)

    def ended(self, ask: Ask, ran_s: float, now_s: float) -> None:
        if self._predictor is not None:
            self._predictor.learn(ask, ran_s)

    def decide(self, free: int, now_s: float) -> Decision:
        starts: list[Ask] = []
        free, is_blocked = self._start_overdue(free, now_s, starts)
        if not is_blocked:
            self._start_ranked(free, starts)
        return Decision(tuple(starts))

    def _start_overdue(self, free: int, now_s: float, starts: list[Ask]) -> tuple[int, bool]:
        """Those out of patience, in order of arrival; the devices left, and whether one of them waits for more."""
        line = self._by_arrival
        while line and (line[0].id not in self._waiting or now_s - line[0].arrived_s >= self._patience_s):
            ask = line[0]
            if ask.id in self._waiting:
                if ask.devices > free:
                    return free, True
                free -= self._start(ask, starts)
            line.popleft()
        return free, False

    def _start_ranked(self, free: int, starts: list[Ask]) -> None:
        passed: list[tuple[float, int, Ask]] = []
        while self._by_rank and free > 0 and len(passed) < self._depth:
            entry = heappop(self._by_rank)
            ask = entry[2]
            if ask.id not in self._waiting:
                continue
            if ask.devices > free:
                passed.append(entry)
            else:
                free -= self._start(ask, starts)
        for entry in passed:
            heappush(self._by_rank, entry)

    def _start(self, ask: Ask, starts: list[Ask]) -> int:
        self._waiting.discard(ask.id)
        starts.append(ask)
        return ask.devices


def fifo() -> Queue:
    """First come first served: nobody is ever overtaken."""
    return Queue(patience_s=0.0)


def backfill(patience_s: float = math.inf) -> Queue:
    """By arrival; what fits may pass what does not, until that one is out of patience."""
    return Queue(patience_s=patience_s)


def shortest(patience_s: float = math.inf, predictor: Predictor | None = None) -> Queue:
    """The shortest predicted first, until somebody is out of patience."""
    return Queue(predictor or GroupQuantile(), patience_s)
