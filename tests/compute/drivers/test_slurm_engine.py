"""What the Slurm driver makes of Slurm's answers, and of their absence. Nothing here waits: the clock is the test's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_slurm import FakeSlurm

from touyan.compute.driver import Limits, Order
from touyan.compute.drivers.engine import FENCE_S, LOST_S, EngineDriver
from touyan.compute.drivers.slurm import REST, SlurmEngine, Usage, by_name, seen_of, usage_of
from touyan.compute.drivers.slurm_client import ENDED, HOPELESS, SlurmJob
from touyan.compute.drivers.slurm_terms import SlurmTerms
from touyan.compute.folder import AttemptFolder, write_json
from touyan.compute.launch import claim_start
from touyan.core.errors import Refused

LEASE_S = 30.0


class Clock:
    """Seconds that pass when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slurm() -> FakeSlurm:
    return FakeSlurm()


@pytest.fixture
def new_driver(slurm: FakeSlurm, clock: Clock) -> Callable[[], EngineDriver]:
    """A driver as an agent that starts makes it."""
    return lambda: EngineDriver(SlurmEngine(slurm, SlurmTerms(), "/usr/bin/python3", clock), clock, clock.pause)


@pytest.fixture
def driver(new_driver: Callable[[], EngineDriver]) -> EngineDriver:
    return new_driver()


@pytest.fixture
def order(tmp_path: Path) -> Order:
    folder = AttemptFolder(tmp_path / "aaaaaaaaaaaaaaaa-1")
    folder.create()
    folder.heartbeat.touch()
    return Order("aaaaaaaaaaaaaaaa-1", folder.root, "m", Limits(LEASE_S, 3600, 1 << 30), {}, token=7)


def began(order: Order) -> None:
    """What the launcher does on its node."""
    assert claim_start(AttemptFolder(order.root), "n1/1")


def wrote(order: Order, cause: str, status: int = 0) -> None:
    """What the wrapper does at its end."""
    value = {"cause": cause, "status": status, "reason": f"{cause} {status}", "peak_bytes": 5}
    write_json(AttemptFolder(order.root).file("exit"), value)


def test_a_job_is_called_after_its_attempt_and_carries_its_token(driver: EngineDriver, slurm: FakeSlurm, order: Order) -> None:
    driver.start(order)
    assert [(a.name, a.comment) for a in slurm.asks] == [(order.attempt, "touyan 7")]


def test_a_submission_whose_answer_was_lost_is_found_and_not_repeated(
    driver: EngineDriver, slurm: FakeSlurm, order: Order
) -> None:
    slurm.loses_answer = True
    driver.start(order)
    assert driver.wait(order.attempt, 5) is None
    assert len(slurm.asks) == 1
    slurm.become(1, "COMPLETED")
    wrote(order, "exit")
    end = driver.wait(order.attempt, 5)
    assert end is not None
    assert end.cause == "exit"


def test_a_submission_that_never_arrived_is_repeated_once_slurm_answers(
    driver: EngineDriver, slurm: FakeSlurm, order: Order
) -> None:
    slurm.is_away = True
    driver.start(order)
    assert driver.wait(order.attempt, 300) is None
    slurm.is_away = False
    assert driver.wait(order.attempt, 5) is None
    assert [a.name for a in slurm.asks] == [order.attempt]


def test_a_start_by_the_next_agent_finds_the_job_of_the_one_before(
    new_driver: Callable[[], EngineDriver], slurm: FakeSlurm, order: Order
) -> None:
    new_driver().start(order)
    later = new_driver()
    assert later.adopt(order)
    new_driver().start(order)
    assert len(slurm.asks) == 1


def test_a_refusal_is_slurms_word(driver: EngineDriver, slurm: FakeSlurm, order: Order) -> None:
    slurm.refusal = "Invalid account or account/partition combination specified"
    with pytest.raises(Refused, match="Invalid account"):
        driver.start(order)


