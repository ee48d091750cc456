"""The Kubernetes driver keeps the contract of all drivers, over an emulated API and pods that are local processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from contract import DriverContract, World
from kubelet import Kubelet, kmock_api, write_kubeconfig

from touyan.compute.drivers.kubernetes import connect, open_driver
from touyan.compute.drivers.kubernetes_job import KubernetesSettings

HAS_KUBERNETES = find_spec("kmock") is not None and find_spec("kubernetes") is not None
pytestmark = pytest.mark.skipif(not HAS_KUBERNETES, reason="needs client and emulator: pip install kubernetes kmock")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with kmock_api() as address:
        yield write_kubeconfig(tmp_path_factory.mktemp("k") / "config", address)


@pytest.mark.slow
class TestKubernetesDriver(DriverContract):
    @pytest.fixture
    def world(self, tmp_path: Path, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, sys.path)))
        settings = {"image": "i", "volume": {"emptyDir": {}}, "mount": str(tmp_path), "kubeconfig": str(kubeconfig)}
        with connect(KubernetesSettings(**settings)) as api, Kubelet(api, is_alone=True):
            yield World(tmp_path, lambda: open_driver(settings, sys.executable), prefix="k")
