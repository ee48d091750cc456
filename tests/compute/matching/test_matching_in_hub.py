"""The matcher in a hub: Jobs of a real store are placed on sites that joined, and the reasons are kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from agents import CAPACITY, World, with_devices

from touyan.core.job import Accelerator, Need
from touyan.core.rights import Rights


def reasons(world: World, job: str) -> dict[str, str]:
    return dict(world.store.placements.of([job])[job].reasons)


def test_a_job_goes_where_its_accelerator_is_and_every_site_has_a_reason(matched: World) -> None:
    matched.join("cpu", CAPACITY).sync(want=4)
    matched.join("gpu", with_devices("a800-80g", 4)).sync(want=4)
    matched.join("npu", with_devices("ascend-910b", 4)).sync(want=4)
    need = Need("ai", accelerators=(Accelerator("ascend910b", 8), Accelerator("a800", 2)))
    job = matched.submit(need=need)
    matched.hub.placing.round()
    placed = matched.store.placements.of([job])[job]
    assert (placed.site, placed.accelerator) == ("gpu", need.accelerators[1])
    said = reasons(matched, job)
    assert set(said) == {"cpu", "gpu", "local", "npu"}
    assert said["gpu"].startswith("chosen: ")
    assert said["npu"] == "rejected (devices): a node has 4 of them, 8 are asked for"
    assert said["cpu"].startswith("rejected (accelerator): it has no accelerators")


def test_a_policy_is_read_when_it_changes_and_a_mistake_in_it_stops_no_hub(
    matched: World, caplog: pytest.LogCaptureFixture
) -> None:
    offer = {"yuan_per_device_hour": {"a800-80g": 9.0}, "tags": ["subsidised"]}
    matched.join("dear", with_devices("a800-80g", 8) | {"offer": offer}).sync(want=9)
    matched.join("free", with_devices("a800-80g", 8)).sync(want=9)
    need = Need("ai", accelerators=(Accelerator("a800-80g", 1),))
    path = matched.store.home / "policy.yaml"

    def winner(text: str, content: str) -> str:
        path.write_text(content)
        os.utime(path, ns=(0, int(text) * 10**9))
        job = matched.submit(text, need)
        matched.hub.placing.round()
        return matched.store.placements.of([job])[job].site

    assert winner("1", "policy: 1") == "free"
    assert winner("2", "policy: 1\nprefer: {tags: {subsidised: 0.9}}") == "dear"
    assert winner("3", "policy: 1\nprefer: {tagz: {}}") == "dear"
    assert "policy.yaml:2: prefer.tagz: there is no preference 'tagz'" in caplog.text


def test_data_that_may_not_leave_keep_their_job_where_they_are(
    matched: World, add_source: Callable[..., str], cleared: Rights
) -> None:
    rights = replace(cleared, territory=("CN",), duties=("stays-in:CN-SH",), security="general")
    bound = add_source(matched.store, {"a.txt": b"x"}, rights=rights)
    matched.join("abroad", CAPACITY, zone="SG", trust="general").sync(want=4)
    matched.join("north", CAPACITY, zone="CN-BJ", trust="general").sync(want=4)
    matched.join("plain", CAPACITY, zone="CN-SH").sync(want=4)
    matched.join("near", CAPACITY, zone="CN-SH", trust="general").sync(want=4)
    matched.store.placements.set_local(False)
    job = matched.submit(inputs=(bound,))
    matched.hub.placing.round()
    said = reasons(matched, job)
    assert {site: words.split(":")[0] for site, words in said.items()} == {
        "abroad": "rejected (territory)", "north": "rejected (egress)", "plain": "rejected (security)", "near": "chosen",
    }  # fmt: skip


def test_a_job_that_no_site_can_run_is_told_what_would_fit(matched: World) -> None:
    matched.join("npu", with_devices("ascend-910b", 4)).sync(want=4)
    job = matched.submit(need=Need("ai", accelerators=(Accelerator("a800-80g", 8),)))
    matched.hub.placing.round()
    said = reasons(matched, job)
    assert matched.store.placements.of([job])[job].site == ""
    assert said[""].startswith("ask for 4 x ascend-910b (npu)")


def test_what_a_site_holds_and_has_not_started_is_counted_against_it(matched: World) -> None:
    agent = matched.join("gpu", with_devices("a800-80g", 8))
    agent.sync(want=9)
    jobs = [matched.submit(str(n), Need("ai", accelerators=(Accelerator("a800-80g", 8),))) for n in range(5)]
    matched.hub.placing.round()
    said = [reasons(matched, job)["gpu"] for job in jobs]
    chosen = [words for words in said if words.startswith("chosen: ")]
    assert [sum(wait in words for words in chosen) for wait in ("waits 0 s", "waits 60 min")] == [2, 2]
    assert sum(words.startswith("full: ") for words in said) == 1
    matched.hub.placing.round()
    assert sum(bool(p.site) for p in matched.store.placements.of(jobs).values()) == 4
