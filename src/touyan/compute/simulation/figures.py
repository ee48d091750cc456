"""The figures of a replay: completion, waits, waits of large gangs, what stops cost.

Knows nothing of how jobs were scheduled. Invariant: percentiles are of the nearest rank, so each is the wait of a real job.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from touyan.compute.simulation.engine import Course

LARGE = 8
"""Devices of a gang that counts as large: a whole node of most accelerator servers."""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Times in hours."""

    jobs: int
    completion_mean_h: float
    wait_mean_h: float
    wait_p99_h: float
    large_jobs: int
    large_wait_p99_h: float
    stops: int
    lost_device_h: float
    """Work done twice; the idle devices of reclaim delays are not in it."""
    used_share: float
    """Of the devices' time from the first arrival to the last end, spent on work that counted."""


def figures(courses: Sequence[Course], devices: int) -> Figures:
    """Raises ValueError where there are no courses."""
    waits = [course.wait_s / HOUR_S for course in courses]
    large = [course.wait_s / HOUR_S for course in courses if course.job.ask.devices >= LARGE]
    work_h = sum(c.job.duration_s * c.job.ask.devices for c in courses) / HOUR_S
    end_h = max(course.ended_s for course in courses) / HOUR_S
    return Figures(
        len(courses),
        sum(course.completion_s for course in courses) / len(courses) / HOUR_S,
        sum(waits) / len(waits),
        percentile(waits, 0.99),
        len(large),
        percentile(large, 0.99),
        sum(course.stops for course in courses),
        sum(course.lost_s * course.job.ask.devices for course in courses) / HOUR_S,
        work_h / (devices * end_h),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value of the nearest rank; 0 of none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0
