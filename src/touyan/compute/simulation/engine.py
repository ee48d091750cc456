"""Plays a trace against a Policy, event by event.

Owns the clock, the devices and what a stopped job loses. Knows nothing of how a policy decides, and tells it no duration before
its end. Invariant: never more devices are used than there are, and every job runs until its work is done.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from touyan.compute.scheduling.policy import Ask, Policy
from touyan.compute.simulation.trace import TraceJob
from touyan.core.errors import Broken, Invalid

LOST_S = 300.0
"""Work that a stopped job does again: checkpoints every 10 minutes lose 5 on average."""
END, VACATED, ARRIVAL, LOOK = 0, 1, 2, 3
"""At one instant jobs end first, then devices come back, then jobs arrive; LOOK only asks the policy again."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a stop costs."""

    lost_s: float = LOST_S
    reclaim_s: float = LOST_S
    """From the stop of a job until its devices serve another."""


@dataclass(slots=True)
class Course:
    """What became of a job. Times in seconds since the trace's first arrival."""

    job: TraceJob
    left_s: float
    """Work still to do."""
    first_start_s: float = -1.0
    started_s: float = -1.0
    """Of the last run."""
    ended_s: float = -1.0
    stops: int = 0
    lost_s: float = 0.0
    """Work done again after stops."""

    @property
    def completion_s(self) -> float:
        return self.ended_s - self.job.ask.arrived_s

    @property
    def wait_s(self) -> float:
        """All the time that the job was here and did not get on."""
        return self.completion_s - self.job.duration_s


class Simulation:
    """One replay."""

    def __init__(self, jobs: Sequence[TraceJob], devices: int, policy: Policy, rules: Rules) -> None:
        self._policy = policy
        self._rules = rules
        self._free = devices
        self.courses = {job.ask.id: Course(job, job.duration_s) for job in jobs}
        self._events: list[tuple[float, int, int, str, int]] = [
            (job.ask.arrived_s, ARRIVAL, number, job.ask.id, 0) for number, job in enumerate(jobs)
        ]
        heapify(self._events)
        self._count = len(jobs)

    def run(self) -> None:
        while self._events:
            now_s = self._events[0][0]
            again_s = self._settle(now_s)
            if now_s < again_s < math.inf:
                self._at(again_s, LOOK, "", 0)

    def _settle(self, now_s: float) -> float:
        """All that happens at one instant; when the policy wants to be asked again."""
        while True:
            while self._events and self._events[0][0] <= now_s:
                self._happen(*heappop(self._events))
            decision = self._policy.decide(self._free, now_s)
            if not decision:
                return decision.again_s
            for ask in decision.stops:
                self._stop(ask, now_s)
            for ask in decision.starts:
                self._start(ask, now_s)

    def _happen(self, now_s: float, kind: int, _number: int, identifier: str, value: int) -> None:
        """`value` is the run that ends, or the devices that come back."""
        if kind == LOOK:
            return
        course = self.courses[identifier]
        if kind == ARRIVAL:
            self._policy.submitted(course.job.ask, now_s)
        elif kind == VACATED:
            self._free += value
        elif value == course.stops:  # else the end of a run that was stopped
            course.ended_s, course.left_s = now_s, 0.0
            self._free += course.job.ask.devices
            self._policy.ended(course.job.ask, course.job.duration_s, now_s)

    def _start(self, ask: Ask, now_s: float) -> None:
        course = self.courses[ask.id]
        self._free -= ask.devices
        if self._free < 0:
            raise Broken("over-capacity", f"the policy started job {ask.id} without devices", "report the policy and the trace")
        course.started_s = now_s
        if course.first_start_s < 0:
            course.first_start_s = now_s
        self._at(now_s + course.left_s, END, ask.id, course.stops)

    def _stop(self, ask: Ask, now_s: float) -> None:
        course = self.courses[ask.id]
        ran_s = now_s - course.started_s
        lost_s = min(ran_s, self._rules.lost_s)
        course.lost_s += lost_s
        course.left_s -= ran_s - lost_s
        course.stops += 1
        self._at(now_s + self._rules.reclaim_s, VACATED, ask.id, ask.devices)

    def _at(self, time_s: float, kind: int, identifier: str, value: int) -> None:
        self._count += 1
        heappush(self._events, (time_s, kind, self._count, identifier, value))


def simulate(jobs: Sequence[TraceJob], devices: int, policy: Policy, rules: Rules | None = None) -> list[Course]:
    """What becomes of each job, in the order of the trace. Raises Invalid where a gang is larger than all devices."""
    largest = max((job.ask.devices for job in jobs), default=0)
    if largest > devices:
        raise Invalid(
            "gang-too-large", f"a job needs {largest} devices at once", f"simulate with at least {largest}, not {devices}"
        )
    replay = Simulation(jobs, devices, policy, rules or Rules())
    replay.run()
    unfinished = [i for i, course in replay.courses.items() if course.ended_s < 0]
    if unfinished:
        raise Broken(
            "never-started", f"{len(unfinished)} jobs never ended, first {unfinished[0]}", "report the policy and the trace"
        )
    return list(replay.courses.values())
