"""Shares in a hub: who lent devices has them back, at its own site, whoever borrowed them."""

from __future__ import annotations

import json

import pytest
from agents import World, with_devices

from touyan.compute.hub import placing
from touyan.core.job import Accelerator, JobSpec, Need
from touyan.store.site_records import Placement

NEED = Need("ai", accelerators=(Accelerator("a800-80g", 4),))


def share(world: World, **owners: int) -> None:
    value = {"reclaim_s": 0, "owners": {name: {"nominal": devices} for name, devices in owners.items()}}
    (world.store.home / "shares.json").write_text(json.dumps(value))


def submit_as(world: World, party: str, text: str, need: Need = NEED) -> str:
    actor = world.store.parties.actor(party)
    spec = JobSpec(
        actor.project, f"step/{text}", "step", "1", {"text": text}, (), "report", "refine", "python", need, actor.party
    )
    return world.store.jobs.submit(actor, spec)


def placed(world: World, *jobs: str) -> list[Placement]:
    world.hub.placing.round()
    found = world.store.placements.of(jobs)
    return [found[job] for job in jobs]


def enrol(world: World, *names: str) -> None:
    for name in names:
        world.store.parties.enrol(world.store.me(), name, "person", ["engineer"])


def test_a_guest_borrows_what_is_lent_and_gives_it_back_when_its_owner_comes(matched: World) -> None:
    enrol(matched, "lab", "guest")
    agent = matched.join("hpc", with_devices("a800-80g", 4))  # two nodes of four
    agent.sync(want=8)
    share(matched, lab=8)
    guests = [submit_as(matched, "guest", f"g{n}") for n in range(2)]
    assert [p.site for p in placed(matched, *guests)] == ["hpc", "hpc"]
    held = agent.claim(2)
    own = submit_as(matched, "lab", "own")
    agent.sync(want=8, held=[{"attempt": c["attempt"], "token": c["token"], "state": "running"} for c in held])
    assert placed(matched, own)[0].site == "hpc"
    states = sorted(matched.store.jobs.get(job).state for job in guests)
    assert states == ["placed", "waiting"]
    lost = [
        w["word"]
        for w in agent.sync(held=[{"attempt": c["attempt"], "token": c["token"], "state": "running"} for c in held])["words"]
    ]
    assert sorted(lost) == ["keep", "lost"]


def test_whoever_waits_for_its_turn_is_told_so(matched: World) -> None:
    enrol(matched, "lab", "guest")
    matched.join("hpc", with_devices("a800-80g", 4)).sync(want=8)
    share(matched, lab=8)
    own = [submit_as(matched, "lab", f"l{n}") for n in range(2)]
    guest = submit_as(matched, "guest", "g")
    *mine, late = placed(matched, *own, guest)
    assert [p.site for p in mine] == ["hpc", "hpc"]
    assert late.site == ""
    assert late.reasons[""].startswith("its turn has not come: ")


def test_a_gang_beyond_its_share_is_refused_by_name(matched: World) -> None:
    enrol(matched, "lab")
    matched.join("hpc", with_devices("a800-80g", 4)).sync(want=8)
    share(matched, lab=2)
    (said,) = placed(matched, submit_as(matched, "lab", "big"))
    assert "asks for 4 devices at once and owns 2" in said.reasons[""]


def test_without_a_shares_file_who_comes_first_is_served_first(matched: World) -> None:
    enrol(matched, "lab", "guest")
    matched.join("hpc", with_devices("a800-80g", 4)).sync(want=8)
    jobs = [submit_as(matched, name, f"{name}{n}") for n in range(2) for name in ("guest", "lab")]
    assert [p.site for p in placed(matched, *jobs)].count("hpc") == 4


def test_an_owner_is_seen_behind_the_thousand_jobs_of_a_guest(matched: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "AT_ONCE", 4)
    enrol(matched, "lab", "guest")
    agent = matched.join("hpc", with_devices("a800-80g", 4))
    agent.sync(want=8)
    share(matched, lab=8)
    guests = [submit_as(matched, "guest", f"g{n}") for n in range(12)]
    assert sum(bool(p.site) for p in placed(matched, *guests[:4])) == 2
    own = submit_as(matched, "lab", "own")
    assert placed(matched, own)[0].site == ""  # a guest is called back first
    assert placed(matched, own)[0].site == "hpc"


def test_a_site_that_is_drained_calls_nobody_back(matched: World) -> None:
    enrol(matched, "lab", "guest")
    agent = matched.join("hpc", with_devices("a800-80g", 4))
    matched.join("other", with_devices("a800-80g", 4)).sync(want=0)
    agent.sync(want=8)
    share(matched, lab=8)
    guest = submit_as(matched, "guest", "g")
    assert placed(matched, guest)[0].site == "hpc"
    (held,) = agent.claim(1)
    matched.store.sites.move(matched.store.me(), "hpc", "drain", "new cooling")
    submit_as(matched, "lab", "own")
    matched.hub.placing.round()
    assert (
        agent.sync(held=[{"attempt": held["attempt"], "token": held["token"], "state": "running"}])["words"][0]["word"] == "keep"
    )
