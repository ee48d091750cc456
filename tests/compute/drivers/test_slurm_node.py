"""What is asked of Slurm for an Order, and what the node makes of what Slurm gave."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from touyan.compute import launch
from touyan.compute.driver import Limits, Order
from touyan.compute.drivers.settings import read_settings
from touyan.compute.drivers.slurm_node import device_variables, gang_variables, main
from touyan.compute.drivers.slurm_script import ask_of, family_of
from touyan.compute.drivers.slurm_terms import Association, SlurmTerms
from touyan.compute.folder import AttemptFolder, read_json
from touyan.core.errors import Invalid, Refused
from touyan.core.job import Accelerator

GIVEN = {
    "partition": "gpu", "gres": {"a800-80g": "gpu:a800", "ascend-910b": "npu:ascend910b"},
    "accounts": {"ann": {"account": "lab-a", "qos": "long", "partition": "a800"}},
}  # fmt: skip
TERMS = read_settings(SlurmTerms, GIVEN)
LIMITS = Limits(60, 3601, 4 << 30)


def order_of(**given: object) -> Order:
    environment = {"PYTHONPATH": "/opt/my touyan", "TOUYAN_PSEUDONYM_KEY": "5ec2e7"}
    return Order("a-1", Path("/site/parties/ann/jobs/a/a-1"), "m", LIMITS, environment, token=7, **given)  # type: ignore[arg-type]


def test_an_order_becomes_a_job_of_its_association(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    ask = ask_of(order_of(account="ann", cpus=8, accelerator=Accelerator("ascend-910b", 4)), TERMS, "/opt/python")
    assert (ask.account, ask.qos, ask.partition, ask.user) == ("lab-a", "long", "a800", "")
    assert (ask.gres, ask.cpus, ask.nodes) == ("npu:ascend910b:4", 8, 1)
    assert ask.script.endswith(f"{order_of().root} ascend 4\n")
    assert (ask.memory_mib, ask.limit_min) == (4096 + 256, 61 + 2)  # the payload's own limits are to be met first


def test_no_more_time_is_asked_for_than_the_partition_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert ask_of(order_of(account="ann"), read_settings(SlurmTerms, GIVEN | {"longest_min": 30}), "python").limit_min == 30


@pytest.mark.parametrize(
    ("model", "family"), [("ascend-910c", "ascend"), ("mlu370-x8", "mlu"), ("h20-96g", "cuda"), ("nobody-knows-it", "cuda")]
)
def test_the_family_of_a_model_is_that_of_the_rate_table(model: str, family: str) -> None:
    assert family_of(model) == family


def test_nothing_secret_is_in_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    script = ask_of(order_of(account="ann"), TERMS, "/opt/my python").script
    assert "5ec2e7" not in script
    assert shlex.split(script.splitlines()[-1])[1] == "/opt/my python"


def test_a_gang_is_started_by_srun_once_on_each_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    words = shlex.split(ask_of(order_of(account="ann", gang=3, cpus=8), TERMS, "python").script.splitlines()[-1])
    assert words[1:5] == ["srun", "--ntasks-per-node=1", "--kill-on-bad-exit=1", "--export=ALL"]
    assert "--cpus-per-task=8" in words


def test_what_the_owner_did_not_list_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="maps no account 'anne'") as found:
        TERMS.association("anne")
    assert "did you mean 'ann'?" in found.value.hint
    with pytest.raises(Refused, match="has no 'a800-40g'") as found:
        TERMS.gres_of("a800-40g", 1)
    assert "did you mean 'a800-80g'?" in found.value.hint


def test_an_agent_that_is_root_runs_nothing_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert SlurmTerms().user("games") == "games"
    with pytest.raises(Refused, match="the agent is root"):
        SlurmTerms().user("no-such-user")


def test_without_a_list_an_account_is_a_user_or_else_a_slurm_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert SlurmTerms().association("games") == Association()
    assert SlurmTerms().association("lab-a") == Association("lab-a")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"partitoin": "gpu"}, "partitoin"),
        ({"timeout_s": "soon"}, "timeout_s"),
        ({"accounts": {"ann": {"acount": "lab-a"}}}, "acount"),
        ({"gres": ["gpu"]}, "gres"),
    ],
)
def test_settings_that_are_wrong_are_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read_settings(SlurmTerms, given)


@pytest.mark.parametrize(
    ("family", "slurms", "expected"),
    [
        ("cuda", {"SLURM_JOB_GPUS": "4,5", "CUDA_VISIBLE_DEVICES": "0,1"}, {"CUDA_VISIBLE_DEVICES": "0,1"}),
        ("ascend", {"SLURM_JOB_GPUS": "4,5", "CUDA_VISIBLE_DEVICES": "4,5"}, {"ASCEND_RT_VISIBLE_DEVICES": "4,5"}),
        ("ascend", {"SLURM_JOB_GPUS": "4,5", "SLURM_STEP_GPUS": "2,3"}, {"ASCEND_RT_VISIBLE_DEVICES": "2,3"}),
        ("mlu", {"SLURM_JOB_GPUS": "1"}, {"MLU_VISIBLE_DEVICES": "1"}),
        ("", {"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": ""}),
    ],
)
def test_devices_are_named_as_the_runtime_reads_them(family: str, slurms: dict[str, str], expected: dict[str, str]) -> None:
    assert device_variables(family, slurms) == expected


def test_a_gang_meets_at_its_first_node_on_a_port_of_its_job() -> None:
    given = {"SLURM_JOB_ID": "1234567", "SLURM_NODEID": "2", "SLURM_LAUNCH_NODE_IPADDR": "10.0.0.7"}
    assert gang_variables(given) == {launch.INDEX: "2", launch.RENDEZVOUS: "10.0.0.7:24567"}


def test_a_payload_that_got_other_devices_than_it_asked_for_does_not_start(tmp_path: Path) -> None:
    """A GRES whose `File` is no character device is counted by Slurm, but handed to nobody."""
    main(tmp_path, "cuda", 2, {"SLURM_JOB_ID": "1"})
    said = read_json(AttemptFolder(tmp_path).file("exit"))
    assert said["cause"] == "vanished"
    assert "got 0 of 2 cuda devices from Slurm" in str(said["reason"])
