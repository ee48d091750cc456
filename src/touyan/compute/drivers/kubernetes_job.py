"""One Order as a Kubernetes Job: its name, its pods, what it asks for, and who queues it.

Owns the manifest. Knows nothing of the cluster it goes to. A Job makes each pod once: no restart, no retry, no second pod for a
failed one. Sources: Kubernetes API batch/v1 Job and core/v1 Pod; Kueue `kueue.x-k8s.io/queue-name`; Volcano `schedulerName`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from touyan.compute.driver import Order
from touyan.compute.launch import PORT, RENDEZVOUS
from touyan.core.errors import Refused

Manifest: TypeAlias = dict[str, Any]
ATTEMPT = "touyan.attempt/id"
"""Annotation: the Attempt's id in full."""
NAMED = "touyan.attempt/name"
"""Label of a Job and its pods: the name of the Job."""
MANAGED = "app.kubernetes.io/managed-by"
QUEUE = "kueue.x-k8s.io/queue-name"
VOLCANO_QUEUE = "scheduling.volcano.sh/queue-name"
GRACE_S = 10
"""From SIGTERM to SIGKILL: the wrapper ends its payload at once and writes why."""
DEADLINE_SLACK_S = 600
"""The pod's deadline counts from when its kubelet took it, images to be pulled included. The Job's own would count its time in the
queue as well, and a queue is no failure."""
MEMORY_SLACK_BYTES = 128 << 20
"""Above the payload's limit, so that the wrapper sees it exceeded, and says so, before the kernel kills."""
KEPT_S = 24 * 3600
"""A finished Job that nobody fetched goes after a day (TTL controller, v1.23)."""
NAME = re.compile(r"[a-z]([a-z0-9-]{0,50}[a-z0-9])?")
"""A DNS label (RFC 1035) of at most 52 characters: pods of an Indexed Job add 11."""
DEVICE_VARIABLES = {"nvidia.com": "CUDA_VISIBLE_DEVICES", "huawei.com": "ASCEND_RT_VISIBLE_DEVICES", "amd.com": "HIP_VISIBLE_DEVICES",
                    "cambricon.com": "MLU_VISIBLE_DEVICES"}  # fmt: skip
"""By the vendor's part of the resource. A device plugin shows a container its own devices alone, and they count from 0."""


@dataclass(frozen=True, slots=True)
class Device:
    """What an accelerator model is in a cluster."""

    resource: str
    """Extended resource, such as `huawei.com/Ascend910`."""
    select: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that have this exact model: a resource name may cover several."""
    image: str = ""
    """Image with the driver stack of its family; empty: that of the settings."""


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """What the owner of a site says of its cluster."""

    image: str
    volume: Mapping[str, Any]
    """Volume with the agent's home, seen by every node, such as `{persistentVolumeClaim: {claimName: touyan}}`."""
    mount: str
    """Where it is mounted in pods: the path under which the agent sees it."""
    namespace: str = "default"
    """For payloads of the agent's own account. Every other account is the name of its namespace."""
    kubeconfig: str = ""
    """Path; empty: the pod the agent runs in, else ~/.kube/config."""
    context: str = ""
    namespaces: tuple[str, ...] = ()
    """Where to look for what an agent before this one left; empty: everywhere, which takes a ClusterRole."""
    accelerators: Mapping[str, Device] = field(default_factory=dict[str, Device])
    """Accelerator model to what it is here."""
    queues: Mapping[str, str] = field(default_factory=dict[str, str])
    """Namespace to its Kueue LocalQueue, or with Volcano to its queue; a `*` stands for all others."""
    scheduler: str = ""
    """`schedulerName` of pods, such as `volcano`; empty: the cluster's own, and queues are Kueue's."""
    pod: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further fields of every pod's spec: tolerations, securityContext, imagePullSecrets."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further variables of every payload, such as `HCCL_IF_IP`."""


def job_name(attempt: str) -> str:
    """The id itself where it can be a DNS label; else what begins like it and ends in its digest."""
    if NAME.fullmatch(attempt):
        return attempt
    stem = re.sub(r"[^a-z0-9-]+", "-", attempt.lower()).strip("-")[:30].strip("-")
    return "-".join(filter(None, ["t", stem, hashlib.sha256(attempt.encode()).hexdigest()[:16]]))


