"""A site that asks for more than its due: log, memory, disk and money of the hub stay within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from agents import CAPACITY, World, result

from touyan.compute.hub.hub import MOST_TOLD
from touyan.compute.hub.wire import MOST_OF_STRANGERS
from touyan.compute.ledger.book import everything
from touyan.compute.ledger.charge import Facts, read_facts
from touyan.compute.ledger.settle import MOST_CORES
from touyan.core.canonical import sha256_hex
from touyan.core.seam import FixedSeam

DEAR = CAPACITY | {"offer": {"yuan_per_cpu_hour": 1000}}


def charged(world: World) -> Facts:
    with world.store.database.read() as connection:
        (facts,) = [read_facts(x.facts) for x in everything(connection) if x.kind == "settle"]
    return facts


def test_invented_attempts_fill_no_log(world: World, seam: FixedSeam) -> None:
    site = world.join()
    for turn in range(2):
        site.sync(ended=[{"attempt": f"{turn}a-{n}", "token": 1, "released": "x"} for n in range(MOST_TOLD)])
    assert len(world.events("access.refused")) == MOST_TOLD
    seam.move(3600)
    site.sync(ended=[{"attempt": "b-1", "token": 1, "released": "x"}])
    assert len(world.events("access.refused")) == MOST_TOLD + 1


def test_a_receipt_that_changes_is_told_once(world: World) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    for n in range(3):
        site.sync(wiped=[{"attempt": claim["attempt"], "files": n, "bytes": 0, "sha256": f"{n}" * 64}])
    assert len(world.events("staging.wiped")) == 1


def test_a_price_that_was_raised_after_the_claim_does_not_count(world: World) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    site.finish(claim, {"out.txt": b"made"})
    used = {"attempt": claim["attempt"], "token": claim["token"], "elapsed_s": 1.0, "devices": 8, "model": "cpu-core"}
    site.sync(capacity=DEAR, usage=[used])
    assert charged(world).fen == 0


def test_a_job_that_names_no_cpus_is_charged_for_no_more_than_a_node_has(world: World) -> None:
    site = world.join(capacity=DEAR)
    world.submit()
    (claim,) = site.claim()
    site.finish(claim, {"out.txt": b"made"})
    used = {"attempt": claim["attempt"], "token": claim["token"], "elapsed_s": 1.0, "devices": 2**53 - 1, "model": "cpu-core"}
    site.sync(usage=[used])
    assert charged(world).cores == MOST_CORES


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_progress_is_a_number(world: World, number: str) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    held = json.dumps({"attempt": claim["attempt"], "token": claim["token"], "state": "running", "progress": {"done": 0}})
    body = f'{{"sync": 1, "boot": "{site.boot}", "want": 0, "held": [{held}]}}'.replace('"done": 0', f'"done": {number}')
    assert world.call("POST", "/v1/sync", site.secret, content=body).json()["error"]["code"] == "bad-request"


def test_of_a_stranger_little_is_read(world: World) -> None:
    answer = world.call("POST", "/v1/sync", "ts-" + "0" * 64, content=b" " * (MOST_OF_STRANGERS + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "wrong-secret")


def test_a_digest_alone_tells_nothing_of_what_the_project_holds(world: World, add_source: Callable[..., str]) -> None:
    given, _ = add_source(world.store, {"a": b"given"}), add_source(world.store, {"b": b"hidden"}, provider="acme/other")
    site = world.join()
    world.submit(inputs=(given,))
    (claim,) = site.claim()
    asked = site.end(claim, result=result(claim, {"a": b"given", "b": b"hidden"}))
    assert [m["sha256"] for m in asked["missing"]] == [sha256_hex(b"hidden")]


def test_one_digest_has_one_size(world: World) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    said = result(claim, {"a": b"x", "b": b"x"})
    said["manifest"]["files"][0]["size_bytes"] = 7
    assert site.end(claim, result=said)["error"]["code"] == "bad-manifest"


def test_an_upload_stops_where_another_took_the_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    site, data = world.join(), b"bytes"
    world.submit()
    (claim,) = site.claim()
    asked = site.end(claim, result=result(claim, {"out.txt": data}))
    monkeypatch.setattr("touyan.compute.hub.uploads.RESERVE_BYTES", 1 << 62)
    answer = site.put(asked["capability"], sha256_hex(data), data)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "disk-full")
