"""What an EngineDriver makes of an engine's answers, and of its silence: nothing here waits, the clock is the test's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from touyan.compute.driver import Exit, Limits, Order
from touyan.compute.drivers.engine import FENCE_S, LOST_S, SILENT_S, SWEEP_S, EngineDriver, Seen, Unreachable
from touyan.compute.folder import AttemptFolder, read_json, write_json
from touyan.compute.launch import Keep, claim_start, read_launch
from touyan.core.errors import Broken, Refused

LEASE_S = 30.0
LIMIT_S = 3600.0


class Clock:
    """Seconds that pass when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds


class FakeEngine:
    """An engine that says what the test tells it to say."""

    keep: Keep = "devices"
    environment: Mapping[str, str] = {"NCCL_SOCKET_IFNAME": "ib0"}

    def __init__(self) -> None:
        self.answers: dict[str, Seen] = {}
        self.submitted: list[str] = []
        self.cancelled: list[str] = []
        self.forgotten: list[str] = []
        self.asked = 0
        self.trouble: Exception | None = None
        self.on_cancel: Callable[[str], None] = lambda attempt: None

    def _answer(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def place(self, account: str) -> str:
        if account == "stranger":
            raise Refused("no-account", "no place for a stranger", "name one")
        return account

    def places(self) -> list[str]:
        return [""]

    def submit(self, order: Order, place: str) -> None:
        self._answer()
        self.submitted.append(order.attempt)
        self.answers.setdefault(order.attempt, Seen("waiting"))

    def seen(self, place: str) -> Mapping[str, Seen]:
        self.asked += 1
        self._answer()
        return dict(self.answers)

    def cancel(self, attempt: str, place: str) -> None:
        self._answer()
        self.cancelled.append(attempt)
        self.on_cancel(attempt)

    def forget(self, attempt: str, place: str) -> None:
        self._answer()
        self.forgotten.append(attempt)
        self.answers.pop(attempt, None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def driver(engine: FakeEngine, clock: Clock) -> EngineDriver:
    return EngineDriver(engine, clock, clock.pause)


@pytest.fixture
def order_of(tmp_path: Path) -> Callable[..., Order]:
    def make(attempt: str = "j-1", **given: object) -> Order:
        folder = AttemptFolder(tmp_path / attempt)
        folder.create()
        folder.heartbeat.touch()
        limits = Limits(LEASE_S, LIMIT_S, 1 << 30)
        return Order(attempt, folder.root, "m", limits, {"TOUYAN_PSEUDONYM_KEY": "5ec2e7"}, **given)  # type: ignore[arg-type]

    return make


OrderOf = Callable[..., Order]


def began(order: Order) -> None:
    """What the launcher does on a node."""
    assert claim_start(AttemptFolder(order.root), "node/1")


def wrote(order: Order, cause: str = "exit", status: int = 0, node: str = "") -> None:
    """What the wrapper does at the end."""
    value = {"cause": cause, "status": status, "reason": f"{cause} {status}", "peak_bytes": 5}
    write_json(AttemptFolder(order.root).file(f"exit{node}"), value)


def unreachable() -> Unreachable:
    return Unreachable("The engine", "no route to host")


def test_a_node_is_told_everything_and_nobody_else_sees_the_key(driver: EngineDriver, order_of: OrderOf) -> None:
    order = order_of()
    driver.start(order)
    launch = read_launch(AttemptFolder(order.root))
    assert (launch.module, launch.gang) == ("m", 1)
    assert launch.environment == {"TOUYAN_PSEUDONYM_KEY": "5ec2e7", "NCCL_SOCKET_IFNAME": "ib0"}
    assert AttemptFolder(order.root).file("launch").stat().st_mode & 0o777 == 0o600
    assert read_json(AttemptFolder(order.root).file("limits"))["limit_s"] == LIMIT_S


def test_hundreds_of_payloads_are_looked_for_in_one_list_a_second(
    driver: EngineDriver, engine: FakeEngine, clock: Clock, order_of: OrderOf
) -> None:
    for n in range(300):
        driver.start(order_of(f"j-{n}"))
    for _ in range(5):
        assert [driver.wait(f"j-{n}", 0) for n in range(300)] == [None] * 300
        clock.pause(1)
    assert engine.asked == 5


def test_an_engine_that_is_silent_is_not_asked_for_each_payload(
    driver: EngineDriver, engine: FakeEngine, clock: Clock, order_of: OrderOf
) -> None:
    for n in range(100):
        driver.start(order_of(f"j-{n}"))
    engine.trouble = unreachable()
    for _ in range(10):
        assert [driver.wait(f"j-{n}", 0) for n in range(100)] == [None] * 100
        clock.pause(1)
    assert engine.asked == 10 / SILENT_S


def test_the_wrappers_word_is_the_exit_and_the_engine_forgets(
    driver: EngineDriver, engine: FakeEngine, order_of: OrderOf
) -> None:
    order = order_of()
    driver.start(order)
    began(order)
    wrote(order, "memory")
    engine.answers["j-1"] = Seen("running")
    assert driver.wait("j-1", 0) is None, "a payload may write exit.json: while it runs it has not ended"
    engine.answers["j-1"] = Seen("ended", Exit("exit", 0, "succeeded"))
    assert driver.wait("j-1", 2) == Exit("memory", 0, "memory 0", 5)
    assert engine.forgotten == ["j-1"]


def test_an_engine_that_does_not_answer_ends_nothing(
    driver: EngineDriver, engine: FakeEngine, clock: Clock, order_of: OrderOf
) -> None:
    driver.start(order_of())
    engine.trouble = unreachable()
    assert driver.wait("j-1", LIMIT_S) is None
    assert isinstance(driver.trouble, Unreachable)
    engine.trouble = None
    assert driver.wait("j-1", 2 * SILENT_S) is None
    assert driver.trouble is None
    assert engine.cancelled == []


def test_no_job_waits_for_ever_for_an_engine_that_is_silent(driver: EngineDriver, engine: FakeEngine, order_of: OrderOf) -> None:
    order = order_of()
    driver.start(order)
    began(order)
    engine.trouble = unreachable()
    end = driver.wait("j-1", LIMIT_S + LOST_S + LEASE_S + FENCE_S + 10)
    assert end is not None
    assert end.cause == "vanished"
    assert AttemptFolder(order.root).heartbeat.read_text() == "stop\n"


def test_a_submission_whose_answer_was_lost_is_sent_again_and_counts_once(
    driver: EngineDriver, engine: FakeEngine, order_of: OrderOf
) -> None:
    engine.trouble = unreachable()
    driver.start(order_of())
    driver.start(order_of("j-2"))
    engine.trouble = None
    engine.answers["j-2"] = Seen("running")
    assert driver.wait("j-1", 0) is None
    assert driver.wait("j-2", 2) is None
    assert engine.submitted == ["j-1"]


def test_a_submission_that_is_refused_raises_and_is_not_held(driver: EngineDriver, engine: FakeEngine, order_of: OrderOf) -> None:
    with pytest.raises(Refused):
        driver.start(order_of("j-1", account="stranger"))
    engine.trouble = Refused("engine-refused", "no", "ask for less")
    with pytest.raises(Refused):
        driver.start(order_of("j-2"))
    engine.trouble = None
    assert not driver.adopt(order_of("j-2"))


def test_a_payload_that_its_engine_does_not_know_is_lost_after_a_grace_and_a_fence(
    driver: EngineDriver, engine: FakeEngine, clock: Clock, order_of: OrderOf
) -> None:
    order = order_of()
    driver.start(order)
    began(order)
    engine.answers.clear()
    assert driver.wait("j-1", LOST_S - 2) is None
    assert AttemptFolder(order.root).heartbeat.read_text() == ""
    assert driver.wait("j-1", 5) is None
    assert AttemptFolder(order.root).heartbeat.read_text() == "stop\n"
    end = driver.wait("j-1", LEASE_S + FENCE_S + 5)
    assert end == Exit("vanished", 0, "is not known to its engine any more")
    assert LOST_S + LEASE_S + FENCE_S < clock.now_s < LOST_S + LEASE_S + FENCE_S + 10
    assert read_json(AttemptFolder(order.root).file("exit"))["cause"] == "vanished"


def test_a_payload_that_is_seen_again_was_not_lost(driver: EngineDriver, engine: FakeEngine, order_of: OrderOf) -> None:
    order = order_of()
    driver.start(order)
    began(order)
    for _ in range(4):
        engine.answers.clear()
        assert driver.wait("j-1", LOST_S - 5) is None
        engine.answers["j-1"] = Seen("running")
        assert driver.wait("j-1", 5) is None
    assert engine.cancelled == []


def test_what_never_began_is_gone_at_once_and_can_never_begin(
    driver: EngineDriver, engine: FakeEngine, order_of: OrderOf
) -> None:
    order = order_of()
    driver.start(order)
    assert driver.wait("j-1", 0) is None
    engine.answers.clear()
    end = driver.wait("j-1", 5)
    assert end is not None
    assert end.cause == "vanished"
    assert not claim_start(AttemptFolder(order.root), "node/1")


def test_an_end_that_no_node_has_confirmed_is_fenced_first(
    driver: EngineDriver, engine: FakeEngine, clock: Clock, order_of: OrderOf
) -> None:
    order = order_of()
    driver.start(order)
    began(order)
    engine.answers["j-1"] = Seen("ended", Exit("vanished", 0, "lost its node"), is_certain=False)
    assert driver.wait("j-1", LEASE_S) is None
    assert driver.wait("j-1", FENCE_S + 5) == Exit("vanished", 0, "lost its node")


def test_a_payload_that_waits_stops_at_once_and_a_late_start_finds_it_taken(
    driver: EngineDriver, engine: FakeEngine, order_of: OrderOf
) -> None:
    order = order_of()
    driver.start(order)
    driver.stop("j-1")
    assert driver.wait("j-1", 0) == Exit("stopped", 0, "was told to stop before it began")
    assert not claim_start(AttemptFolder(order.root), "node/1")
    assert engine.cancelled == ["j-1"]


def test_a_stop_reaches_the_payload_also_where_its_engine_is_silent(
    driver: EngineDriver, engine: FakeEngine, order_of: OrderOf
) -> None:
    order = order_of()
    driver.start(order)
    began(order)
    engine.answers["j-1"] = Seen("running")
    engine.trouble = unreachable()
    driver.stop("j-1")
    assert AttemptFolder(order.root).heartbeat.read_text() == "stop\n"
    engine.trouble = None
    assert driver.wait("j-1", 2) is None
    assert engine.cancelled == ["j-1"]


def test_a_signal_of_the_engine_after_our_stop_is_our_stop(driver: EngineDriver, engine: FakeEngine, order_of: OrderOf) -> None:
    order = order_of()
    driver.start(order)
    began(order)
    driver.stop("j-1")
    wrote(order, "signal", 15)
    engine.answers["j-1"] = Seen("ended", Exit("stopped", 0, "by the engine"))
    end = driver.wait("j-1", 2)
    assert end is not None
    assert end.cause == "stopped"


def test_who_else_stopped_it_is_told_in_the_engines_words(driver: EngineDriver, engine: FakeEngine, order_of: OrderOf) -> None:
    order = order_of()
    driver.start(order)
    began(order)
    wrote(order, "stopped")
    engine.answers["j-1"] = Seen("ended", Exit("vanished", 0, "was taken off its node: Evicted"))
    end = driver.wait("j-1", 2)
    assert (end and end.cause, end and end.reason) == ("stopped", "was taken off its node: Evicted")


def test_what_an_engine_gave_up_in_its_queue_is_submitted_again(
    driver: EngineDriver, engine: FakeEngine, order_of: OrderOf
) -> None:
    driver.start(order_of())
    engine.answers["j-1"] = Seen("unstarted")
    assert driver.wait("j-1", 3) is None
    assert engine.submitted == ["j-1", "j-1"]


def test_a_payload_that_its_queue_took_off_again_ends(driver: EngineDriver, engine: FakeEngine, order_of: OrderOf) -> None:
    order = order_of()
    driver.start(order)
    engine.answers["j-1"] = Seen("suspended")
    assert driver.wait("j-1", 10 * LOST_S) is None, "held back by a queue is no end"
    began(order)
    end = driver.wait("j-1", LOST_S + LEASE_S + FENCE_S + 10)
    assert end is not None
    assert engine.cancelled == ["j-1"]


@pytest.mark.parametrize("is_silent", [False, True])
def test_an_agent_that_starts_again_takes_up_what_its_engine_may_have(
    driver: EngineDriver, engine: FakeEngine, clock: Clock, order_of: OrderOf, is_silent: bool
) -> None:
    order = order_of()
    driver.start(order)
    engine.trouble = unreachable() if is_silent else None
    later = EngineDriver(engine, clock, clock.pause)
    assert later.adopt(order)
    engine.trouble = None
    assert later.wait("j-1", 2 * SILENT_S) is None
    assert engine.submitted == ["j-1"]


def test_what_was_fenced_is_not_called_stopped_by_an_agent_that_starts_again(
    driver: EngineDriver, engine: FakeEngine, clock: Clock, order_of: OrderOf
) -> None:
    order = order_of()
    driver.start(order)
    began(order)
    engine.answers["j-1"] = Seen("ended", Exit("vanished", 0, "lost its node"), is_certain=False)
    assert driver.wait("j-1", 5) is None
    later = EngineDriver(engine, clock, clock.pause)
    assert later.adopt(order)
    end = later.wait("j-1", LEASE_S + FENCE_S + 5)
    assert (end and end.cause, end and end.reason) == ("vanished", "lost its node")


def test_what_began_and_is_not_known_any_more_is_taken_up_to_be_ended(
    driver: EngineDriver, engine: FakeEngine, order_of: OrderOf
) -> None:
    order = order_of()
    began(order)
    wrote(order)
    assert driver.adopt(order)
    assert driver.wait("j-1", 0) == Exit("exit", 0, "exit 0", 5)


def test_of_a_gang_the_first_to_fail_says_how_it_ended(driver: EngineDriver, engine: FakeEngine, order_of: OrderOf) -> None:
    order = order_of("j-1", gang=3)
    driver.start(order)
    began(order)
    engine.answers["j-1"] = Seen("running")
    wrote(order, "memory", 0, "-2")
    assert driver.wait("j-1", 0) is None
    wrote(order, "stopped", 0, "-1")
    wrote(order, "signal", 15)
    engine.answers["j-1"] = Seen("ended", Exit("exit", 1, "failed"))
    end = driver.wait("j-1", 2)
    assert end is not None
    assert end.cause == "memory"


def test_sweeping_ends_what_is_there_and_says_so_where_it_does_not_end(
    driver: EngineDriver, engine: FakeEngine, clock: Clock
) -> None:
    engine.answers["j-1"] = Seen("running")
    with pytest.raises(Broken, match="does not end"):
        driver.sweep("j-1")
    assert clock.now_s > SWEEP_S
    engine.on_cancel = engine.answers.pop  # type: ignore[assignment]
    driver.sweep("j-1")
    assert engine.answers == {}


def test_the_launchs_form_stays(driver: EngineDriver, order_of: OrderOf) -> None:
    order = order_of()
    driver.start(order)
    found = json.loads(AttemptFolder(order.root).file("launch").read_text())
    assert found == {
        "launch": 1, "module": "m", "keep": "devices", "gang": 1, "processes": 1,
        "environment": {"NCCL_SOCKET_IFNAME": "ib0", "TOUYAN_PSEUDONYM_KEY": "5ec2e7"},
    }  # fmt: skip
