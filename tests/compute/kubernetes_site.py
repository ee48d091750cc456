"""A real Kubernetes API on this host: etcd, kube-apiserver and kube-controller-manager, where their binaries are.

No registry ships them ready, so a test that needs them skips where they are absent: put them into a folder and name it in
TOUYAN_KUBERNETES. Version 1.20 as Debian builds it is enough. `with kubernetes_api(folder) as kubeconfig:`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kubelet import NODE, write_kubeconfig
from ray_site import free_ports

from touyan.compute.drivers.kubernetes_api import KubernetesApi
from touyan.core.errors import TouyanError

BINARIES = Path(os.environ.get("TOUYAN_KUBERNETES") or Path.home() / ".cache" / "touyan-k8s" / "bin")
PATIENCE_S = 90.0
TOKEN = "tok"
"""Of an administrator of a cluster that ends with the test."""


def what_is_missing() -> str:
    """Why the real API cannot be started here; empty where it can."""
    absent = [name for name in ("kube-apiserver", "kube-controller-manager") if not (BINARIES / name).exists()]
    absent += ["etcd"] if shutil.which("etcd") is None else []
    return f"needs {', '.join(absent)} (in {BINARIES}, or in TOUYAN_KUBERNETES)" if absent else ""


@contextmanager
def kubernetes_api(folder: Path) -> Iterator[Path]:
    """The kubeconfig of a cluster with one node of 16 CPUs and 8 Ascend 910, which a `Kubelet` has to play."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*command: str) -> None:
        with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True))

    try:
        yield _up(folder, run)
    finally:
        for process in reversed(started):
            process.kill()  # told to end, an API server waits a minute for open watches
            process.wait()


def _up(folder: Path, run: object) -> Path:
    assert callable(run)
    store, peer, port, manager = free_ports(4)
    key, public = folder / "sa.key", folder / "sa.pub"
    for command in (
        ["openssl", "genrsa", "-out", str(key), "2048"],
        ["openssl", "rsa", "-in", str(key), "-pubout", "-out", str(public)],
    ):
        subprocess.run(command, check=True, capture_output=True)
    (folder / "tokens.csv").write_text(f'{TOKEN},admin,1,"system:masters"\n')
    etcd = f"http://127.0.0.1:{store}"
    run(
        "etcd", f"--data-dir={folder / 'etcd'}", f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
    )  # fmt: skip
    run(
        str(BINARIES / "kube-apiserver"), f"--etcd-servers={etcd}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
        f"--secure-port={port}", "--insecure-port=0", f"--cert-dir={folder}", "--service-account-issuer=https://touyan.local",
        f"--service-account-signing-key-file={key}", f"--service-account-key-file={public}", f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=AlwaysAllow", "--service-cluster-ip-range=10.250.0.0/24", "--disable-admission-plugins=ServiceAccount",
    )  # fmt: skip
    kubeconfig = write_kubeconfig(folder / "kubeconfig", f"https://127.0.0.1:{port}", TOKEN)
    api = KubernetesApi(str(kubeconfig))
    _await_api(api)
    run(
        str(BINARIES / "kube-controller-manager"), f"--kubeconfig={kubeconfig}", "--controllers=job,namespace,garbagecollector",
        "--leader-elect=false", "--bind-address=127.0.0.1", f"--secure-port={manager}", "--port=0", f"--cert-dir={folder}",
    )  # fmt: skip
    _make_node(api)
    return kubeconfig


def _await_api(api: KubernetesApi) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            api.get("/api/v1/namespaces/default")
            return
        except TouyanError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.5)


def _make_node(api: KubernetesApi) -> None:
    amounts = {"cpu": "16", "memory": "64Gi", "pods": "110", "huawei.com/Ascend910": "8"}
    api.post("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}, "spec": {}})
    conditions = [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]
    api.patch(f"/api/v1/nodes/{NODE}/status", {"status": {"capacity": amounts, "allocatable": amounts, "conditions": conditions}})
    api.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "acme"}})
