"""What a site does with the Attempts it is given: from claim to receipt."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import time
from pathlib import Path

from site_world import LEASE_S, World

from touyan.compute.driver import Exit
from touyan.compute.folder import AttemptFolder, read_json
from touyan.compute.site.hub_calls import no_answer
from touyan.compute.site.policy import Largest, Opening
from touyan.core.errors import Broken, Refused


def folder_of(world: World, attempt: str) -> AttemptFolder:
    return AttemptFolder(world.engine.payloads[attempt].order.root)


def test_a_job_is_staged_run_uploaded_and_wiped_with_a_receipt(world: World) -> None:
    world.hub.add("j", {"a.txt": b"one two three", "b/c.txt": b""})
    attempt = world.run_job("j")
    assert world.engine.seen_inputs[attempt] == {"source/0/a.txt": b"one two three", "source/0/b/c.txt": b""}
    folder = folder_of(world, attempt)
    assert read_json(folder.file("inputs"))["inputs"] == [
        {
            "asset": world.hub.specs["j"].inputs[0].asset,
            "kind": "source",
            "name": "source/0",
            "path": "in/source/0",
            "role": "source",
        }
    ]
    world.engine.finish(attempt)
    world.until(lambda: attempt in world.hub.receipts)
    assert world.hub.jobs["j"] == "done"
    assert world.left() == []
    assert world.hub.receipts[attempt]["files"] >= 8
    assert world.hub.usage[attempt, 1]["model"] == "cpu-core"


def test_a_payload_gets_the_pseudonym_key_only_where_it_refines(world: World) -> None:
    world.hub.add("r")
    world.hub.add("t", purpose="train")
    refines, trains = world.run_job("r"), world.run_job("t")
    orders = {a: world.engine.payloads[a].order for a in (refines, trains)}
    assert orders[refines].environment["TOUYAN_PSEUDONYM_KEY"] == "ab" * 32
    assert "TOUYAN_PSEUDONYM_KEY" not in orders[trains].environment
    assert {o.account for o in orders.values()} == {"ann"}


def test_a_cancelled_job_is_stopped_and_wiped(world: World) -> None:
    world.hub.add("j")
    attempt = world.run_job("j")
    world.hub.cancel("j")
    world.until(lambda: attempt in world.hub.receipts)
    assert world.engine.payloads[attempt].exit == Exit("stopped", 0, "was told to stop")
    assert (world.left(), world.hub.errors) == ([], {})


def test_a_step_that_failed_is_told_with_its_own_error(world: World) -> None:
    world.hub.add("j")
    attempt = world.run_job("j")
    record = {"family": "Invalid", "code": "too-short", "message": "it is \ud800 too short", "hint": "write more"}
    folder_of(world, attempt).file("error").write_text(json.dumps(record))
    world.engine.end(attempt, Exit("exit", 1, "ended with status 1"))
    world.until(lambda: attempt in world.hub.errors)
    assert world.hub.errors[attempt] == record | {"message": "it is ? too short"}
    assert world.hub.jobs["j"] == "failed"


def test_what_a_payload_writes_over_its_telemetry_fails_it_alone(world: World) -> None:
    world.hub.add("j")
    world.hub.add("k")
    bad, good = world.run_job("j"), world.run_job("k")
    world.engine.finish(bad)
    folder_of(world, bad).file("done").write_text('{"counts": {"n": 1.5}}')
    folder_of(world, good).file("progress").write_text('{"done": NaN, "total": 1, "unit": "x"}')
    world.engine.finish(good)
    world.until(lambda: world.hub.jobs["k"] == "done" and bad in world.hub.errors)
    assert world.hub.errors[bad]["code"] == "damaged-attempt"


def test_a_link_in_the_output_is_not_followed(world: World, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of somebody else")
    world.hub.add("j")
    attempt = world.run_job("j")
    (folder_of(world, attempt).out / "mine").symlink_to(tmp_path / "secret")
    world.engine.finish(attempt)
    world.until(lambda: attempt in world.hub.errors)
    assert world.hub.errors[attempt]["code"] == "link-in-output"
    assert b"of somebody else" not in world.hub.objects.values()


def test_a_fenced_payload_is_told_with_its_checkpoint_which_continues_elsewhere(world: World, tmp_path: Path) -> None:
    world.hub.add("j", {"a": b"x"})
    attempt = world.run_job("j")
    for _ in range(3):
        world.engine.checkpoint(attempt)
    world.engine.end(attempt, Exit("fenced", 0, "was ended because its agent fell silent"))
    world.until(lambda: "j" in world.hub.checkpoints)
    assert world.hub.errors[attempt]["code"] == "fenced"
    other = World(tmp_path / "other")
    other.hub, other.seam, other.policy = world.hub, world.seam, world.policy
    other.engine.seam = world.seam
    other.restart()
    second = other.run_job("j")
    assert other.engine.from_checkpoint[second] == 3
    other.engine.finish(second)
    other.until(lambda: world.hub.jobs["j"] == "done")
    assert other.left() == []


def test_the_next_attempt_at_the_same_site_finds_shards_and_checkpoint(world: World) -> None:
    world.hub.add("j")
    first = world.run_job("j")
    world.engine.checkpoint(first)
    world.engine.end(first, Exit("signal", 9, "was ended by SIGKILL"))
    second = world.run_job("j")
    assert second != first
    assert world.engine.from_checkpoint[second] == 1
    world.engine.finish(second)
    world.until(lambda: {first, second} <= world.hub.receipts.keys())
    assert world.left() == []


def test_a_payload_that_stopped_with_its_agent_is_given_back(world: World) -> None:
    world.hub.add("j")
    attempt = world.run_job("j")
    world.engine.end(attempt, Exit("stopped", 0, "was told to stop"))
    world.until(lambda: attempt in world.hub.errors)
    assert world.hub.errors[attempt] == "the site's agent ended while it ran"
    assert world.run_job("j") == "j-2"


def test_an_agent_that_ends_with_its_payloads_gives_them_back(world: World) -> None:
    world.hub.add("j")
    attempt = world.run_job("j")
    world.engine.checkpoint(attempt)
    world.hub.add("k")
    world.rounds.give_back()
    assert world.hub.errors == {attempt: "the site was closed"}
    assert (world.engine.running(), world.hub.checkpoints["j"][1], world.hub.jobs["k"]) == ([], 1, "waiting")


def test_what_the_engine_will_not_take_is_told_in_its_own_words(world: World) -> None:
    def refuse(_order: object) -> None:
        raise Refused("no-association", "no account 'ann' in Slurm", "see site.yaml")

    world.hub.add("j")
    world.driver.start = refuse  # type: ignore[method-assign, assignment]
    world.until(lambda: "j-1" in world.hub.errors)
    assert world.hub.errors["j-1"]["code"] == "no-association"


def test_work_that_is_kept_goes_after_its_time(world: World) -> None:
    world.hub.add("j")
    first = world.run_job("j")
    world.engine.checkpoint(first)
    world.engine.end(first, Exit("signal", 9, "was ended by SIGKILL"))
    world.until(lambda: first in world.hub.errors)
    world.hub.cancel("j")
    world.round()
    assert any("checkpoints/1/state" in path for path in world.left())
    world.seam.move(world.policy.keep_h * 3600 + 1)
    world.until(lambda: first in world.hub.receipts)
    assert world.left() == []


def test_a_heartbeat_follows_a_kept_lease_only(world: World) -> None:
    world.hub.add("j")
    attempt = world.run_job("j")
    assert world.engine.payloads[attempt].order.limits.lease_s < LEASE_S
    for _ in range(20):
        world.hub.loses = "request"
        with suppress(Broken):
            world.round()
        world.seam.move(5)
        world.engine.tick()
    assert world.engine.payloads[attempt].exit is not None
    assert world.engine.payloads[attempt].exit.cause == "fenced"


def test_an_answer_that_took_too_long_keeps_no_payload_alive(world: World) -> None:
    world.hub.add("j")
    attempt = world.run_job("j")
    answered = world.hub.sync

    def slow(body: object) -> object:
        answer = answered(body)  # type: ignore[arg-type]
        world.seam.move(LEASE_S / 2)
        return answer

    world.hub.sync = slow  # type: ignore[method-assign, assignment]
    world.round()
    world.round()
    assert world.engine.payloads[attempt].exit is not None


def test_lost_calls_change_nothing(world: World) -> None:
    world.hub.add("j", {"a": b"x" * 30})
    for n in range(200):
        world.hub.loses = ("request", "answer", "")[n % 3]
        with suppress(Broken):
            world.round()
        for running in world.engine.running():
            world.engine.finish(running)
        world.seam.move(1)
    assert world.hub.jobs["j"] == "done"
    assert world.left() == []


def test_an_object_is_fetched_once_for_two_jobs_and_the_cache_keeps_its_limit(tmp_path: Path) -> None:
    world = World(tmp_path / "site", cache_gib=40 / (1 << 30))
    world.hub.add("j", {"a": b"x" * 30})
    world.engine.finish(world.run_job("j"))
    world.until(lambda: world.hub.jobs["j"] == "done")
    world.hub.add("k", {"b": b"x" * 30})
    world.hub.get = lambda *_: (_ for _ in ()).throw(AssertionError("fetched again"))  # type: ignore[method-assign, assignment]
    world.run_job("k")
    del world.hub.get  # type: ignore[method-assign]
    world.hub.add("l", {"c": b"y" * 30})
    world.run_job("l")
    world.round()
    cached = [p for p in world.home.cache.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in cached) <= 40


def test_a_capability_that_has_expired_costs_a_round_and_no_result(world: World) -> None:
    def expired(*_: object) -> int:
        raise Refused("expired", "the capability has expired", "ask again")

    world.hub.add("j")
    attempt = world.run_job("j")
    world.engine.finish(attempt)
    world.hub.put = expired  # type: ignore[method-assign, assignment]
    for _ in range(3):
        world.round()
    assert (world.hub.jobs["j"], world.hub.errors) == ("placed", {})
    del world.hub.put  # type: ignore[method-assign]
    world.until(lambda: world.hub.jobs["j"] == "done")


def test_a_draft_that_nobody_waits_for_is_dropped(world: World) -> None:
    world.hub.add("j", {"a": b"x" * 300})
    fetch, calls = world.hub.get, iter(range(3))
    world.hub.get = lambda *words: fetch(*words) if next(calls, None) is not None else _silent()  # type: ignore[method-assign]
    with suppress(Broken):
        world.round()
    drafts = world.home.cache / "drafts"
    assert [p.stat().st_size for p in drafts.iterdir()] == [12]
    del world.hub.get  # type: ignore[method-assign]
    world.hub.cancel("j")
    world.round()
    assert list(drafts.iterdir()) == []


def _silent() -> bytes:
    raise no_answer("it is silent")


def test_a_closed_site_asks_for_nothing_and_gives_back_what_runs_where_its_owner_says_so(tmp_path: Path) -> None:
    never = Opening(frozenset(("mon",)), time(0, 0), time(0, 1))
    world = World(tmp_path / "site")
    world.hub.add("j")
    attempt = world.run_job("j")
    world.engine.checkpoint(attempt)
    world.policy = world.organisation.policy(openings=(never,), when_closed="stop")
    world.restart()
    world.hub.add("k")
    world.until(lambda: attempt in world.hub.errors)
    assert world.hub.errors[attempt] == "the site was closed"
    assert (world.hub.checkpoints["j"][1], world.hub.jobs["k"]) == (1, "waiting")


def test_a_job_beyond_the_owners_limits_is_refused_and_nothing_is_staged(tmp_path: Path) -> None:
    world = World(tmp_path / "site", largest=Largest(limit_h=1))
    world.hub.add("j")
    world.round()
    world.round()
    assert world.hub.errors["j-1"]["code"] == "too-large"
    assert world.engine.payloads == {}
    assert not list((world.home.root / "parties").iterdir())
