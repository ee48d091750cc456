"""The JSON of Slurm: `*-0.0.38.json` were recorded from a Slurm 22.05; `*-0.0.41.json` are the same jobs as Slurm 24.05 describes
them in its OpenAPI (numbers as objects, states as lists)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from touyan.compute.drivers.engine import Unreachable
from touyan.compute.drivers.slurm_client import Ask
from touyan.compute.drivers.slurm_shapes import VERSIONS, errors_of, read_jobs, read_records, submission, version_of

ANSWERS = Path(__file__).parent / "slurm_answers"
ASK = Ask(
    "a-1", "touyan 7", "#!/bin/sh\n", Path("/jobs/a-1"), Path("/jobs/a-1/log.txt"), account="lab-a", qos="normal", partition="gpu",
    nodes=2, cpus=4, memory_mib=1024, gres="gpu:a800:4", limit_min=62,
)  # fmt: skip


def answer(name: str) -> dict[str, Any]:
    return json.loads((ANSWERS / f"{name}.json").read_text())


@pytest.mark.parametrize("version", [38, 41])
def test_the_queue_reads_the_same_in_every_version(version: int) -> None:
    found = answer(f"squeue-0.0.{version}")
    jobs = read_jobs(found)
    assert version_of(found) == version
    assert [(j.name, j.comment, j.state, j.is_over) for j in jobs] == [
        ("aaaaaaaaaaaaaaaa-1", "touyan 11", "FAILED", True),
        ("aaaaaaaaaaaaaaaa-2", "touyan 12", "RUNNING", False),
        ("aaaaaaaaaaaaaaaa-3", "touyan 13", "PENDING", False),
        ("aaaaaaaaaaaaaaaa-4", "touyan 14", "CANCELLED", version == 38),  # the later one was caught while it was completing
    ]
    assert (jobs[0].status, jobs[2].reason) == (3, "PartitionTimeLimit")
    assert jobs[0].elapsed_s == read_records(answer(f"sacct-0.0.{version}"))[0].elapsed_s


def test_time_in_suspension_is_not_counted() -> None:
    found = answer("squeue-0.0.38")
    job = found["jobs"][0] | {"start_time": 1000, "end_time": 1100, "suspend_time": 1090, "pre_sus_time": 30}
    assert read_jobs(found | {"jobs": [job]})[0].elapsed_s == 40


@pytest.mark.parametrize("version", [38, 41])
def test_the_accounts_read_the_same_in_every_version(version: int) -> None:
    record = read_records(answer(f"sacct-0.0.{version}"))[0]
    assert (record.name, record.state, record.elapsed_s) == ("aaaaaaaaaaaaaaaa-1", "FAILED", 3)
    assert (record.tres["cpu"], record.tres["node"], record.tres["gres/gpu:ascend910b"]) == (2, 1, 2)


def test_nothing_found_is_an_answer() -> None:
    nothing = answer("sacct-nothing-0.0.38")
    assert errors_of(nothing) == []
    assert read_records(nothing) == []


@pytest.mark.parametrize("meta", [{}, {"plugin": {"type": "openapi/v0.0.35"}}, {"plugin": {"type": "nginx"}}, {"plugin": {}}])
def test_what_is_no_answer_of_slurm_is_no_news(meta: dict[str, object]) -> None:
    with pytest.raises(Unreachable):
        read_jobs({"meta": meta, "jobs": []})


def test_a_submission_says_the_same_to_every_version() -> None:
    old, new = (submission(ASK, version, {"PATH": "/bin"})["job"] for version in (38, 41))
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    different = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    assert different == {
        "environment", "nodes", "minimum_nodes", "maximum_nodes", "gres", "tres_per_node", "memory_per_node", "time_limit", "open_mode"
    }  # fmt: skip
    assert (old["nodes"], old["gres"], old["memory_per_node"], old["environment"]) == (
        [2, 2],
        "gpu:a800:4",
        1024,
        {"PATH": "/bin"},
    )
    assert (new["minimum_nodes"], new["tres_per_node"], new["environment"]) == (2, "gres/gpu:a800:4", ["PATH=/bin"])
    assert new["memory_per_node"] == {"set": True, "infinite": False, "number": 1024}
    assert (old["dependency"], old["requeue"], old["comment"]) == ("singleton", False, "touyan 7")


def test_what_is_not_asked_for_is_left_to_slurm() -> None:
    for version in (VERSIONS[0], VERSIONS[-1]):
        said = submission(Ask("a-1", "", "", Path("/"), Path("/l")), version, {})["job"]
        assert not {"account", "qos", "partition", "gres", "tres_per_node", "memory_per_node", "time_limit"} & set(said)  # type: ignore[call-overload]
