"""The Kubernetes driver keeps the contract of all drivers on a real API server with its real Job controller."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract import DriverContract, World
from kubelet import Kubelet
from kubernetes_site import kubernetes_api, what_is_missing

from touyan.compute.drivers.kubernetes import open_driver
from touyan.compute.drivers.kubernetes_api import KubernetesApi
from touyan.core.job import Accelerator

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing() or "-")]


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with kubernetes_api(tmp_path_factory.mktemp("cluster")) as found:
        yield found


class TestKubernetesSite(DriverContract):
    @pytest.fixture
    def world(self, tmp_path: Path, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, sys.path)))
        settings: dict[str, Any] = {
            "image": "i", "volume": {"emptyDir": {}}, "mount": str(tmp_path), "kubeconfig": str(kubeconfig),
            "accelerators": {"ascend-910b": {"resource": "huawei.com/Ascend910"}},
        }  # fmt: skip
        with Kubelet(KubernetesApi(str(kubeconfig)), is_alone=False):
            yield World(tmp_path, lambda: open_driver(settings, sys.executable), prefix="k")

    def test_a_payload_of_an_account_runs_in_its_namespace_with_its_devices(self, world: World) -> None:
        order, end = world.run("show", account="acme", accelerator=Accelerator("ascend-910b", 2))
        assert end.status == 0
        assert json.loads((order.root / "out" / "environment").read_text())["ASCEND_RT_VISIBLE_DEVICES"] == "0,1"
