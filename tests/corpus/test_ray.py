"""Refining on a real Ray cluster of two nodes on this machine: the same bytes as at home, also after the driver was killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpora import STATUTE, FakeWork, bytes_of, folder, row

from touyan.core.errors import Broken
from touyan.corpus import refine
from touyan.corpus.fan_out import ADDRESS, fan_out
from touyan.corpus.refine import RefineParams
from touyan.flow.alone import Listener, run_alone
from touyan.flow.step import InputAsset

pytestmark = pytest.mark.slow
pytest.importorskip("ray")

START_S = 180
ROWS = [row(str(i), f"{STATUTE}第{i % 30}条", title=f"第{i}号") for i in range(48)]
DRIVER = """
import os, signal, sys
from pathlib import Path
from test_ray import alone
def tell(done, total, unit):
    if done == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
alone(Path(sys.argv[1]), Path(sys.argv[2]), tell)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def node(log: Path, *options: str) -> subprocess.Popen[bytes]:
    """A node in the foreground of its own session, so that it ends with us and nobody else's does."""
    command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--num-cpus=2", "--disable-usage-stats"]
    command += ["--object-store-memory=100000000", *options]
    with log.open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The address of two nodes."""
    import ray

    port = free_port()
    address = f"127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as name:  # a socket's path may have 107 bytes
        ports = ["--min-worker-port=21000", "--max-worker-port=21200"]
        head = ["--head", f"--port={port}", "--node-ip-address=127.0.0.1", f"--temp-dir={name}", "--include-dashboard=false"]
        nodes = [node(Path(name) / "head.log", *head, *ports)]
        ports = ["--min-worker-port=21300", "--max-worker-port=21500"]
        until_s = time.monotonic() + START_S
        try:
            wait_for(nodes[0], port, until_s)
            nodes.append(node(Path(name) / "second.log", f"--address={address}", "--node-ip-address=127.0.0.2", *ports))
            while _nodes(address) < 2:
                assert time.monotonic() < until_s, "the cluster does not start"
            yield address
        finally:
            for each in reversed(nodes):
                each.terminate()
                each.wait(60)
            ray.shutdown()


def wait_for(head: subprocess.Popen[bytes], port: int, until_s: float) -> None:
    while time.monotonic() < until_s and head.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail("the head of the cluster does not start")


def _nodes(address: str) -> int:
    import ray

    try:
        ray.init(address=address, log_to_driver=False)
    except (ConnectionError, RuntimeError):
        time.sleep(0.5)
        return 0
    try:
        return sum(each["Alive"] for each in ray.nodes())
    finally:
        ray.shutdown()


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return folder(tmp_path / "documents", ROWS, 4)


@pytest.fixture
def address(cluster: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(ADDRESS, cluster)
    return cluster


def refined(documents: Path, out: Path, **params: str) -> FakeWork:
    work = FakeWork(RefineParams(**params), out, {"documents": [documents]})  # type: ignore[arg-type]
    refine.run(work)
    return work


def test_a_cluster_makes_the_same_bytes_as_one_process(address: str, documents: Path, tmp_path: Path) -> None:
    here = refined(documents, tmp_path / "here/corpus")
    there = refined(documents, tmp_path / "there/corpus", fan_out="ray")
    assert bytes_of(there.out) == bytes_of(here.out)


def test_tasks_run_on_both_nodes(address: str) -> None:
    def where(number: int) -> str:
        import ray

        time.sleep(0.5)
        return str(ray.get_runtime_context().get_node_id())

    with fan_out("ray", 1) as spread:
        assert len({place for _, place in spread(where, range(8))}) == 2


def alone(documents: Path, out: Path, tell: Listener) -> None:
    """The step as `touyan corpus run` runs it."""
    run_alone(
        refine.STEP, RefineParams(fan_out="ray"), {"documents": [InputAsset("d", "documents", "d", documents)]}, out, 1, tell
    )


@pytest.mark.parametrize("killed_after", [5, 17])
def test_a_killed_driver_resumes_by_shard_and_stage(address: str, documents: Path, tmp_path: Path, killed_after: int) -> None:
    out = tmp_path / "killed/corpus"
    out.parent.mkdir()
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    command = [sys.executable, "-c", DRIVER, str(documents), str(out), str(killed_after)]
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": path}).returncode == -signal.SIGKILL
    assert list(out.parent.rglob("survey"))
    told: list[float] = []
    alone(documents, out, lambda done, total, unit: told.append(done))
    assert min(told) > min(killed_after - 4, killed_after // 2), (
        "what was finished is not made again, but for the last words of tasks"
    )
    made = {name: data for name, data in bytes_of(out).items() if not name.endswith(".done")}
    assert made == bytes_of(refined(documents, tmp_path / "whole/corpus").out)


def test_an_error_on_a_node_keeps_its_family_and_its_hint(address: str, tmp_path: Path) -> None:
    torn = folder(tmp_path / "documents", ROWS[:2])
    (torn / "documents/part-00000.parquet").write_bytes(b"torn")
    with pytest.raises(Broken, match="cannot be read"):
        refined(torn, tmp_path / "corpus", fan_out="ray")
