"""Continuous batching over a fake engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from serving import FakeEngine, until

from touyan.core.errors import Broken, Invalid, Refused, TouyanError
from touyan.flow.backend import Sampling
from touyan.service.batch import Batch, Ticket

MakeBatch = Callable[..., Batch]
STOPPING = Refused("service-stopped", "stopping", "later")


class Heard:
    """What one ticket was told."""

    def __init__(self, seed: int = 0, max_tokens: int = 20, prompt: str = "x") -> None:
        self.tokens: list[int] = []
        self.end: str | TouyanError | None = None
        self.first, self.ended = threading.Event(), threading.Event()
        self.ticket = Ticket([256, *prompt.encode()], Sampling(seed=seed), max_tokens, self._token, self._end)

    def _token(self, token: int) -> None:
        self.tokens.append(token)
        self.first.set()

    def _end(self, end: str | TouyanError) -> None:
        assert self.end is None, "a second end"
        self.end = end
        self.ended.set()

    def wait(self) -> Heard:
        assert self.ended.wait(20)
        return self


@pytest.fixture
def make_batch() -> Iterator[MakeBatch]:
    made: list[Batch] = []

    def make(engine: FakeEngine, width: int = 4, waiting: int = 16) -> Batch:
        made.append(Batch(engine, width, waiting))
        return made[-1]

    yield make
    for batch in made:
        batch.close(STOPPING)
        assert not batch.is_alive


def test_what_a_request_gets_does_not_depend_on_its_company(make_batch: MakeBatch) -> None:
    batch = make_batch(FakeEngine())
    alone = Heard(seed=5)
    batch.submit(alone.ticket)
    alone.wait()
    company = [Heard(seed=s) for s in range(8)]
    for heard in company:
        batch.submit(heard.ticket)
    assert [h.wait().end for h in company] == ["length"] * 8
    assert company[5].tokens == alone.tokens


def test_requests_that_are_there_together_are_stepped_together(make_batch: MakeBatch) -> None:
    hold = threading.Event()
    engine = FakeEngine(hold=hold)
    batch = make_batch(engine, width=4)
    company = [Heard(seed=s, max_tokens=5) for s in range(6)]
    for heard in company:
        batch.submit(heard.ticket)
    hold.set()
    for heard in company:
        heard.wait()
    assert max(engine.batches) == 4
    assert sum(engine.batches) == 6 * 5


def test_a_cancelled_request_leaves_its_place_to_the_next(make_batch: MakeBatch) -> None:
    engine = FakeEngine()
    batch = make_batch(engine, width=1)
    endless, next_one = Heard(max_tokens=10**7), Heard(max_tokens=3)
    batch.submit(endless.ticket)
    batch.submit(next_one.ticket)
    assert endless.first.wait(20)
    endless.ticket.cancel()
    assert next_one.wait().end == "length"
    assert endless.end is None
    assert [s.tokens for s in engine.ended] == [endless.tokens]  # its row of the cache was given back


def test_an_engine_that_loses_its_state_answers_nobody_and_hangs_nobody(
    make_batch: MakeBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine(breaks=RuntimeError("step"))
    monkeypatch.setattr(engine, "end", lambda sequence: 1 / 0)
    batch = make_batch(engine)
    company = [Heard(), Heard()]
    for heard in company:
        with suppress(Broken):
            batch.submit(heard.ticket)
    assert isinstance(company[0].wait().end, Broken)
    until(lambda: not batch.is_alive)
    with pytest.raises(Broken):
        batch.submit(Heard().ticket)


def test_a_full_queue_refuses(make_batch: MakeBatch) -> None:
    hold = threading.Event()
    batch = make_batch(FakeEngine(hold=hold), width=1, waiting=2)
    with suppress(Refused):
        for _ in range(10):
            batch.submit(Heard().ticket)
    with pytest.raises(Refused, match="wait already"):
        batch.submit(Heard().ticket)
    hold.set()


def test_closing_ends_everybody_with_the_reason_and_takes_nobody_new(make_batch: MakeBatch) -> None:
    batch = make_batch(FakeEngine(), width=1)
    running, waiting = Heard(max_tokens=10**7), Heard()
    batch.submit(running.ticket)
    batch.submit(waiting.ticket)
    assert running.first.wait(20)
    batch.close(STOPPING)
    assert running.wait().end is STOPPING
    assert waiting.wait().end is STOPPING
    with pytest.raises(Refused, match="stopping"):
        batch.submit(Heard().ticket)
    with pytest.raises(Refused, match="stopping"):
        batch.call(lambda engine: engine.classify(["x"]))


def test_an_engine_that_fails_ends_its_batch_and_the_next_request_is_served(make_batch: MakeBatch) -> None:
    engine = FakeEngine(breaks=MemoryError("no room"))
    batch = make_batch(engine)
    failed = Heard()
    batch.submit(failed.ticket)
    assert isinstance(failed.wait().end, Broken)
    engine.breaks = None
    after = Heard(max_tokens=2)
    batch.submit(after.ticket)
    assert after.wait().end == "length"


def test_a_prompt_that_the_engine_refuses_concerns_that_request_alone(
    make_batch: MakeBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine()
    start = engine.start

    def picky(prompt_ids: list[int], sampling: Sampling, max_tokens: int) -> object:
        if len(prompt_ids) > 50:
            raise Invalid("too-long", "too long", "shorten it")
        return start(prompt_ids, sampling, max_tokens)

    monkeypatch.setattr(engine, "start", picky)
    batch = make_batch(engine)
    long, short = Heard(prompt="x" * 100), Heard()
    batch.submit(long.ticket)
    batch.submit(short.ticket)
    assert isinstance(long.wait().end, Invalid)
    assert short.wait().end == "length"


def test_calls_run_between_steps_and_their_errors_go_to_who_asked(make_batch: MakeBatch) -> None:
    batch = make_batch(FakeEngine())
    endless = Heard(max_tokens=10**7)
    batch.submit(endless.ticket)
    assert batch.call(lambda engine: engine.classify(["税"])).result(20)[0]["tax"] == 0.75
    with pytest.raises(Broken, match="ZeroDivisionError"):
        batch.call(lambda engine: 1 / 0).result(20)
    assert endless.end is None