def test_silence_of_slurm_ends_nothing(driver: EngineDriver, slurm: FakeSlurm, order: Order) -> None:
    driver.start(order)
    began(order)
    slurm.is_away = True
    assert driver.wait(order.attempt, 1800) is None
    slurm.is_away = False
    slurm.become(1, "COMPLETED")
    wrote(order, "exit", 3)
    end = driver.wait(order.attempt, 5)
    assert end is not None
    assert end.status == 3


def test_a_job_that_left_the_queue_is_looked_up_in_the_accounts(driver: EngineDriver, slurm: FakeSlurm, order: Order) -> None:
    driver.start(order)
    began(order)
    slurm.forget(1, "PREEMPTED")
    end = driver.wait(order.attempt, 60)
    assert end is not None
    assert (end.cause, end.reason) == ("vanished", "was preempted at the site")


@pytest.mark.parametrize("accounts", [(), ("RUNNING",)], ids=["nobody knows it", "the accounts call it running"])
def test_a_lost_job_ends_after_its_grace_and_its_lease(
    driver: EngineDriver, slurm: FakeSlurm, clock: Clock, order: Order, accounts: tuple[str, ...]
) -> None:
    """slurmctld lost its state: the payload may still run until its wrapper, told to stop, or without its agent, ends it."""
    driver.start(order)
    began(order)
    slurm.forget(1, *accounts)
    began_s = clock.now_s
    assert driver.wait(order.attempt, LOST_S - 5) is None
    end = driver.wait(order.attempt, 10 * LOST_S)
    assert end is not None
    assert end.cause == "vanished"
    assert clock.now_s - began_s >= LOST_S + LEASE_S + FENCE_S - 5


@pytest.mark.parametrize("cause", ["exit", ""], ids=["it had ended", "it was interrupted"])
def test_a_job_that_slurm_requeued_does_not_wait_for_a_second_run(
    driver: EngineDriver, slurm: FakeSlurm, order: Order, cause: str
) -> None:
    """A slurmctld that crashed may put a job back that has run: `launch failed requeued held`."""
    driver.start(order)
    began(order)
    if cause:
        wrote(order, cause)
    slurm.become(1, "PENDING", reason="JobHeldUser")
    end = driver.wait(order.attempt, LOST_S + LEASE_S + FENCE_S + 5)
    assert end is not None
    assert end.cause == (cause or "vanished")


def test_agents_that_live_for_one_round_find_a_lost_job_lost(
    new_driver: Callable[[], EngineDriver], slurm: FakeSlurm, order: Order
) -> None:
    """A line of cron: each round is a process of its own, and none lives as long as the grace."""
    new_driver().start(order)
    began(order)
    slurm.forget(1)
    for mark, ended in ((".missing", False), (".fenced", True)):
        for _ in range(2):
            driver = new_driver()
            assert driver.adopt(order)
            assert driver.wait(order.attempt, 0) is None
        passed_s = time.time() - 3600
        os.utime(order.root / mark, (passed_s, passed_s))
        driver = new_driver()
        assert driver.adopt(order)
        end = driver.wait(order.attempt, 0)
        assert (end is not None) == ended


def test_a_lost_job_that_never_began_ends_at_once_and_can_never_begin(
    driver: EngineDriver, slurm: FakeSlurm, order: Order
) -> None:
    driver.start(order)
    slurm.forget(1)
    end = driver.wait(order.attempt, 5)
    assert end is not None
    assert end.cause == "vanished"
    assert not claim_start(AttemptFolder(order.root), "n1/1")


@pytest.mark.parametrize("reason", sorted(HOPELESS))
def test_a_job_that_can_never_start_is_taken_out_of_the_queue(
    driver: EngineDriver, slurm: FakeSlurm, order: Order, reason: str
) -> None:
    driver.start(order)
    slurm.become(1, "PENDING", reason=reason)
    end = driver.wait(order.attempt, 5)
    assert end is not None
    assert end.reason == f"would never start at this site: {reason}"
    assert slurm.cancelled == [1]


def test_slurms_limits_count_where_the_wrapper_was_ended_by_them(driver: EngineDriver, slurm: FakeSlurm, order: Order) -> None:
    driver.start(order)
    began(order)
    wrote(order, "signal", 9)
    slurm.become(1, "OUT_OF_MEMORY")
    end = driver.wait(order.attempt, 5)
    assert end is not None
    assert (end.cause, end.peak_bytes) == ("memory", 5)


