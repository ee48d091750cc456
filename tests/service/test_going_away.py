"""Clients that leave, wait too long or come in crowds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serving import FakeEngine, Live, until

from touyan.core.seam import FixedSeam
from touyan.service.settings import Limits, Settings

Make = Callable[..., Live]
ENDLESS = {"prompt": "第", "max_tokens": 2000}


def is_idle(live: Live) -> bool:
    opened = live.running.address.serving
    return opened is not None and opened.batch.active == 0 and opened.batch.waiting == 0


class Slow(FakeEngine):
    """A step only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = threading.Semaphore(0)

    def step(self, sequences: list[object]) -> list[int | None]:
        self.steps.acquire(timeout=0.02)
        return super().step(sequences)


def test_a_reader_of_a_stream_who_leaves_frees_the_sequence_and_pays_for_what_was_written(make_live: Make) -> None:
    live = make_live(Slow())
    with live.client().stream("POST", "/v1/completions", json=ENDLESS | {"stream": True}) as response:
        next(response.iter_lines())
    until(lambda: is_idle(live))
    until(lambda: live.store.services.totals(live.store.me(), "laws") != [])
    [total] = live.store.services.totals(live.store.me(), "laws")
    assert 0 < total.completion_tokens < 2000


def test_a_client_that_waits_for_a_whole_answer_and_leaves_frees_the_sequence(make_live: Make) -> None:
    live = make_live(Slow())
    with pytest.raises(httpx.ReadTimeout):
        live.client().post("/v1/completions", json=ENDLESS, timeout=0.3)
    until(lambda: is_idle(live))
    until(lambda: "touyan_completion_tokens_total" in live.client().get("/metrics").text)


def test_an_answer_that_takes_too_long_is_ended(make_live: Make) -> None:
    live = make_live(Slow(), settings=Settings(limits=Limits(request_s=0.2)))
    response = live.post("/v1/completions", **ENDLESS)
    assert (response.status_code, response.json()["error"]["code"]) == (504, "timeout")
    until(lambda: is_idle(live))


def test_a_key_has_so_many_requests_at_once_and_gets_its_places_back(make_live: Make) -> None:
    engine = FakeEngine("好", hold=threading.Event())
    live = make_live(engine, settings=Settings(limits=Limits(concurrent=2)))
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(live.post, "/v1/completions", prompt="第") for _ in range(2)]
        until(lambda: not is_idle(live) and live.running.door.inside == 2)
        refused = live.post("/v1/completions", prompt="第")
        engine.hold.set()
        assert [r.result().status_code for r in running] == [200, 200]
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too-many-at-once")
    assert live.post("/v1/completions", prompt="第").status_code == 200
    assert live.running.door.inside == 0


def test_a_key_has_so_many_requests_a_minute(make_live: Make, seam: FixedSeam) -> None:
    live = make_live(FakeEngine("好"), settings=Settings(limits=Limits(requests_per_minute=2)))
    assert [live.post("/v1/completions", prompt="第").status_code for _ in range(3)] == [200, 200, 429]
    seam.move(31)
    assert [live.post("/v1/completions", prompt="第").status_code for _ in range(2)] == [200, 429]


def test_a_crowd_is_answered_each_with_its_own_text(make_live: Make) -> None:
    live = make_live(FakeEngine(), settings=Settings(batch=4))
    with ThreadPoolExecutor(12) as pool:
        texts = list(
            pool.map(
                lambda i: live.post("/v1/completions", prompt="第", seed=i % 4, max_tokens=16).json()["choices"][0]["text"],
                range(12),
            )
        )
    assert len(set(texts)) == 4
    assert texts[:4] == texts[4:8] == texts[8:]


def test_an_engine_that_breaks_tells_the_client_no_secrets(make_live: Make) -> None:
    engine = FakeEngine(breaks=RuntimeError("prompt was: 第"))
    live = make_live(engine)
    response = live.post("/v1/completions", prompt="第")
    assert response.status_code == 500
    assert "prompt was" not in response.text
    engine.breaks = None
    assert live.post("/v1/completions", prompt="第").status_code == 200