def job_of(order: Order, namespace: str, settings: KubernetesSettings, python: str) -> Manifest:
    """The Job. Raises Refused where the owner has not said what the accelerator is."""
    name, device = job_name(order.attempt), _device(order, settings)
    labels = {MANAGED: "touyan", NAMED: name}
    queue = settings.queues.get(namespace, settings.queues.get("*", ""))
    meta: Manifest = {
        "name": name, "namespace": namespace, "labels": dict(labels),
        "annotations": {ATTEMPT: order.attempt, "touyan.attempt/token": str(order.token)},
    }  # fmt: skip
    pod_meta: Manifest = {"labels": labels, "annotations": dict(meta["annotations"])}
    spec: Manifest = {
        "parallelism": order.gang, "completions": order.gang, "backoffLimit": 0, "ttlSecondsAfterFinished": KEPT_S,
        "template": {"metadata": pod_meta, "spec": _pod(order, name, device, settings, python)},
    }  # fmt: skip
    if order.gang > 1:
        spec["completionMode"] = "Indexed"
    if queue and settings.scheduler:
        pod_meta["annotations"][VOLCANO_QUEUE] = queue
    elif queue:
        meta["labels"][QUEUE] = queue
        spec["suspend"] = True  # Kueue resumes it once its quota has room
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}


def service_of(order: Order, namespace: str, owner: Mapping[str, str]) -> Manifest:
    """The headless Service under whose name the nodes of a gang find the first one; it goes with its Job (`owner`: its name and uid)."""
    name = job_name(order.attempt)
    owned = {"apiVersion": "batch/v1", "kind": "Job", **owner}
    return {
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": {MANAGED: "touyan"}, "ownerReferences": [owned]},
        "spec": {"clusterIP": "None", "selector": {NAMED: name}, "publishNotReadyAddresses": True,
                 "ports": [{"port": PORT}]},
    }  # fmt: skip


def _device(order: Order, settings: KubernetesSettings) -> Device | None:
    if order.accelerator is None:
        return None
    if order.accelerator.model not in settings.accelerators:
        words = f"this site has not said what {order.accelerator.model} is in Kubernetes"
        raise Refused("no-accelerator", words, "its owner names it under driver.accelerators of site.yaml")
    return settings.accelerators[order.accelerator.model]


def _pod(order: Order, name: str, device: Device | None, settings: KubernetesSettings, python: str) -> Manifest:
    own: Manifest = {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": GRACE_S, "automountServiceAccountToken": False,
        "enableServiceLinks": False, "activeDeadlineSeconds": int(order.limits.limit_s) + DEADLINE_SLACK_S,
        "volumes": [{"name": "home", **settings.volume}], "containers": [_container(order, name, device, settings, python)],
    }  # fmt: skip
    if settings.scheduler:
        own["schedulerName"] = settings.scheduler
    if device and device.select:
        own["nodeSelector"] = dict(device.select)
    if order.gang > 1:
        own["subdomain"] = name
        apart = {"labelSelector": {"matchLabels": {NAMED: name}}, "topologyKey": "kubernetes.io/hostname"}
        own["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}
    return _merged(settings.pod, own)


def _merged(theirs: Mapping[str, Any], ours: Manifest) -> Manifest:
    """Both: lists are joined, mappings merged, and what is ours stands."""
    merged = dict(theirs)
    for key, value in ours.items():
        there = merged.get(key)
        if isinstance(value, dict) and isinstance(there, Mapping):
            merged[key] = _merged(there, value)
        elif isinstance(value, list) and isinstance(there, Sequence):
            merged[key] = [*there, *value]
        else:
            merged[key] = value
    return merged


def _container(order: Order, name: str, device: Device | None, settings: KubernetesSettings, python: str) -> Manifest:
    """Secrets are in `launch.json`: everybody who may list pods sees their variables."""
    bound = {"memory": str(order.limits.memory_bytes + MEMORY_SLACK_BYTES)}
    asked = bound | {"cpu": str(order.cpus or 1)}
    if device and order.accelerator:
        bound[device.resource] = asked[device.resource] = str(order.accelerator.count)
    return {
        "name": "payload",
        "image": (device and device.image) or settings.image,
        "command": [python, "-P", "-m", "touyan.compute.launch", str(order.root)],
        "env": [{"name": key, "value": value} for key, value in _variables(order, name, device).items()],
        "resources": {"requests": asked, "limits": bound},
        "volumeMounts": [{"name": "home", "mountPath": settings.mount}],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _variables(order: Order, name: str, device: Device | None) -> dict[str, str]:
    """Which devices a payload may use: all that the kubelet gave its container, and it gave exactly what was asked for."""
    variables = {RENDEZVOUS: f"{name}-0.{name}:{PORT}"} if order.gang > 1 else {}
    vendor = device.resource.partition("/")[0] if device else ""
    if order.accelerator and vendor in DEVICE_VARIABLES:
        variables[DEVICE_VARIABLES[vendor]] = ",".join(map(str, range(order.accelerator.count)))
    return variables
