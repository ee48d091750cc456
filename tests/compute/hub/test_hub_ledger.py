"""The hub and the ledger: an Attempt at a joined site is charged once, after its end counted."""

from __future__ import annotations

from typing import Any

from agents import CAPACITY, World

from touyan.compute.hub.upkeep import turn
from touyan.compute.ledger.acts import grant_voucher
from touyan.compute.ledger.book import everything
from touyan.compute.ledger.charge import Facts, read_facts
from touyan.compute.ledger.check import check
from touyan.compute.ledger.vouchers import vouchers
from touyan.core.job import Need
from touyan.core.seam import FixedSeam
from touyan.store.jobs import DRIFT_S, GRACE_S, LONGEST_LEASE_S

PRICED = CAPACITY | {"offer": {"yuan_per_cpu_hour": 0.1}}
STRICT = CAPACITY | {"offer": {"needs_voucher": True}}


def charged(world: World) -> list[tuple[str, Facts]]:
    with world.store.database.read() as connection:
        audit = check(connection)
        assert audit.is_whole, audit.problems
        return [(x.kind, read_facts(x.facts)) for x in everything(connection) if x.kind in ("settle", "refund")]


def free(world: World) -> int:
    with world.store.database.read() as connection:
        return sum(v.free for v in vouchers(connection, "default"))


def held(claim: dict[str, Any]) -> dict[str, Any]:
    return {"attempt": claim["attempt"], "token": claim["token"], "state": "running", "progress": None}


def usage(claim: dict[str, Any], elapsed_s: float) -> list[dict[str, Any]]:
    return [{"attempt": claim["attempt"], "token": claim["token"], "elapsed_s": elapsed_s, "devices": 8, "model": "cpu-core"}]


def move(world: World, seconds: float) -> None:
    assert isinstance(world.store.seam, FixedSeam)
    world.store.seam.move(seconds)


def test_what_a_site_says_is_charged_once_after_the_end_was_accepted(world: World) -> None:
    site = world.join(capacity=PRICED)
    world.submit(need=Need(cpus=8))
    (claim,) = site.claim()
    site.sync(held=[held(claim)])
    move(world, 30)
    site.sync(held=[held(claim)], usage=usage(claim, 30))
    assert charged(world) == []  # it has not ended
    site.finish(claim, {"out.txt": b"made"})
    for _ in range(2):
        site.sync(usage=usage(claim, 29.5))
    ((kind, facts),) = charged(world)
    assert (kind, facts.site, facts.owner, facts.cores, facts.elapsed_ms) == ("settle", "hpc1", world.store.me().party, 8, 29_500)
    assert facts.uyuan_per_core_hour == 100_000


def test_a_lost_attempt_costs_nothing_and_its_voucher_is_free_again(world: World) -> None:
    grant_voucher(world.store, world.store.me(), "ann", "device_ms", 10**9, "2027-06-30")
    site = world.join(capacity=STRICT)
    world.submit(need=Need(cpus=8), tries_limit=1)
    (claim,) = site.claim()
    assert free(world) < 10**9
    site.sync(held=[held(claim)])
    for seconds in (LONGEST_LEASE_S + 1, GRACE_S + DRIFT_S + 1):
        move(world, seconds)
        turn(world.hub, sweeps=True)
    assert free(world) == 10**9
    site.sync(usage=usage(claim, 60))
    assert [(kind, facts.device_ms) for kind, facts in charged(world)] == [("refund", 0)]


def test_a_site_that_wants_a_voucher_gets_no_job_of_a_party_without(world: World) -> None:
    site = world.join(capacity=STRICT)
    job = world.submit(need=Need(cpus=8))
    assert site.claim() == []
    error = world.store.jobs.get(job).error
    assert error is None or error.code == "no-voucher"  # never placed there, or refused when it was to be handed out
