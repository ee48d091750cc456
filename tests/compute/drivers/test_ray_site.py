"""The Ray driver keeps the contract of all drivers, on a real Ray of two nodes."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from contract import DriverContract, World, left_of, log_of
from ray_site import ACCELERATORS, QUEUE_S, ray_site

from touyan.compute.driver import Limits
from touyan.compute.drivers.engine import EngineDriver
from touyan.compute.drivers.ray import open_driver
from touyan.compute.processes import send
from touyan.core.job import Accelerator

HAS_RAY = find_spec("ray") is not None and find_spec("ray.dashboard") is not None and find_spec("aiohttp") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_RAY, reason="needs a Ray with its dashboard: pip install 'ray[default]'"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="ry", dir="/tmp"))  # pytest's own are too long for the names of Ray's sockets
    with ray_site(folder) as found:
        yield found
    shutil.rmtree(folder)


class TestRayDriver(DriverContract):
    @pytest.fixture
    def world(self, tmp_path: Path, address: str) -> World:
        def make() -> EngineDriver:
            return open_driver({"address": address, "resources": ACCELERATORS})

        return World(tmp_path, make, prefix="r")

    @pytest.mark.parametrize(
        ("model", "variable"), [("a800-80g", "CUDA_VISIBLE_DEVICES"), ("ascend-910b", "ASCEND_RT_VISIBLE_DEVICES")]
    )
    def test_a_payload_sees_the_devices_that_ray_gave_it(self, world: World, model: str, variable: str) -> None:
        order, end = world.run("show", accelerator=Accelerator(model, 2))
        found = json.loads((order.root / "out" / "environment").read_text())
        assert end.status == 0
        assert len(set(found[variable].split(","))) == 2

    def test_two_payloads_on_one_node_see_different_devices(self, world: World) -> None:
        first, second = (world.order("nap", accelerator=Accelerator("ascend-910b", 2)) for _ in range(2))
        for order in (first, second):
            world.driver.start(order)
        shown = [world.end_of(order).cause for order in (first, second)]
        assert shown == ["exit", "exit"]

    def test_a_payload_that_waits_for_devices_can_be_stopped(self, world: World) -> None:
        order = world.order("say", accelerator=Accelerator("a800-80g", 64))
        world.driver.start(order)
        assert world.driver.wait(order.attempt, 2) is None
        world.driver.stop(order.attempt)
        assert world.end_of(order).reason == "was told to stop before it began"

    def test_a_payload_waits_for_longer_than_ray_has_patience(self, world: World) -> None:
        order = world.order("say", accelerator=Accelerator("a800-80g", 64))
        world.driver.start(order)
        assert world.driver.wait(order.attempt, 2.5 * QUEUE_S) is None
        world.driver.stop(order.attempt)
        assert world.end_of(order).cause == "stopped"

    def test_a_gang_starts_on_different_nodes_and_its_processes_find_each_other(self, world: World) -> None:
        pytest.importorskip("torch", reason="torchrun comes with PyTorch")
        order, end = world.run("gather", Limits(120, 120, 1 << 30), gang=2)
        assert end.cause == "exit", log_of(order)
        assert (order.root / "out" / "total").read_text() == "3 of 2"

    def test_a_gang_that_is_stopped_ends_on_every_node(self, world: World) -> None:
        pytest.importorskip("torch", reason="torchrun comes with PyTorch")
        order = world.order("sleep", Limits(120, 120, 1 << 30), gang=2)
        world.driver.start(order)
        world.await_file(order, "came")
        world.driver.stop(order.attempt)
        assert world.end_of(order).cause == "stopped"
        assert left_of(order) == []

    def test_a_payload_whose_wrapper_was_killed_ends_by_that_signal(self, world: World) -> None:
        order = world.order("sleep")
        world.driver.start(order)
        world.await_file(order, "came")
        for pid in left_of(order):
            send(pid, signal.SIGKILL)
        assert (world.end_of(order).cause, left_of(order)) == ("signal", [])