def test_a_node_that_failed_may_still_run_its_payload(driver: EngineDriver, slurm: FakeSlurm, clock: Clock, order: Order) -> None:
    driver.start(order)
    began(order)
    slurm.become(1, "NODE_FAIL")
    began_s = clock.now_s
    end = driver.wait(order.attempt, 10 * LEASE_S)
    assert end is not None
    assert end.reason == "lost its node"
    assert clock.now_s - began_s >= LEASE_S + FENCE_S - 1


def test_stopping_ends_every_job_of_the_name(driver: EngineDriver, slurm: FakeSlurm, order: Order) -> None:
    driver.start(order)
    slurm.submit(slurm.asks[0])
    began(order)
    slurm.become(1, "RUNNING")
    driver.wait(order.attempt, 2)
    driver.stop(order.attempt)
    end = driver.wait(order.attempt, 60)
    assert end is not None
    assert end.cause == "stopped"
    assert sorted(slurm.cancelled) == [1, 2]


def test_one_list_serves_all_attempts_of_a_round(slurm: FakeSlurm, clock: Clock, tmp_path: Path) -> None:
    driver = EngineDriver(SlurmEngine(slurm, SlurmTerms(), "/usr/bin/python3", clock), clock, clock.pause)
    orders = [Order(f"a-{n}", tmp_path / f"a-{n}", "m", Limits(LEASE_S, 60, 1), {}) for n in range(200)]
    for order in orders:
        AttemptFolder(order.root).create()
        driver.start(order)
    for order in orders:
        assert driver.wait(order.attempt, 0) is None
    assert len(slurm.asks) == 200
    assert slurm.lists <= 2


def test_a_slow_slurm_is_asked_rarely(slurm: FakeSlurm, clock: Clock, order: Order) -> None:
    """A list that takes 3 s is asked for twice a minute: Slurm has more to do than to answer us."""
    prompt = slurm.jobs

    def slowly() -> list[SlurmJob]:
        clock.pause(3)
        return prompt()

    slurm.jobs = slowly  # type: ignore[method-assign]
    driver = EngineDriver(SlurmEngine(slurm, SlurmTerms(), "/usr/bin/python3", clock), clock, clock.pause)
    driver.start(order)
    slurm.lists = 0
    assert driver.wait(order.attempt, 10 * 3 * REST) is None
    assert slurm.lists <= 10


@pytest.mark.parametrize("state", sorted(ENDED))
def test_every_final_state_has_an_end_and_every_flag_delays_it(state: str) -> None:
    assert seen_of(SlurmJob(1, "a-1", (state,))).end is not None
    assert seen_of(SlurmJob(1, "a-1", (state, "COMPLETING"))).state == "running"


def test_of_two_jobs_of_one_name_the_live_one_counts_then_the_first() -> None:
    ended, live = SlurmJob(1, "a-1", ("COMPLETED",)), SlurmJob(2, "a-1", ("PENDING",))
    assert by_name([ended, live])["a-1"][0] is live
    assert by_name([SlurmJob(2, "a-1", ("FAILED",)), ended])["a-1"][0] is ended


def test_usage_counts_typed_devices_and_energy_where_it_was_measured() -> None:
    tres = {"cpu": 8, "node": 2, "gres/gpu": 4, "gres/gpu:a800": 4, "energy": 7200}
    first = SlurmJob(1, "a-1", ("COMPLETED",), elapsed_s=90, tres=tres)
    second = SlurmJob(2, "a-1", ("FAILED",), elapsed_s=1, tres={"cpu": 8})
    assert usage_of("a-1", [first, second]) == Usage("a-1", 91, 4, "gpu:a800", 8, 2, 2)
    assert usage_of("a-1", [second]) == Usage("a-1", 1, 0, "", 8, 0, None)
    unmeasured = SlurmJob(3, "a-1", ("COMPLETED",), elapsed_s=1, tres={"energy": (1 << 64) - 2})
    assert usage_of("a-1", [unmeasured]).energy_wh is None
