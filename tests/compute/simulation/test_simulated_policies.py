"""Policies under random traces: devices are never oversold, every job ends, nobody is overtaken who must not be, shares hold."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.compute.scheduling.fair import FairShares
from touyan.compute.scheduling.policy import Ask, Decision, Policy
from touyan.compute.scheduling.predict import GroupQuantile
from touyan.compute.scheduling.queue import backfill, fifo, shortest
from touyan.compute.shares import Share, Shares
from touyan.compute.simulation.engine import Course, Rules, simulate
from touyan.compute.simulation.guarantee import check
from touyan.compute.simulation.trace import TraceJob, in_order
from touyan.core.errors import Broken, Invalid, Refused

NOMINAL = {"a": 4, "b": 3, "c": 1}
OWNED = sum(NOMINAL.values())
POLICIES: dict[str, Callable[[], Policy]] = {
    "fifo": fifo,
    "backfill": backfill,
    "shortest": shortest,
    "guarded": lambda: shortest(50.0),
    "fair": lambda: FairShares(shares()),
}


def shares(**changed: int | None) -> Shares:
    owners = {name: replace(Share(n), **changed) for name, n in NOMINAL.items()}  # type: ignore[arg-type]
    return Shares(owners, reclaim_s=20.0, half_life_s=500.0)


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, int, float, float]:
    owner = draw(st.sampled_from(sorted(NOMINAL)))
    devices = draw(st.integers(1, NOMINAL[owner]))
    return owner, devices, float(draw(st.integers(0, 300))), float(draw(st.integers(1, 200)))


traces = st.lists(rows(), min_size=1, max_size=40).map(in_order)


def most_used(courses: list[Course]) -> int:
    """By the last runs alone; the engine itself refuses more than there is at any time."""
    changes = [(c.started_s, c.job.ask.devices) for c in courses] + [(c.ended_s, -c.job.ask.devices) for c in courses]
    return max(itertools.accumulate(devices for _, devices in sorted(changes)))


@pytest.mark.parametrize("name", POLICIES)
@given(jobs=traces)
@settings(max_examples=60, deadline=None)
def test_every_job_ends_after_its_work_and_no_device_is_used_twice(name: str, jobs: list[TraceJob]) -> None:
    courses = simulate(jobs, OWNED, POLICIES[name](), Rules(lost_s=10, reclaim_s=20))
    assert most_used(courses) <= OWNED
    assert all(c.first_start_s >= c.job.ask.arrived_s and c.wait_s >= -1e-6 and c.left_s == 0 for c in courses)


@given(jobs=traces)
def test_first_come_first_served_starts_in_order_of_arrival(jobs: list[TraceJob]) -> None:
    starts = [c.started_s for c in simulate(jobs, OWNED, fifo())]
    assert starts == sorted(starts)


@given(jobs=traces)
def test_a_job_out_of_patience_is_not_overtaken(jobs: list[TraceJob]) -> None:
    courses = simulate(jobs, OWNED, shortest(50.0))
    for early, late in itertools.combinations(courses, 2):
        assert late.started_s <= early.job.ask.arrived_s + 50 or early.started_s <= late.started_s


@given(jobs=traces, free=st.integers(0, 6), lending=st.sampled_from([None, 0, 1]), reclaim_s=st.sampled_from([0.0, 20.0, 500.0]))
@settings(max_examples=300, deadline=None)
def test_no_owner_is_served_later_than_alone_plus_the_delay(
    jobs: list[TraceJob], free: int, lending: int | None, reclaim_s: float
) -> None:
    stated = replace(shares(lending=lending), reclaim_s=reclaim_s)
    courses = simulate(jobs, OWNED + free, FairShares(stated), Rules(lost_s=30, reclaim_s=reclaim_s))
    assert [kept.owner for kept in check(courses, stated) if kept.late] == []


@given(jobs=traces)
@settings(deadline=None)
def test_without_borrowing_the_pool_is_as_its_parts(jobs: list[TraceJob]) -> None:
    apart = shares(borrowing=0)
    for kept in check(simulate(jobs, OWNED, FairShares(apart), Rules(reclaim_s=20)), apart):
        assert kept.pool_wait_h == pytest.approx(kept.alone_wait_h)


def test_who_lends_nothing_keeps_its_devices_free() -> None:
    jobs = in_order([("a", 4, 0.0, 100.0), ("a", 3, 1.0, 100.0)])
    lent, kept = (simulate(jobs, OWNED, FairShares(shares(lending=n)), Rules(reclaim_s=20)) for n in (None, 0))
    assert (lent[1].started_s, kept[1].started_s) == (1.0, 100.0)


def test_a_borrower_gives_way_loses_five_minutes_and_ends_all_the_same() -> None:
    jobs = in_order([("a", 4, 0.0, 9000.0), ("a", 4, 0.0, 2000.0), ("b", 3, 1000.0, 50.0)])
    courses = simulate(jobs, OWNED, FairShares(shares()), Rules(lost_s=300, reclaim_s=20))
    borrower, owner = courses[1], courses[2]
    assert (borrower.first_start_s, owner.started_s, borrower.stops) == (0.0, 1020.0, 1)
    assert borrower.ended_s == owner.ended_s + 2000 - (1000 - 300)


def test_of_two_borrowers_the_one_who_borrowed_less_goes_first() -> None:
    stated = Shares({"a": Share(1), "b": Share(1), "lender": Share(2)})
    secured, borrowing = [("a", 1, 0.0, 1000.0), ("b", 1, 0.0, 1000.0)], [("a", 1, 1.0, 100.0), ("a", 1, 1.0, 200.0)]
    jobs = in_order([*secured, *borrowing, ("a", 1, 50.0, 10.0), ("b", 1, 60.0, 50.0)])
    courses = simulate(jobs, 4, FairShares(stated))
    assert (courses[5].started_s, courses[4].started_s) == (101.0, 151.0)


def test_devices_that_failed_are_missed_but_stop_nobody_who_is_secured() -> None:
    policy = FairShares(shares())
    for n in range(2):
        policy.submitted(Ask(str(n), "a", 3, 0.0), 0.0)
        policy.decide(3 * (1 - n), 0.0)
    assert not policy.decide(0, 1.0)


def test_a_gang_beyond_the_share_is_refused_and_an_unknown_owner_named() -> None:
    with pytest.raises(Refused, match="owns 1"):
        FairShares(shares()).submitted(Ask("0", "c", 2, 0.0), 0.0)
    with pytest.raises(Invalid, match="'d' has no share"):
        FairShares(shares()).submitted(Ask("0", "d", 1, 0.0), 0.0)


def test_predictions_come_from_finished_jobs_of_the_narrowest_group_with_enough() -> None:
    predictor = GroupQuantile(0.5)
    mine, other = Ask("0", "a", 1, 0.0), Ask("1", "b", 1, 0.0)
    assert predictor.predict(mine) == 3600
    for _ in range(5):
        predictor.learn(other, 70.0)
    assert predictor.predict(mine) == 70  # of its size
    for ran_s in (1.0, 2.0, 3.0, 4.0, 5.0):
        predictor.learn(mine, ran_s)
    assert (predictor.predict(mine), predictor.predict(replace(mine, devices=4))) == (3, 3)
    assert predictor.predict(other) == 70


class Greedy:
    """Starts everything at once."""

    def __init__(self) -> None:
        self._asks: list[Ask] = []

    def submitted(self, ask: Ask, now_s: float) -> None:
        self._asks.append(ask)

    def ended(self, ask: Ask, ran_s: float, now_s: float) -> None: ...

    def decide(self, free: int, now_s: float) -> Decision:
        starts, self._asks = tuple(self._asks), []
        return Decision(starts)


class Idle(Greedy):
    def decide(self, free: int, now_s: float) -> Decision:
        return Decision()


def test_a_policy_that_oversells_or_starves_is_found_out() -> None:
    jobs = in_order([("a", 3, 0.0, 1.0), ("a", 3, 0.0, 1.0)])
    with pytest.raises(Broken, match="without devices"):
        simulate(jobs, 4, Greedy())
    with pytest.raises(Broken, match="never ended"):
        simulate(jobs, 4, Idle())
    with pytest.raises(Invalid, match="3 devices at once"):
        simulate(jobs, 2, fifo())
