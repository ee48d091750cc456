"""A real Ray of two nodes on this host: one says it has four GPUs, the other four NPUs. `with ray_site(folder) as address:`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from touyan.compute.processes import descendants, send, with_environment

PATIENCE_S = 120.0
TRIES = 3
MARK = "TOUYAN_TEST_RAY"
"""In the environment of every process of it, so that all can be found again."""
QUEUE_S = 30
"""Ray's patience with a job that waits for resources; a production cluster has 900."""
ACCELERATORS = {
    "a800-80g": {"GPU": 1.0, "accelerator_type:A800": 0.001},
    "ascend-910b": {"NPU": 1.0, "accelerator_type:Ascend910B": 0.001},
}


def free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@contextmanager
def ray_site(folder: Path) -> Iterator[str]:
    """The address of the dashboard. `folder` has a short path: Ray puts sockets below it, whose names end at 107 bytes."""
    gcs, dashboard, agent, agent_of_second, client = free_ports(5)
    workers = 20_000 + 400 * (os.getpid() % 25)  # two clusters on one host must not share them
    mark = f"{MARK}={folder}"
    environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    environment |= {MARK: str(folder), "RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}
    environment |= {"RAY_JOB_START_TIMEOUT_SECONDS": str(QUEUE_S)}
    common = ["--num-cpus=4", "--object-store-memory=80000000", "--memory=8000000000", "--disable-usage-stats", "--block"]
    head = [
        "--head", f"--port={gcs}", "--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}",
        f"--ray-client-server-port={client}", f"--temp-dir={folder}", "--num-gpus=4", '--resources={"accelerator_type:A800":4}',
        f"--dashboard-agent-listen-port={agent}", f"--min-worker-port={workers}", f"--max-worker-port={workers + 199}",
    ]  # fmt: skip
    second = [
        f"--address=127.0.0.1:{gcs}", "--node-ip-address=127.0.0.2", '--resources={"NPU":4,"accelerator_type:Ascend910B":4}',
        f"--dashboard-agent-listen-port={agent_of_second}", f"--min-worker-port={workers + 200}", f"--max-worker-port={workers + 399}",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{dashboard}"
    started: list[subprocess.Popen[bytes]] = []
    try:
        for number, arguments in enumerate((head, second)):
            command = [sys.executable, "-m", "ray.scripts.scripts", "start", *common, *arguments]
            started.append(_node(command, environment, folder / f"node-{number}.log", url, number + 1))
        _await_jobs(url)
        yield url
    finally:
        for process in started:
            _end(process)
        while left := with_environment(mark):
            for pid in left:
                send(pid, signal.SIGKILL)
            time.sleep(0.1)


def _node(command: list[str], environment: dict[str, str], log: Path, url: str, wanted: int) -> subprocess.Popen[bytes]:
    """A node that has come up. Ray gives a raylet 30 s to register, which a busy machine may exceed: then it is started again."""
    for _ in range(TRIES):
        with log.open("wb") as file:
            process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)
        until_s = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < until_s:
            if _is_up(url, wanted):
                return process
            time.sleep(0.5)
        _end(process)
    raise TimeoutError(f"node {wanted} of Ray did not come up in {TRIES} tries: {log.read_text()[-2000:]}")


def _is_up(url: str, wanted: int) -> bool:
    """Whether so many nodes are alive and the head answers for jobs."""
    import httpx

    try:
        summary = httpx.get(f"{url}/nodes?view=summary", timeout=5, trust_env=False).json()["data"]["summary"]
        alive = sum(node["raylet"].get("state") == "ALIVE" for node in summary)
        return alive >= wanted and httpx.get(f"{url}/api/jobs/", timeout=5, trust_env=False).status_code == 200
    except (httpx.HTTPError, KeyError, ValueError):
        return False


def _await_jobs(url: str) -> None:
    """Waits until a job is taken: the agent that takes them registers a while after its node, a minute on a busy machine."""
    import httpx

    until_s = time.monotonic() + PATIENCE_S
    probe = {"entrypoint": "true", "submission_id": "probe", "entrypoint_num_cpus": 1}
    while time.monotonic() < until_s:
        try:
            answer = httpx.post(f"{url}/api/jobs/", json=probe, timeout=30, trust_env=False)
            if answer.status_code == 200 or "already exists" in answer.text:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise TimeoutError(f"Ray took no job within {PATIENCE_S:g} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    for pid in [*descendants(process.pid), process.pid]:
        send(pid, signal.SIGKILL)
    process.wait()
