"""Rounds: what is handed out, kept, counted, and that saying it again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agents import AgentByHand, World, manifest_for, result, with_devices

from touyan.compute.hub.upkeep import turn
from touyan.core.canonical import sha256_hex
from touyan.core.job import Accelerator, Need
from touyan.core.rights import Rights
from touyan.core.seam import FixedSeam


def held(claim: dict[str, Any], state: str = "running", done: int = 0) -> dict[str, Any]:
    progress = {"done": done, "total": 9, "unit": "docs"}
    return {"attempt": claim["attempt"], "token": claim["token"], "state": state, "progress": progress}


def word(site: AgentByHand, claim: dict[str, Any], state: str = "running") -> str:
    return str(site.sync(held=[held(claim, state)])["words"][0]["word"])


def test_a_job_goes_to_a_site_and_its_result_comes_back(world: World, add_source: Callable[..., str]) -> None:
    source = add_source(world.store, {"a.txt": b"words"})
    site = world.join()
    job = world.submit(inputs=(source,))
    (claim,) = site.claim()
    assert site.fetch(claim, sha256_hex(b"words")).content == b"words"
    assert word(site, claim) == "keep"
    answer = site.finish(claim, {"out.txt": b"made", "empty.txt": b""})
    assert answer["accepted"], answer
    found = world.store.jobs.get(job)
    assert (found.state, found.asset, found.site) == ("done", answer["asset"], "hpc1")


def test_a_claim_whose_answer_was_lost_is_handed_out_again_the_same(world: World) -> None:
    site = world.join()
    world.submit()
    (first,) = site.claim()
    (again,) = site.claim()
    assert {k: first[k] for k in ("attempt", "token", "spec")} == {k: again[k] for k in ("attempt", "token", "spec")}
    assert site.sync(want=1, held=[held(first, "claimed")])["claims"] == []


def test_a_result_counts_once_however_often_it_is_sent(world: World) -> None:
    site = world.join()
    job = world.submit()
    (claim,) = site.claim()
    first = site.finish(claim, {"out.txt": b"made"})
    world.restart()
    assert site.end(claim, result=result(claim, {"out.txt": b"made"})) == first
    other = site.end(claim, result=result(claim, {"out.txt": b"other"}))
    assert (other["accepted"], other["error"]["code"]) == (False, "stale-token")
    assert len(world.store.jobs.attempts(job)) == 1


def test_an_error_is_told_once_and_the_job_waits_for_another_try(world: World, seam: FixedSeam) -> None:
    site = world.join()
    job = world.submit()
    (claim,) = site.claim()
    error = {"family": "Broken", "code": "killed", "message": "ended by a signal", "hint": "run again"}
    for _ in range(2):
        assert site.end(claim, error=error, may_retry=True)["accepted"]
    assert world.store.jobs.get(job).state == "waiting"
    seam.move(2)
    (second,) = site.claim()
    assert (second["number"], second["earlier"]) == (2, [claim["attempt"]])


def test_what_is_given_back_costs_no_try_and_its_checkpoint_travels_to_another_site(world: World) -> None:
    one = world.join()
    job = world.submit()
    (claim,) = one.claim()
    word(one, claim)
    checkpoint = {"manifest": manifest_for(claim, {"w.bin": b"weights"}, "checkpoint").to_json(), "position": 40}
    asked = one.end(claim, released="the site was closed", checkpoint=checkpoint)
    assert one.put(asked["capability"], sha256_hex(b"weights"), b"weights").status_code == 200
    assert one.end(claim, released="the site was closed", checkpoint=checkpoint)["accepted"]
    world.store.sites.move(world.store.me(), "hpc1", "drain", "cooling")
    two = world.join("hpc2")
    (second,) = two.claim()
    assert (world.store.jobs.get(job).tries, second["checkpoint"]) == (1, checkpoint)
    assert two.fetch(second, sha256_hex(b"weights")).content == b"weights"


def test_silence_is_unreachable_then_lost_and_who_returns_late_is_told(world: World, seam: FixedSeam) -> None:
    site = world.join()
    job = world.submit()
    (claim,) = site.claim()
    word(site, claim)
    seam.move(61)
    turn(world.hub)
    assert world.store.jobs.attempts(job)[0].state == "unreachable"
    assert word(site, claim) == "keep"
    assert world.store.jobs.attempts(job)[0].state == "running"
    for _ in range(2):
        seam.move(61)
        turn(world.hub)
    assert world.store.jobs.attempts(job)[0].state == "lost"
    assert word(site, claim) == "lost"
    late = site.end(claim, result=result(claim, {"out.txt": b"late"}))
    assert (late["accepted"], late["error"]["code"]) == (False, "stale-token")
    assert "stale-token" in world.events("access.refused")


def test_a_job_called_off_is_cancelled_where_it_runs(world: World) -> None:
    site = world.join()
    job = world.submit()
    (claim,) = site.claim()
    word(site, claim)
    world.store.jobs.cancel(world.store.me(), job, "not needed")
    assert word(site, claim) == "cancel"
    assert not site.end(claim, result=result(claim, {}))["accepted"]


def test_progress_is_seen_and_prolongs_the_lease(world: World, seam: FixedSeam) -> None:
    site = world.join()
    job = world.submit()
    (claim,) = site.claim()
    for done in range(5):
        seam.move(50)
        assert site.sync(held=[held(claim, done=done)])["words"] == [{"attempt": claim["attempt"], "word": "keep"}]
        turn(world.hub)
    attempt = world.store.jobs.attempts(job)[0]
    assert (attempt.state, attempt.progress["done"]) == ("running", 4)


def test_a_source_without_rights_is_not_handed_out(world: World, add_source: Callable[..., str], cleared: Rights) -> None:
    source = add_source(world.store, {"a.txt": b"words"}, rights=None)
    site = world.join()
    job = world.submit(inputs=(source,))
    assert site.claim() == []
    found = world.store.jobs.get(job)
    assert found.state == "failed"
    assert found.error is not None
    assert found.error.code.startswith("rights-")


def test_two_agents_of_one_site_are_told_apart(world: World) -> None:
    site = world.join()
    site.sync()
    site.boot = "1" * 16
    site.sync()
    site.boot = "0" * 16
    answer = site.ask()
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "another-agent")


def test_a_job_goes_where_its_accelerator_is_and_says_why(world: World) -> None:
    world.join("cpu").sync(want=1)
    ascend = world.join("npu", with_devices("ascend-910b", 8))
    alternatives = (Accelerator("a800-80g", 8, "cuda"), Accelerator("ascend-910b", 8, "npu"))
    job = world.submit(need=Need("ai", accelerators=alternatives))
    (claim,) = ascend.claim()
    assert claim["accelerator"] == {"model": "ascend-910b", "count": 8, "entrypoint": "npu"}
    reasons = world.store.placements.of([job])[job].reasons
    assert "ascend-910b" in reasons["cpu"]
    assert set(reasons) == {"cpu", "npu", "local"}


@pytest.mark.parametrize("close", ["drain", "window", "silence"])
def test_a_site_that_takes_nothing_now_is_offered_nothing(world: World, seam: FixedSeam, close: str) -> None:
    me, site = world.store.me(), world.join()
    world.store.placements.set_local(False)
    site.sync(want=1)
    if close == "drain":
        world.store.sites.move(me, "hpc1", "drain", "cooling")
    elif close == "window":
        world.store.sites.close_between(me, "hpc1", "2025-10-01", "2025-10-30", "cooling")
    else:
        seam.move(200)
    job = world.submit()
    turn(world.hub)
    assert world.store.jobs.get(job).site == ""
    words = {"drain": "cooling", "window": "maintenance", "silence": "spoken"}[close]
    assert words in world.store.placements.of([job])[job].reasons["hpc1"]


def test_a_job_its_site_does_not_take_is_placed_again(world: World, seam: FixedSeam) -> None:
    one = world.join("hpc1")
    world.store.placements.set_local(False)
    one.sync(want=1)
    job = world.submit()
    turn(world.hub)
    assert world.store.jobs.get(job).site == "hpc1"
    two = world.join("hpc2")
    seam.move(121)
    (claim,) = two.claim() or two.claim()
    assert claim["job"] == job


def test_wiped_staging_becomes_one_event(world: World) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    site.finish(claim, {"out.txt": b"made"})
    receipt = {"attempt": claim["attempt"], "files": 3, "bytes": 100, "sha256": "a" * 64}
    for _ in range(2):
        site.sync(wiped=[receipt])
    assert len(world.events("staging.wiped")) == 1
