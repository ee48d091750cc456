"""An engine that loses answers, jobs and nodes, starts twice, and is cut off; an agent that is killed: whatever the order.

A payload begins at most once; where its Exit was told, nothing of it runs; and it has an Exit within a bound.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from touyan.compute.driver import Exit, Limits, Order
from touyan.compute.drivers.engine import FENCE_S, LOST_S, SILENT_S, EngineDriver, Seen, Unreachable
from touyan.compute.folder import AttemptFolder, write_json
from touyan.compute.launch import Keep, claim_start

LEASE_S, LIMIT_S = 90.0, 100.0
"""A lease longer than the grace: it is the fence that holds, not the patience before it."""
BOUND_S = LIMIT_S + LOST_S + LEASE_S + 2 * FENCE_S + 2 * SILENT_S


class Chaos(RuleBasedStateMachine):
    """Agent, engine, node and payload; the machine is all but the driver, and its clock."""

    keep: Keep = "devices"
    environment: Mapping[str, str] = {}

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.record: Seen | None = None
        self.answers = True
        self.keeps_answers = True
        self.runs = False
        self.begun = 0
        self.cut_s: float | None = None
        """Since when the node sees neither engine nor file system."""
        self.end: Exit | None = None
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = AttemptFolder(Path(self.scratch.name) / "j-1")
        self.folder.create()
        self.folder.heartbeat.touch()
        self.order = Order("j-1", self.folder.root, "m", Limits(LEASE_S, LIMIT_S, 1 << 30), {})
        self.driver = self.agent()

    def agent(self) -> EngineDriver:
        return EngineDriver(self, lambda: self.now_s, self.pass_s)

    # The engine, as the driver asks it.

    def place(self, account: str) -> str:
        return account

    def places(self) -> list[str]:
        return [""]

    def _done(self) -> None:
        """The answer goes back, or is lost."""
        if not self.keeps_answers:
            raise Unreachable("The engine", "the answer was lost")

    def _heard(self) -> None:
        if not self.answers:
            raise Unreachable("The engine", "no route to host")

    def submit(self, order: Order, place: str) -> None:
        self._heard()
        self.record = self.record or Seen("waiting")
        self._done()

    def seen(self, place: str) -> Mapping[str, Seen]:
        self._heard()
        self._done()
        return {"j-1": self.record} if self.record else {}

    def cancel(self, attempt: str, place: str) -> None:
        self._heard()
        if self.runs and self.cut_s is None:
            self.over("stopped")
        elif not self.runs:
            self.record = None
        self._done()

    def forget(self, attempt: str, place: str) -> None:
        self._heard()
        self.record = None
        self._done()

    # The node.

    def over(self, cause: str, status: int = 0) -> None:
        """The wrapper ends the payload, and says so where it sees the folder."""
        self.runs = False
        if self.cut_s is None:
            write_json(self.folder.file("exit"), {"cause": cause, "status": status, "reason": cause, "peak_bytes": 0})
            self.record = self.record and Seen("ended", Exit("exit", status, "ended"))

    def pass_s(self, seconds: float) -> None:
        """Time, in which the wrapper looks at the heartbeat and at its lease."""
        self.now_s += seconds
        if self.runs and self.cut_s is None and self.folder.heartbeat.stat().st_size:
            self.over("stopped")
        if self.runs and self.cut_s is not None and self.now_s - self.cut_s > LEASE_S:
            self.runs = False

    # What may happen.

    @initialize(has_begun=st.booleans())
    def begin(self, has_begun: bool) -> None:
        self.driver.start(self.order)
        if has_begun:
            self.the_engine_starts_it()

    @rule(seconds=st.sampled_from([0.5, 2.0, 10.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.pass_s(seconds)

    @precondition(lambda self: self.end is None)
    @rule(after_s=st.sampled_from([0.0, 1.0, SILENT_S]))
    def look(self, after_s: float) -> None:
        self.pass_s(after_s)
        self.end = self.driver.wait("j-1", 0)

    @rule(answers=st.booleans(), keeps_answers=st.booleans())
    def network(self, answers: bool, keeps_answers: bool) -> None:
        self.answers, self.keeps_answers = answers, keeps_answers

    @precondition(lambda self: self.record is not None)
    @rule()
    def the_engine_starts_it(self) -> None:
        """For the first time, again, or late."""
        if claim_start(self.folder, "node"):
            self.runs, self.begun = True, self.begun + 1
            self.record = Seen("running")

    @precondition(lambda self: self.record is not None and not self.runs and self.begun == 0)
    @rule(state=st.sampled_from(["waiting", "suspended", "unstarted"]))
    def the_queue_changes_its_mind(self, state: str) -> None:
        self.record = Seen(state)  # type: ignore[arg-type]

    @precondition(lambda self: self.runs and self.cut_s is None)
    @rule(status=st.sampled_from([0, 1]))
    def the_payload_ends(self, status: int) -> None:
        self.over("exit", status)

    @precondition(lambda self: self.runs and self.cut_s is None)
    @rule(says=st.sampled_from(["ended", "leaving", "nothing", "running"]), is_noticed=st.booleans())
    def the_node_is_cut_off(self, says: str, is_noticed: bool) -> None:
        self.cut_s = self.now_s
        told = {"ended": Seen("ended", Exit("vanished", 0, "lost its node"), False), "leaving": Seen("leaving"), "nothing": None}
        self.record = told.get(says, self.record)
        if is_noticed and self.end is None:
            self.look(1.0)

    @precondition(lambda self: self.begun > 0)
    @rule()
    def the_engine_forgets(self) -> None:
        self.record = None

    @precondition(lambda self: self.end is None)
    @rule()
    def it_is_told_to_stop(self) -> None:
        self.driver.stop("j-1")

    @precondition(lambda self: self.end is None)
    @rule()
    def the_agent_is_killed(self) -> None:
        self.driver = self.agent()
        if not self.driver.adopt(self.order):
            self.end = Exit("vanished", 0, "the engine knows of none")
            claim_start(self.folder, "the agent gives it up")

    @invariant()
    def it_begins_at_most_once(self) -> None:
        assert self.begun <= 1

    @invariant()
    def what_has_an_exit_runs_no_more(self) -> None:
        assert not (self.end is not None and self.runs)

    def teardown(self) -> None:
        """It has an end within the bound, once the engine answers and says what it knows."""
        self.answers = self.keeps_answers = True
        if self.end is None and self.record is not None and not self.runs and self.begun == 0:
            self.driver.stop("j-1")
        if self.runs and self.cut_s is None:
            self.over("exit")
        if self.cut_s is not None:
            self.record = None
        until_s = self.now_s + BOUND_S
        while self.end is None and self.now_s < until_s:
            self.pass_s(1.0)
            self.end = self.driver.wait("j-1", 0)
        assert self.end is not None
        assert not self.runs
        self.scratch.cleanup()


TestChaos = Chaos.TestCase
TestChaos.settings = settings(max_examples=200, stateful_step_count=15, deadline=None)
