"""Jobs as the Kubernetes driver writes them, and what it reads out of a status. No API is needed for either."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.compute.driver import Exit, Limits, Order
from touyan.compute.drivers.kubernetes_end import seen_of
from touyan.compute.drivers.kubernetes_job import Device, KubernetesSettings, job_name, job_of, service_of
from touyan.core.errors import Refused
from touyan.core.job import Accelerator

SETTINGS = KubernetesSettings(
    image="registry.example/touyan:1", volume={"persistentVolumeClaim": {"claimName": "touyan"}}, mount="/srv/touyan",
    accelerators={
        "ascend-910b": Device("huawei.com/Ascend910", {"accelerator": "huawei-Ascend910B"}, "registry.example/touyan-cann:1"),
        "a800-80g": Device("nvidia.com/gpu", {"nvidia.com/gpu.product": "NVIDIA-A800-SXM4-80GB"}),
    },
)  # fmt: skip
ORDER = Order(
    "abc-1", Path("/srv/touyan/parties/acme/jobs/abc/abc-1"), "touyan.flow.worker", Limits(60, 3600, 4 << 30),
    {"TOUYAN_PSEUDONYM_KEY": "5ec2e7", "PATH": "/agent/bin", "PYTHONPATH": "/agent"}, token=7, account="acme", cpus=4,
)  # fmt: skip


def job(order: Order = ORDER, settings: KubernetesSettings = SETTINGS) -> dict[str, Any]:
    return job_of(order, "acme", settings, "python3")


def pod_of(made: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = made["spec"]["template"]["spec"]
    return spec


def test_a_pod_is_started_once_and_for_a_bounded_time() -> None:
    made = job()
    assert (made["spec"]["backoffLimit"], made["spec"]["completions"], pod_of(made)["restartPolicy"]) == (0, 1, "Never")
    assert pod_of(made)["activeDeadlineSeconds"] > ORDER.limits.limit_s
    assert "activeDeadlineSeconds" not in made["spec"], "a Job's own deadline would count its time in the queue"


def test_the_job_carries_attempt_and_token_and_lies_in_the_partys_namespace() -> None:
    meta = job()["metadata"]
    assert (meta["name"], meta["namespace"]) == ("abc-1", "acme")
    assert meta["annotations"] == {"touyan.attempt/id": "abc-1", "touyan.attempt/token": "7"}


def test_no_secret_and_no_credential_of_the_cluster_is_in_a_pod() -> None:
    assert "5ec2e7" not in str(job())
    assert pod_of(job())["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("model", "resource", "variable", "image"),
    [
        ("ascend-910b", "huawei.com/Ascend910", "ASCEND_RT_VISIBLE_DEVICES", "registry.example/touyan-cann:1"),
        ("a800-80g", "nvidia.com/gpu", "CUDA_VISIBLE_DEVICES", "registry.example/touyan:1"),
    ],
)
def test_an_accelerator_brings_its_resource_its_nodes_its_image_and_its_variable(
    model: str, resource: str, variable: str, image: str
) -> None:
    made = job(replace(ORDER, accelerator=Accelerator(model, 2)))
    container = pod_of(made)["containers"][0]
    assert container["resources"]["limits"][resource] == container["resources"]["requests"][resource] == "2"
    assert pod_of(made)["nodeSelector"] == SETTINGS.accelerators[model].select
    assert container["image"] == image
    assert {"name": variable, "value": "0,1"} in container["env"]


def test_an_accelerator_that_the_owner_has_not_named_is_refused() -> None:
    with pytest.raises(Refused, match="h200"):
        job(replace(ORDER, accelerator=Accelerator("h200", 1)))


def test_kueue_gets_a_suspended_job_and_its_queue() -> None:
    made = job(settings=replace(SETTINGS, queues={"acme": "acme-queue", "*": "others"}))
    assert made["spec"]["suspend"] is True
    assert made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "acme-queue"


def test_volcano_schedules_the_pods_in_its_queue() -> None:
    made = job(settings=replace(SETTINGS, scheduler="volcano", queues={"*": "pool"}))
    assert "suspend" not in made["spec"]
    assert pod_of(made)["schedulerName"] == "volcano"
    assert made["spec"]["template"]["metadata"]["annotations"]["scheduling.volcano.sh/queue-name"] == "pool"


def test_the_owners_pod_fields_are_kept_beside_ours() -> None:
    theirs = {
        "tolerations": [{"operator": "Exists"}], "restartPolicy": "Always", "volumes": [{"name": "shm", "emptyDir": {}}],
        "nodeSelector": {"zone": "a"},
    }  # fmt: skip
    spec = pod_of(job(replace(ORDER, accelerator=Accelerator("ascend-910b", 1)), replace(SETTINGS, pod=theirs)))
    assert spec["tolerations"] == theirs["tolerations"]
    assert spec["restartPolicy"] == "Never"
    assert [v["name"] for v in spec["volumes"]] == ["shm", "home"]
    assert spec["nodeSelector"] == {"zone": "a", "accelerator": "huawei-Ascend910B"}


def test_a_gang_is_an_indexed_job_on_different_nodes_that_find_the_first_one_by_name() -> None:
    made = job(replace(ORDER, gang=2))
    assert (made["spec"]["completionMode"], made["spec"]["parallelism"], made["spec"]["completions"]) == ("Indexed", 2, 2)
    assert {"name": "TOUYAN_RENDEZVOUS", "value": "abc-1-0.abc-1:29500"} in pod_of(made)["containers"][0]["env"]
    assert pod_of(made)["subdomain"] == "abc-1"
    assert "podAntiAffinity" in pod_of(made)["affinity"]
    service = service_of(ORDER, "acme", {"name": "abc-1", "uid": "u"})
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"], "the nodes of a gang look for each other before they are ready"
    assert service["metadata"]["ownerReferences"][0]["uid"] == "u"


@given(st.from_regex(re.compile(r"[\w][\w.-]{0,100}-[0-9]{1,9}", re.ASCII), fullmatch=True))
def test_every_attempt_has_a_name_that_kubernetes_takes(attempt: str) -> None:
    name = job_name(attempt)
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)
    assert len(name) <= 52
    assert job_name(attempt + "0") != name


def pod(phase: str, state: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    status = {"phase": phase, **given.pop("status", {})}
    if state:
        status["containerStatuses"] = [{"name": "payload", "state": state}]
    return {"metadata": given.pop("metadata", {}), "status": status}


def ended(code: int, **given: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, **given}}


FAILED = {"spec": {}, "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}}
DISRUPTION = {
    "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "preempting"}]
}


@pytest.mark.parametrize(
    ("job", "pods", "state"),
    [
        ({"spec": {}, "status": {}}, [], "waiting"),
        ({"spec": {"suspend": True}, "status": {}}, [], "suspended"),
        ({"spec": {}}, [pod("Pending")], "waiting"),
        ({"spec": {}}, [pod("Pending"), pod("Running")], "running"),
        (FAILED, [pod("Failed", ended(1)), pod("Running")], "running"),
        (None, [pod("Running", metadata={"deletionTimestamp": "2026-11-22T00:00:00Z"})], "leaving"),
        ({"spec": {"suspend": True}}, [pod("Running", metadata={"deletionTimestamp": "t"})], "leaving"),
    ],
)
def test_a_payload_that_is_not_over(job: dict[str, Any] | None, pods: list[dict[str, Any]], state: str) -> None:
    assert seen_of(job, pods).state == state


@pytest.mark.parametrize(
    ("pods", "cause", "status", "words", "is_certain"),
    [
        ([pod("Failed", ended(137, reason="OOMKilled"))], "memory", 0, "memory limit", True),
        ([pod("Failed", ended(137))], "signal", 9, "signal 9", True),
        ([pod("Failed", ended(1, message="No module named touyan"))], "exit", 1, "No module named touyan", True),
        ([pod("Failed", ended(137), status={"reason": "Evicted", "message": "low on memory"})], "vanished", 0, "low on memory", True),
        ([pod("Failed", ended(143), status=DISRUPTION)], "vanished", 0, "PreemptionByScheduler preempting", True),
        ([pod("Failed", status={"reason": "NodeLost"})], "vanished", 0, "NodeLost", False),
        ([pod("Failed")], "vanished", 0, "its pod is lost", False),
        ([pod("Pending", {"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}})], "vanished", 0, "no such tag", False),
        ([], "vanished", 0, "BackoffLimitExceeded", False),
        (
            [pod("Failed", ended(143, finishedAt="2026-11-22T00:00:05Z")), pod("Failed", ended(3, finishedAt="2026-11-22T00:00:01Z"))],
            "exit", 3, "status 3", True,
        ),
    ],
)  # fmt: skip
def test_how_a_payload_ended(pods: list[dict[str, Any]], cause: str, status: int, words: str, is_certain: bool) -> None:
    seen = seen_of(FAILED, pods)
    assert isinstance(seen.end, Exit)
    assert (seen.state, seen.end.cause, seen.end.status, seen.is_certain) == ("ended", cause, status, is_certain)
    assert words in seen.end.reason


def test_pods_that_succeeded_are_over_also_where_their_job_is_gone() -> None:
    assert seen_of(None, [pod("Succeeded", ended(0))]).state == "ended"
