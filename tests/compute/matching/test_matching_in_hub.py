"""The matcher in a hub: Jobs of a real store are placed on sites that joined, and the reasons are kept."""

from __future__ import annotations

from agents import CAPACITY, World, with_devices

from touyan.core.job import Accelerator, Need


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
