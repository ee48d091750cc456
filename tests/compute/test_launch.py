"""The launcher on a node: who may start, with which environment, and how a gang's nodes are told of each other."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from touyan.compute.driver import Limits
from touyan.compute.environment import payload_environment
from touyan.compute.folder import AttemptFolder, read_json, write_json
from touyan.compute.launch import CLAIMED, Launch, claim_start, command_line, payload_variables, read_launch, write_launch

GIVEN = {"HOME": "/scratch", "TOUYAN_PSEUDONYM_KEY": "5ec2e7", "CUDA_VISIBLE_DEVICES": "all of them"}
ENGINE = {
    "CUDA_VISIBLE_DEVICES": "2,3", "RAY_ADDRESS": "10.0.0.1:6379", "HTTPS_PROXY": "http://proxy", "AWS_SECRET_ACCESS_KEY": "s",
    "LD_LIBRARY_PATH": "/usr/local/Ascend", "KUBERNETES_SERVICE_HOST": "10.250.0.1",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> AttemptFolder:
    made = AttemptFolder(tmp_path / "j-1")
    made.create()
    made.heartbeat.touch()
    return made


def launch(folder: AttemptFolder, *further: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "touyan.compute.launch", str(folder.root), *further]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_of_many_that_would_start_an_attempt_one_does(folder: AttemptFolder) -> None:
    with ThreadPoolExecutor(16) as pool:
        claims = list(pool.map(lambda n: claim_start(folder, f"node/{n}"), range(64)))
    assert claims.count(True) == 1


def test_each_node_of_a_gang_is_claimed_by_itself(folder: AttemptFolder) -> None:
    assert claim_start(folder, "n0/1")
    assert claim_start(folder, "n1/1", "-1")
    assert not claim_start(folder, "n2/1", "-1")


def test_what_a_node_reads_is_what_the_driver_wrote_and_closed_to_others(folder: AttemptFolder) -> None:
    written = Launch("m", {"A": "名"}, "container", 2, 8)
    write_launch(folder, written)
    assert read_launch(folder) == written
    assert folder.file("launch").stat().st_mode & 0o777 == 0o600


def test_of_an_engines_environment_a_payload_keeps_its_devices_and_the_cluster_it_is_in() -> None:
    found = payload_variables(Launch("m", GIVEN), ENGINE, "")
    assert found == GIVEN | {"CUDA_VISIBLE_DEVICES": "2,3", "RAY_ADDRESS": "10.0.0.1:6379", "TOUYAN_NODE": ""}


def test_in_a_container_it_keeps_what_image_and_pod_say_but_for_the_clusters_address() -> None:
    given = {name: value for name, value in GIVEN.items() if name != "CUDA_VISIBLE_DEVICES"}
    found = payload_variables(Launch("m", given, "container"), ENGINE, "-1")
    assert found["LD_LIBRARY_PATH"] == "/usr/local/Ascend"
    assert (found["HOME"], found["CUDA_VISIBLE_DEVICES"], found["TOUYAN_NODE"]) == ("/scratch", "2,3", "-1")
    assert "KUBERNETES_SERVICE_HOST" not in found


def test_a_gang_is_started_by_torchrun_with_its_place_and_the_first_node() -> None:
    words = command_line(Launch("m", {}, gang=4, processes=8), Path("/j-1"), 3, "first.gang")
    assert words[3:7] == ["touyan.compute.wrapper", "/j-1", "torch.distributed.run", "0"]
    assert words[7:] == [
        "--nnodes=4", "--nproc-per-node=8", "--node-rank=3", "--master-addr=first.gang", "--master-port=29500", "-m", "m", "/j-1",
    ]  # fmt: skip
    assert "--master-port=21007" in command_line(Launch("m", {}, gang=2), Path("/j-1"), 0, "10.0.0.1:21007")


def ready(folder: AttemptFolder) -> None:
    """A folder in which a launcher could start the calendar of the standard library."""
    limits = {"lease_s": 60, "limit_s": 60, "memory_bytes": 1 << 30, "log_bytes": 1 << 20, "cpus": []}
    assert set(limits) == set(Limits.__slots__)
    write_json(folder.file("limits"), limits)
    environment = payload_environment(folder.root.name, folder, 1)
    write_launch(folder, Launch("this", environment | {"PATH": os.environ["PATH"]}))


def test_a_launcher_becomes_the_wrapper_and_a_second_one_starts_nothing(folder: AttemptFolder) -> None:
    ready(folder)
    assert launch(folder).returncode == 0
    assert "Zen of Python" in folder.log.read_text()
    again = launch(folder)
    assert (again.returncode, "was started before" in again.stderr) == (CLAIMED, True)
    assert folder.log.read_text().count("Zen of Python") == 1


def test_a_word_in_the_heartbeat_stops_a_payload_before_it_begins(folder: AttemptFolder) -> None:
    ready(folder)
    folder.heartbeat.write_text("stop\n")
    launch(folder)
    assert read_json(folder.file("exit"))["cause"] == "stopped"
    assert not folder.log.exists()
