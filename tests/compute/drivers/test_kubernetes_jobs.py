"""The Kubernetes driver over an emulated API; the contract of all drivers also with pods that are local processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract import DriverContract, World
from kubelet import Kubelet, kmock_api, write_kubeconfig

from touyan.compute.driver import Limits, Order
from touyan.compute.drivers.engine import EngineDriver, Unreachable
from touyan.compute.drivers.kubernetes import open_driver
from touyan.compute.drivers.kubernetes_api import KubernetesApi, error_of
from touyan.compute.folder import AttemptFolder
from touyan.core.errors import Broken, Invalid, Refused, TouyanError

HAS_KUBERNETES = find_spec("kmock") is not None and find_spec("kubernetes") is not None
pytestmark = pytest.mark.skipif(not HAS_KUBERNETES, reason="needs client and emulator: pip install kubernetes kmock")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with kmock_api() as address:
        yield write_kubeconfig(tmp_path_factory.mktemp("k") / "config", address)


@pytest.mark.slow
class TestKubernetesDriver(DriverContract):
    @pytest.fixture
    def world(self, tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, sys.path)))
        with Kubelet(KubernetesApi(settings["kubeconfig"]), is_alone=True):
            yield World(tmp_path, lambda: open_driver(settings, sys.executable), prefix="k")


def started(driver: EngineDriver, attempt: str, root: Path, **given: Any) -> Order:
    folder = AttemptFolder(root / attempt)
    folder.create()
    folder.heartbeat.touch()
    order = Order(attempt, folder.root, "m", Limits(30, 60, 1 << 30), {}, token=7, **given)
    driver.start(order)
    return order


class Cluster:
    """The emulated API as its administrator uses it."""

    def __init__(self, api: KubernetesApi) -> None:
        self.api = api

    def path(self, name: str, namespace: str = "default") -> str:
        return f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}"

    def job(self, name: str, namespace: str = "default") -> Mapping[str, Any]:
        return self.api.get(self.path(name, namespace))

    def names(self) -> set[str]:
        return {j["metadata"]["name"] for j in self.api.get("/apis/batch/v1/jobs")["items"]}


@pytest.fixture
def settings(tmp_path: Path, kubeconfig: Path) -> dict[str, Any]:
    return {"image": "i", "volume": {"emptyDir": {}}, "mount": str(tmp_path), "kubeconfig": str(kubeconfig)}


@pytest.fixture
def cluster(kubeconfig: Path) -> Cluster:
    return Cluster(KubernetesApi(str(kubeconfig)))


@pytest.fixture
def driver(settings: dict[str, Any]) -> EngineDriver:
    return open_driver(settings)


def test_a_job_is_made_once_in_the_namespace_of_its_account(
    driver: EngineDriver, settings: dict[str, Any], cluster: Cluster, tmp_path: Path
) -> None:
    order = started(driver, "once-1", tmp_path, account="acme")
    open_driver(settings).start(order)
    assert cluster.job("once-1", "acme")["metadata"]["annotations"]["touyan.attempt/token"] == "7"
    assert driver.wait("once-1", 0) is None


def test_a_job_of_that_name_that_is_not_ours_is_not_taken_for_ours(
    driver: EngineDriver, cluster: Cluster, tmp_path: Path
) -> None:
    body = {"metadata": {"name": "taken-1", "namespace": "default"}, "spec": {}}
    cluster.api.post("/apis/batch/v1/namespaces/default/jobs", body)
    with pytest.raises(Refused, match="not ours"):
        started(driver, "taken-1", tmp_path)
    assert "taken-1" in cluster.names()


def test_a_gang_gets_a_name_under_which_its_nodes_meet(driver: EngineDriver, cluster: Cluster, tmp_path: Path) -> None:
    started(driver, "gang-1", tmp_path, gang=2)
    service = cluster.api.get("/api/v1/namespaces/default/services/gang-1")
    assert service["spec"]["clusterIP"] == "None"


def test_a_job_that_kueue_holds_back_waits_and_one_that_is_stopped_is_deleted(
    settings: dict[str, Any], cluster: Cluster, tmp_path: Path
) -> None:
    driver = open_driver(settings | {"queues": {"*": "team"}})
    started(driver, "held-1", tmp_path)
    assert cluster.job("held-1")["spec"]["suspend"] is True
    assert driver.wait("held-1", 0) is None
    driver.stop("held-1")
    end = driver.wait("held-1", 5)
    assert end is not None
    assert end.cause == "stopped"
    assert "held-1" not in cluster.names()


def test_an_agent_after_this_one_finds_and_ends_what_it_left(
    driver: EngineDriver, settings: dict[str, Any], cluster: Cluster, tmp_path: Path
) -> None:
    started(driver, "left-1", tmp_path, account="beta")
    open_driver(settings).sweep("left-1")
    assert "left-1" not in cluster.names()


def test_a_job_that_failed_says_why_and_goes(driver: EngineDriver, cluster: Cluster, tmp_path: Path) -> None:
    started(driver, "lost-1", tmp_path)
    failed = {"type": "Failed", "status": "True", "message": "its pods are gone"}
    cluster.api.patch(cluster.path("lost-1"), {"status": {"conditions": [failed]}})
    end = driver.wait("lost-1", 5)
    assert end is not None
    assert (end.cause, "its pods are gone" in end.reason) == ("vanished", True)
    assert "lost-1" not in cluster.names()


def test_an_api_that_cannot_be_reached_ends_nothing(settings: dict[str, Any], tmp_path: Path) -> None:
    away = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    driver = open_driver(settings | {"kubeconfig": str(away)})
    started(driver, "away-1", tmp_path)
    assert driver.wait("away-1", 0) is None
    assert isinstance(driver.trouble, Unreachable)


@pytest.mark.parametrize(
    ("status", "family", "code"),
    [
        (400, Refused, "engine-refused"), (422, Refused, "engine-refused"), (403, Refused, "engine-forbidden"),
        (404, Broken, "no-object"), (401, Broken, "engine-unreachable"), (429, Broken, "engine-unreachable"),
        (503, Broken, "engine-unreachable"),
    ],
)  # fmt: skip
def test_what_a_status_of_the_api_means(status: int, family: type[TouyanError], code: str) -> None:
    found = error_of(httpx.Response(status, json={"kind": "Status", "message": "exceeded quota"}))
    assert isinstance(found, family)
    assert found.code == code
    assert "exceeded quota" in found.message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "driver.image"),
        ({"image": "i", "volume": {}, "mount": "/m", "queue": "q"}, "driver.queue is not a setting"),
        ({"image": "i", "volume": {}, "mount": "/m", "accelerators": {"a": {"resource": 3}}}, "driver.accelerators.a.resource"),
        ({"image": "i", "volume": {}, "mount": "/m", "kubeconfig": "/nowhere"}, "driver.kubeconfig"),
    ],
)
def test_settings_that_cannot_be_right_are_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        open_driver(given)
