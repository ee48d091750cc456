"""What every driver must do, whatever it runs payloads on: subclass `DriverContract` and give the fixture `world`.

    class TestMine(DriverContract):
        @pytest.fixture
        def world(self, tmp_path): return World(tmp_path, make_driver=MyDriver)

A World knows how to make a driver, as an agent that starts does; an Attempt's folder, and an Order for one of the tasks of
`contract_payload`.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from touyan.compute.driver import Driver, Exit, Limits, Order
from touyan.compute.environment import ATTEMPT, payload_environment
from touyan.compute.folder import AttemptFolder
from touyan.compute.processes import with_environment

PATIENCE_S = 90.0
LIMITS = Limits(lease_s=60, limit_s=60, memory_bytes=512 << 20)
_NUMBERS = itertools.count(1)


@dataclass(slots=True)
class World:
    """A site with one agent."""

    home: Path
    make_driver: Callable[[], Driver]
    outlives_agent: bool = True
    """Whether a payload goes on when its agent ends."""
    prefix: str = "c"
    driver: Driver = field(init=False)

    def __post_init__(self) -> None:
        self.driver = self.make_driver()

    def restart(self) -> Driver:
        """Another agent takes the place of this one. Returns the former one's driver."""
        former, self.driver = self.driver, self.make_driver()
        return former

    def order(self, task: str, limits: Limits = LIMITS, **given: Any) -> Order:
        """An Order with a staged folder, whose agent has just been heard."""
        attempt = f"{self.prefix}{time.time_ns():x}-{next(_NUMBERS)}"
        folder = AttemptFolder(self.home / "jobs" / attempt)
        folder.create()
        (folder.root / "task").write_text(task)
        folder.heartbeat.touch()
        environment = payload_environment(attempt, folder, 1, pseudonym_key="5ec2e7")
        return Order(attempt, folder.root, "contract_payload", limits, environment, token=7, **given)

    def run(self, task: str, limits: Limits = LIMITS, **given: Any) -> tuple[Order, Exit]:
        """Starts a payload and waits for its end."""
        order = self.order(task, limits, **given)
        self.driver.start(order)
        return order, self.end_of(order)

    def end_of(self, order: Order) -> Exit:
        until_s = time.monotonic() + PATIENCE_S
        while (end := self.driver.wait(order.attempt, 0.5)) is None:
            if time.monotonic() > until_s:
                raise TimeoutError(f"no end of {order.attempt}: {getattr(self.driver, 'trouble', None)}; log: {log_of(order)}")
        return end

    def await_file(self, order: Order, name: str) -> None:
        """Waits until the payload has come to mark a file."""
        until_s = time.monotonic() + PATIENCE_S
        while not (order.root / "out" / name).exists():
            if time.monotonic() > until_s or (end := self.driver.wait(order.attempt, 0.1)) is not None:
                raise TimeoutError(f"{order.attempt} never wrote {name}: {end}; log: {log_of(order)}")


def log_of(order: Order) -> str:
    log = AttemptFolder(order.root).log
    return log.read_text() if log.exists() else ""


def left_of(order: Order) -> list[int]:
    """Processes of an Attempt that are there."""
    return with_environment(f"{ATTEMPT}={order.attempt}")


class DriverContract:
    """The contract. Nothing of a payload may run once its Exit was told."""

    def test_a_payload_that_succeeds_exits_with_0_and_its_output_is_in_the_log(self, world: World) -> None:
        order, end = world.run("say")
        assert (end.cause, end.status) == ("exit", 0)
        assert "said on stdout" in log_of(order)
        assert "said on stderr" in log_of(order)

    def test_a_payload_that_fails_exits_with_its_own_status(self, world: World) -> None:
        assert world.run("fail")[1].status == 3

    def test_a_payload_that_a_signal_ended_says_which(self, world: World) -> None:
        _, end = world.run("die")
        assert (end.cause, end.status) == ("signal", 9)

    def test_a_payload_that_takes_too_much_memory_is_ended_for_it(self, world: World) -> None:
        order, end = world.run("hog", Limits(60, 60, 200 << 20))
        assert end.cause == "memory"
        assert left_of(order) == []

    def test_a_payload_that_takes_too_long_is_ended_for_it(self, world: World) -> None:
        order, end = world.run("sleep", Limits(60, 1, 512 << 20))
        assert end.cause == "time"
        assert end.peak_bytes > 1 << 20
        assert left_of(order) == []

    def test_a_payload_whose_agent_is_silent_fences_itself(self, world: World) -> None:
        order, end = world.run("sleep", Limits(4, 60, 512 << 20))
        assert end.cause == "fenced"
        assert left_of(order) == []

    def test_children_do_not_outlive_the_payload(self, world: World) -> None:
        order, end = world.run("breed")
        assert end.cause == "exit"
        assert left_of(order) == []

    def test_a_payload_that_runs_has_no_end_yet(self, world: World) -> None:
        order = world.order("sleep")
        world.driver.start(order)
        world.await_file(order, "came")
        assert world.driver.wait(order.attempt, 0) is None
        world.driver.stop(order.attempt)
        world.end_of(order)

    def test_a_stopped_payload_ends_as_stopped_with_all_it_started(self, world: World) -> None:
        order = world.order("sleep")
        world.driver.start(order)
        world.await_file(order, "came")
        world.driver.stop(order.attempt)
        world.driver.stop(order.attempt)
        assert world.end_of(order).cause == "stopped"
        assert left_of(order) == []

    def test_a_payload_that_is_stopped_before_it_began_ends_as_stopped(self, world: World) -> None:
        order = world.order("sleep")
        world.driver.start(order)
        world.driver.stop(order.attempt)
        assert world.end_of(order).cause == "stopped"
        assert left_of(order) == []

    def test_stopping_what_does_not_run_is_quiet(self, world: World) -> None:
        world.driver.stop("nobody-1")

    def test_a_second_start_starts_nothing(self, world: World) -> None:
        order = world.order("nap")
        world.driver.start(order)
        if world.outlives_agent:
            world.driver.start(order)
        world.await_file(order, "came")
        assert world.end_of(order).cause == "exit"
        assert len((order.root / "out" / "came").read_text().split()) == 1

    def test_an_agent_that_starts_again_takes_up_what_ran(self, world: World) -> None:
        if not world.outlives_agent:
            pytest.skip("a payload of this driver ends with its agent")
        order = world.order("nap")
        world.driver.start(order)
        world.await_file(order, "came")
        world.restart()
        assert world.driver.adopt(order)
        assert world.end_of(order).cause == "exit"
        assert len((order.root / "out" / "went").read_text().split()) == 1

    def test_what_was_never_started_cannot_be_taken_up(self, world: World) -> None:
        assert not world.driver.adopt(world.order("say"))

    def test_sweeping_ends_what_an_agent_left(self, world: World) -> None:
        order = world.order("sleep")
        world.driver.start(order)
        world.await_file(order, "came")
        former = world.restart()
        world.driver.sweep(order.attempt)
        assert left_of(order) == []
        assert former.wait(order.attempt, 10) is not None

    def test_sweeping_what_never_was_is_quiet(self, world: World) -> None:
        world.driver.sweep("nobody-1")

    def test_a_payload_gets_the_environment_of_its_order_and_no_other_secret(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-agent")
        order, end = world.run("show")
        found = json.loads((order.root / "out" / "environment").read_text())
        assert end.status == 0
        assert order.environment.items() <= found.items()
        assert "AWS_SECRET_ACCESS_KEY" not in found
