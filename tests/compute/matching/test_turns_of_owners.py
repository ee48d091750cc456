"""Turns: whatever happens between two rounds, devices suffice and no owner starts later than alone, plus the delay."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.compute.matching.turns import Active, Turns
from touyan.compute.scheduling.policy import Ask
from touyan.compute.scheduling.queue import fifo
from touyan.compute.shares import Share, Shares
from touyan.compute.simulation.engine import simulate
from touyan.compute.simulation.trace import TraceJob

RECLAIM_S = 10.0
DEVICES = 12
SHARES = Shares({"lab": Share(8), "firm": Share(4, lending=2)}, RECLAIM_S)


@dataclass
class Pool:
    """Devices on which what is offered runs at once, and what is called back comes back with the work it has left."""

    jobs: list[TraceJob]
    turns: Turns = field(default_factory=lambda: Turns(SHARES))
    left: dict[str, float] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    most: int = 0

    def run(self, restarts: frozenset[int] = frozenset()) -> None:
        self.left = {job.ask.id: job.duration_s for job in self.jobs}
        now_s, number = 0.0, 0
        while any(left > 0 for left in self.left.values()):
            if number in restarts:
                self.turns = Turns(SHARES)
            self.round(now_s)
            now_s, number = self.next(now_s), number + 1
            self.end(now_s)

    def round(self, now_s: float) -> None:
        here = [j.ask for j in self.jobs if j.ask.arrived_s <= now_s and self.left[j.ask.id] > 0]
        turn = self.turns.round([Active(a.id, a.owner, a.devices, a.arrived_s, a.id in self.since) for a in here], DEVICES, now_s)
        for job in turn.stops:
            self.left[job] -= now_s - self.since.pop(job)
        for job in turn.offered:
            self.since[job] = self.starts[job] = now_s
        by_id = {a.id: a.devices for a in here}
        self.most = max(self.most, sum(by_id[job] for job in self.since))

    def next(self, now_s: float) -> float:
        """A hub looks every second; here only when something can have changed."""
        ends = [now_s + self.left[job] - (now_s - since) for job, since in self.since.items()]
        arrivals = [j.ask.arrived_s for j in self.jobs if j.ask.arrived_s > now_s]
        return min([*ends, *arrivals, now_s + 1.0])

    def end(self, now_s: float) -> None:
        for job in [j for j, since in self.since.items() if since + self.left[j] <= now_s + 1e-9]:
            self.since.pop(job)
            self.left[job] = 0.0


@st.composite
def traces(draw: st.DrawFn) -> list[TraceJob]:
    jobs = []
    for number in range(draw(st.integers(1, 9))):
        owner = draw(st.sampled_from(("lab", "firm", "guest")))
        devices = draw(st.integers(1, 4 if owner == "firm" else 8))
        ask = Ask(f"j{number}", owner, devices, float(draw(st.integers(0, 60))))
        jobs.append(TraceJob(ask, float(draw(st.integers(1, 40)))))
    return sorted(jobs, key=lambda job: job.ask.arrived_s)


@settings(max_examples=60)
@given(traces())
def test_no_owner_starts_later_than_alone_plus_the_delay(jobs: list[TraceJob]) -> None:
    pool = Pool(jobs)
    pool.run()
    assert pool.most <= DEVICES
    for owner, share in SHARES.owners.items():
        own = [job for job in jobs if job.ask.owner == owner]
        alone = {c.job.ask.id: c.started_s for c in simulate(own, share.nominal, fifo())} if own else {}
        late = {
            job: pool.starts[job] - began_s for job, began_s in alone.items() if pool.starts[job] > began_s + RECLAIM_S + 1.001
        }
        assert late == {}  # a second more: the hub looks once a second


@settings(max_examples=40)
@given(traces(), st.frozensets(st.integers(0, 60), max_size=3))
def test_a_hub_that_restarts_never_gives_out_more_than_there_is(jobs: list[TraceJob], restarts: frozenset[int]) -> None:
    pool = Pool(jobs)
    pool.run(restarts)
    assert pool.most <= DEVICES


def test_a_job_that_is_called_off_before_its_turn_is_forgotten() -> None:
    turns = Turns(SHARES)
    big = Active("big", "lab", 8, 0.0, False)
    next_ = Active("next", "lab", 8, 1.0, False)
    assert turns.round([big, next_], DEVICES, 1.0).offered == {"big"}
    running = replace(big, is_out=True)
    assert turns.round([running], DEVICES, 2.0).stops == ()
    assert turns.round([replace(next_, job="later")], DEVICES, 3.0).offered == {"later"}
