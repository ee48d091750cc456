"""An agent that is killed between any two lines: no Attempt is started twice, none is lost, no result is told that is not whole.

What must never happen is asserted by the hub and the engine of `site_world.py`, while it happens.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from crashes import Place, run_until
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from site_world import Killed, World

from touyan.compute.driver import Exit
from touyan.core.errors import Broken

ROUNDS = 60
pytestmark = pytest.mark.filterwarnings(  # a killed agent closes nothing; here its process goes on
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def settle(world: World) -> None:
    """No more faults: everything that was begun comes to its end, and is wiped."""
    for _ in range(ROUNDS):
        for attempt in world.engine.running():
            world.engine.finish(attempt)
        world.round()
        world.seam.move(30)
    assert set(world.hub.jobs.values()) <= {"done", "cancelled", "failed"}
    assert {j for j, s in world.hub.jobs.items() if s == "done"} == set(world.hub.results)
    assert world.engine.running() == []
    world.seam.move(world.policy.keep_h * 3600 + 1)
    world.round()
    world.round()
    assert world.left() == []
    assert list(world.home.attempts.iterdir()) == []
    assert set(world.engine.starts) <= set(world.hub.receipts)


def life(world: World, line: int) -> list[Place]:
    """One Job with an input and an interruption, from claim to receipt; the agent is killed once, before that line of its code.
    Returns the lines of a life in which it was not."""
    places: list[Place] = []
    for _ in range(ROUNDS):
        for attempt in world.engine.running():
            is_first = attempt.endswith("-1")
            world.engine.checkpoint(attempt)
            world.engine.end(attempt, Exit("signal", 9, "was ended by SIGKILL")) if is_first else world.engine.finish(attempt)
        try:
            places += run_until(line - len(places), world.round)
        except Killed:
            world.restart()
            line = 0
        if world.hub.jobs["j"] == "done" and not list(world.home.attempts.iterdir()):
            break
        world.seam.move(1)
    return places


def one_life(root: Path, line: int) -> list[Place]:
    world = World(root)
    world.hub.add("j", {"a.txt": b"some input"})
    places = life(world, line)
    settle(world)
    assert world.hub.jobs["j"] == "done"
    shutil.rmtree(root)
    return places


def test_an_agent_killed_at_some_line_of_a_life_goes_on(tmp_path: Path) -> None:
    lines = len(one_life(tmp_path / "whole", 0))
    assert lines > 1000
    for line in range(1, lines, 397):
        one_life(tmp_path / "site", line)


@pytest.mark.slow
def test_an_agent_killed_at_any_line_of_its_code_goes_on(tmp_path: Path) -> None:
    places = one_life(tmp_path / "whole", 0)
    first = {place: at for at, place in reversed(list(enumerate(places, start=1)))}
    for line in first.values():
        one_life(tmp_path / "site", line)


class KilledAgent(RuleBasedStateMachine):
    """Jobs, payloads, lines that fail and an agent that is killed, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.world = World(self.root / "site", slots=2)
        self.count = 0

    @precondition(lambda self: self.count < 4)
    @rule(data=st.none() | st.binary(max_size=12))
    def submit(self, data: bytes | None) -> None:
        self.count += 1
        self.world.hub.add(f"job{self.count}", None if data is None else {"in": data})

    @rule(loses=st.sampled_from(["", "", "", "request", "answer"]))
    def round(self, loses: str) -> None:
        self.world.hub.loses = loses
        with suppress(Broken):
            self.world.round()
        self.world.hub.loses = ""

    @rule(line=st.integers(1, 900), loses=st.sampled_from(["", "", "answer"]))
    def round_cut_off(self, line: int, loses: str) -> None:
        self.world.hub.loses = loses
        with suppress(Killed, Broken):
            run_until(line, self.world.round)
        self.world.hub.loses = ""
        self.world.restart()

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(seconds=st.sampled_from([1.0, 5.0, 44.0, 61.0, 200.0]))
    def wait(self, seconds: float) -> None:
        for _ in range(10):  # payloads look at their heartbeat all the time
            self.world.seam.move(seconds / 10)
            self.world.engine.tick()

    @precondition(lambda self: self.world.engine.running())
    @rule(which=st.integers(0, 3), how=st.sampled_from(["finish", "checkpoint", "killed", "node", "failed"]))
    def payload(self, which: int, how: str) -> None:
        running = self.world.engine.running()
        attempt = running[which % len(running)]
        match how:
            case "finish":
                self.world.engine.finish(attempt)
            case "checkpoint":
                self.world.engine.checkpoint(attempt)
            case "killed":
                self.world.engine.end(attempt, Exit("signal", 9, "was ended by SIGKILL"))
            case "node":
                self.world.engine.end(attempt, Exit("vanished", 0, "is not known any more"), is_told=False)
            case _:
                self.world.engine.end(attempt, Exit("exit", 1, "ended with status 1"))

    @precondition(lambda self: self.world.hub.jobs)
    @rule(which=st.integers(0, 3))
    def cancel(self, which: int) -> None:
        jobs = list(self.world.hub.jobs)
        self.world.hub.cancel(jobs[which % len(jobs)])

    def teardown(self) -> None:
        try:
            settle(self.world)
        finally:
            shutil.rmtree(self.root)


KilledAgent.TestCase.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestKilledAgent = KilledAgent.TestCase
