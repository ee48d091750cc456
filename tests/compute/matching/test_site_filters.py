"""Each filter, by its reason; and what is offered in place of what no site has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matching_world import GIB, job, site, throughput

from touyan.compute.matching.candidate import HERE, Candidate
from touyan.compute.matching.match import match
from touyan.compute.matching.policy import Policy, Preferences
from touyan.compute.matching.reasons import alternatives, reasons
from touyan.compute.matching.request import Data, Request, Voucher
from touyan.compute.rates.table import published
from touyan.compute.resources import Capacity, NodeClass, Offer, Pool
from touyan.core.job import Need

SECRET = Data("c" * 64, 0, security="important")
CASES: dict[str, tuple[Request, Candidate, str]] = {
    "closed": (job(), site(closed="it is drained: new cooling"), "it is drained: new cooling"),
    "project": (job(project="p"), site(projects=frozenset({"q"})), "it does not work for the project p"),
    "party": (job(party="ann"), site(offer=Offer(parties=("bob", "eve"))), "its owner lends to bob or eve, not to ann"),
    "purpose": (job(purpose="train"), site(offer=Offer(purposes=("refine",))), "its owner lends for refine, not for train"),
    "territory": (
        job(data=(Data("a" * 64, 0, frozenset({"CN"})),)), site(zone="SG"), "it stands in SG; the rights of aaaaaaaaaaaa permit use in CN"
    ),
    "egress": (
        job(data=(Data("b" * 64, 0, stays=frozenset({"CN-SH"})),)), site(zone="CN-BJ"),
        "bbbbbbbbbbbb may not leave CN-SH, and CN-BJ is outside",
    ),
    "security": (job(data=(SECRET,)), site(trust="general"), "it is trusted with general data, and cccccccccccc is important"),
    "voucher": (job(), site(offer=Offer(needs_voucher=True)), "it runs Jobs with a voucher only"),
    "accelerator": (job(), site(model="ascend-910b"), "it has ascend-910b, and a800-80g is asked for"),
    "devices": (job(count=16), site(), "a node has 8 of them, 16 are asked for"),
    "gang": (job(gang=9), site(nodes=4), "it has 4 such nodes, 9 are asked for at once"),
    "memory": (replace(job(), need=replace(job().need, memory_bytes=1 << 40)), site(), "a node has 512 GiB, 1024 GiB is asked for"),
    "cpus": (replace(job(), need=replace(job().need, cpus=65)), site(), "a node has 64 CPUs, 65 are asked for"),
    "limit": (job(), site(limit_s=60), "it runs Jobs of 60 s at most, 86400 s are asked for"),
    "kind": (replace(job(), need=Need("hpc")), site(kinds=("ai",)), "it takes no hpc Jobs"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_site_is_rejected_by_the_filter_that_says_why(name: str) -> None:
    request, where, words = CASES[name]
    decision = match([request], [where], Policy(), throughput()).decisions[0]
    assert decision.chosen is None
    assert reasons(decision, [where])["hpc1"].startswith(f"rejected ({name}): {words}")


def test_a_region_lies_in_its_country_and_the_stores_own_machine_where_its_data_lie() -> None:
    request = job(data=(Data("a" * 64, 0, frozenset({"CN"}), frozenset({"CN"}), "important"),))
    offered = [site("hpc1", zone="CN-SH", trust="important"), site("local", zone=HERE)]
    decision = match([request], offered, Policy(), throughput()).decisions[0]
    assert decision.refusals == {}


def test_an_expired_or_wrong_voucher_opens_nothing() -> None:
    where = site(offer=Offer(needs_voucher=True))
    grants = [Voucher("v", 1e9, is_valid=False), Voucher("v", 1e9, purposes=frozenset({"refine"})), Voucher("v", 1.0)]
    said = [
        reasons(match([job(purpose="train", voucher=g)], [where], Policy(), throughput()).decisions[0], [where]) for g in grants
    ]
    assert [w["hpc1"].partition(":")[0] for w in said] == ["rejected (voucher)", "rejected (voucher)", "full"]


def test_what_no_site_has_is_answered_with_what_would_fit() -> None:
    offered = [site("a", "ascend-910b", devices=4), site("b", nodes=2)]
    asked = job(count=8, gang=4)
    said = alternatives(asked, offered, Policy(), published())
    assert said == ["ask for 2 nodes at once (b)", "ask for 4 x ascend-910b (a)"]


def test_what_only_a_rule_keeps_out_is_answered_with_the_rule() -> None:
    said = alternatives(job(party="ann"), [site(offer=Offer(parties=("bob",)))], Policy(), published())
    assert said == ["hpc1 has the machines, but its owner lends to bob, not to ann"]


def test_the_cheapest_site_wins_and_preferences_turn_it() -> None:
    dear, cheap = (
        site("dear", offer=Offer({"a800-80g": 9.0}, tags=("subsidised",))),
        site("cheap", offer=Offer({"a800-80g": 3.0})),
    )

    def winner(policy: Policy, request: Request | None = None) -> str:
        chosen = match([request or job()], [dear, cheap], policy, throughput()).decisions[0].chosen
        return chosen.site if chosen else ""

    assert winner(Policy()) == "cheap"
    assert winner(Policy(prefer=Preferences(tags={"subsidised": 0.9}))) == "dear"
    assert winner(Policy(), job(failed_at=("cheap",))) == "dear"


def test_bytes_that_lie_at_a_site_and_domestic_accelerators_count() -> None:
    here, there = site("here", "ascend-910b"), site("there")
    request = job(models=("a800-80g", "ascend-910b"), data=(Data("a" * 64, 50 * GIB, held_at=frozenset({"there"})),))
    by_bytes = match([request], [here, there], Policy(), throughput()).decisions[0].chosen
    assert by_bytes is not None
    assert by_bytes.site == "there"
    policy = Policy(prefer=Preferences(domestic=0.95))
    by_maker = match([request], [here, there], policy, throughput()).decisions[0].chosen
    assert by_maker is not None
    assert by_maker.site == "here"


def test_a_job_without_accelerators_takes_cpus() -> None:
    kind = NodeClass("node", 1, 8, 64 * GIB, free_cpus=8)
    where = Candidate("cpu", Capacity((Pool("main", (kind,)),)))
    asked = [Request(f"j{n}", Need(cpus=4, memory_bytes=GIB)) for n in range(3)]
    done = match(asked, [where], Policy(queue_depth=0), throughput())
    assert sum(d.chosen is not None for d in done.decisions) == 2


def test_a_site_gets_no_more_jobs_than_its_agent_takes_whatever_they_need() -> None:
    asked = [Request(f"c{n}", Need(cpus=1, memory_bytes=GIB)) for n in range(3)] + [job(f"g{n}") for n in range(3)]
    done = match(asked, [site(room=2)], Policy(), throughput())
    assert sum(d.chosen is not None for d in done.decisions) == 2
