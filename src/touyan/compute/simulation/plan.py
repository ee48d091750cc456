"""What is to be simulated: machines, policy, shares and load, and what-ifs that change one of them.

Owns the names of the policies and the form of a what-if. Knows nothing of tables and pages. Invariant: two Plans that are equal
give the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeVar

from touyan.compute.scheduling.fair import FairShares
from touyan.compute.scheduling.policy import Ask, Policy
from touyan.compute.scheduling.predict import MEDIAN, TAIL, GroupQuantile
from touyan.compute.scheduling.queue import backfill, fifo, shortest
from touyan.compute.shares import Shares, check_pool
from touyan.compute.simulation.engine import LOST_S, Course, Rules, simulate
from touyan.compute.simulation.trace import TraceJob
from touyan.core.errors import Invalid

Number = TypeVar("Number", int, float)
POLICIES = ("fifo", "backfill", "shortest", "shortest-median", "oracle", "shares")
"""`shortest` foretells the 0.8 quantile of the group, `shortest-median` its median; `oracle` knows the durations: a bound."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One simulation."""

    devices: int
    policy: str = "fifo"
    shares: Shares | None = None
    patience_s: float = math.inf
    load: float = 1.0
    """Jobs arrive so many times as fast as in the trace."""
    name: str = ""

    def run(self, jobs: Sequence[TraceJob]) -> list[Course]:
        """Raises Invalid where the plan and the trace do not fit."""
        faster = [at_load(job, self.load) for job in jobs] if self.load != 1 else jobs
        if self.policy == "shares" and self.shares is not None:
            check_pool(self.shares, self.devices, ((job.ask.owner, job.ask.devices) for job in jobs))
        return simulate(faster, self.devices, self._make(faster), Rules(LOST_S, self.shares.reclaim_s if self.shares else LOST_S))

    def _make(self, jobs: Sequence[TraceJob]) -> Policy:
        match self.policy:
            case "fifo":
                return fifo()
            case "backfill":
                return backfill(self.patience_s)
            case "shortest":
                return shortest(self.patience_s, GroupQuantile(TAIL))
            case "shortest-median":
                return shortest(self.patience_s, GroupQuantile(MEDIAN))
            case "oracle":
                return shortest(self.patience_s, Oracle(jobs))
            case "shares" if self.shares is not None:
                return FairShares(self.shares)
            case "shares":
                raise Invalid("no-shares", "the policy 'shares' needs a shares file", "add --shares FILE")
            case _:
                near = get_close_matches(self.policy, POLICIES, 1) or POLICIES
                raise Invalid("no-policy", f"there is no policy {self.policy!r}", f"use {' or '.join(near)}")


class Oracle:
    """Foretells what the trace knows. It bounds what any prediction could reach, and no hub can have it."""

    def __init__(self, jobs: Sequence[TraceJob]) -> None:
        self._durations = {job.ask.id: job.duration_s for job in jobs}

    def predict(self, ask: Ask) -> float:
        return self._durations[ask.id]

    def learn(self, ask: Ask, ran_s: float) -> None:
        pass


def at_load(job: TraceJob, load: float) -> TraceJob:
    return replace(job, ask=replace(job.ask, arrived_s=job.ask.arrived_s / load))


def changed(plan: Plan, what_if: str) -> Plan:
    """The plan with `gpus=768`, `gpus=+64`, `policy=shortest`, `patience_h=36`, `load=1.2` or `share:OWNER=64`. Raises Invalid."""
    key, _, value = what_if.partition("=")
    try:
        match key.strip():
            case "gpus":
                devices = int(value) + (plan.devices if value.strip()[:1] in "+-" else 0)
                return replace(plan, devices=_positive(devices), name=what_if)
            case "policy":
                return replace(plan, policy=value.strip(), name=what_if)
            case "patience_h":
                return replace(plan, patience_s=_positive(float(value)) * 3600, name=what_if)
            case "load":
                return replace(plan, load=_positive(float(value)), name=what_if)
            case owner if owner.startswith("share:") and plan.shares is not None:
                shares = plan.shares.with_nominal(owner.removeprefix("share:"), _positive(int(value)))
                return replace(plan, shares=shares, name=what_if)
    except ValueError as error:
        raise Invalid("bad-what-if", f"{what_if!r}: {error}", "give a number above 0") from error
    raise Invalid(
        "bad-what-if", f"{what_if!r} is no what-if", "use gpus=, policy=, patience_h=, load=, or with --shares share:OWNER="
    )


def _positive(number: Number) -> Number:
    if not number > 0:
        raise ValueError("must be above 0")
    return number
