"""Whether a pool kept its promise: nobody was served later than on its own machines alone, plus the stated delay.

Owns the comparison. Knows nothing of how the pool was scheduled. Invariant: alone means the owner's jobs first come first served
on its nominal share, with the same durations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from touyan.compute.scheduling.queue import fifo
from touyan.compute.shares import Shares
from touyan.compute.simulation.engine import Course, simulate
from touyan.compute.simulation.trace import TraceJob

ROUNDING_S = 1e-3
"""Sums of floating seconds over some months differ by less."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One owner's waits in the pool beside those alone."""

    owner: str
    nominal: int
    jobs: int
    alone_wait_h: float
    pool_wait_h: float
    late: int
    """Jobs whose last run started, or ended, later than alone plus the delay."""
    worst_s: float
    """The latest last start after the one alone, delay included: at most the delay where the promise holds."""


def alone(jobs: Sequence[TraceJob], shares: Shares) -> dict[str, Course]:
    """Each job as it would have gone on its owner's machines alone, by its id."""
    by_owner: dict[str, list[TraceJob]] = defaultdict(list)
    for job in jobs:
        by_owner[job.ask.owner].append(job)
    ran = (simulate(own, shares.of(owner).nominal, fifo()) for owner, own in by_owner.items())
    return {course.job.ask.id: course for courses in ran for course in courses}


def check(courses: Sequence[Course], shares: Shares) -> list[Kept]:
    """The promise, owner by owner, in the order of their names."""
    apart = alone([course.job for course in courses], shares)
    by_owner: dict[str, list[Course]] = defaultdict(list)
    for course in courses:
        by_owner[course.job.ask.owner].append(course)
    return [_kept(owner, own, apart, shares) for owner, own in sorted(by_owner.items())]


def _kept(owner: str, courses: list[Course], apart: dict[str, Course], shares: Shares) -> Kept:
    pairs = [(course, apart[course.job.ask.id]) for course in courses]
    delays = [max(pool.started_s - own.started_s, pool.ended_s - own.ended_s) for pool, own in pairs]
    return Kept(
        owner,
        shares.of(owner).nominal,
        len(pairs),
        sum(own.wait_s for _, own in pairs) / len(pairs) / 3600,
        sum(pool.wait_s for pool, _ in pairs) / len(pairs) / 3600,
        sum(delay > shares.reclaim_s + ROUNDING_S for delay in delays),
        max(delays),
    )
