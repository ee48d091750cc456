"""A Kubernetes cluster: a payload is a batch/v1 Job, a Party's account its namespace.

Owns what is asked of the API for a payload. Knows nothing of what a manifest holds (`kubernetes_job`), of what a status means
(`kubernetes_end`), nor of how a cluster is reached (`kubernetes_api`). Invariant: nothing is created that is not labelled as ours,
and nothing else is touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from touyan.compute.driver import Order
from touyan.compute.drivers.engine import EngineDriver, Seen
from touyan.compute.drivers.kubernetes_api import Absent, Json, KubernetesApi, Taken
from touyan.compute.drivers.kubernetes_end import seen_of
from touyan.compute.drivers.kubernetes_job import ATTEMPT, MANAGED, KubernetesSettings, job_name, job_of, service_of
from touyan.compute.drivers.kubernetes_watch import Mirror
from touyan.compute.drivers.settings import read_settings
from touyan.compute.launch import Keep
from touyan.core.errors import Refused

JOBS = "/apis/batch/v1"
CORE = "/api/v1"


def open_driver(settings: Mapping[str, object], python: str = "") -> EngineDriver:
    """The driver for a site. `python`: the interpreter in its images. Raises Invalid, and Missing without the extra."""
    read = read_settings(KubernetesSettings, settings)
    return EngineDriver(KubernetesCluster(read, KubernetesApi(read.kubeconfig, read.context), python or "python3"))


class KubernetesCluster:
    """`touyan.compute.drivers.engine.Engine` over one cluster. A place is a namespace."""

    keep: Keep = "container"

    def __init__(self, settings: KubernetesSettings, api: KubernetesApi, python: str) -> None:
        self.environment = settings.environment
        self._settings = settings
        self._api = api
        self._python = python
        self._mirrors: dict[str, Mirror] = {}

    def place(self, account: str) -> str:
        return account or self._settings.namespace

    def places(self) -> Sequence[str]:
        """Parties come and go, and what an agent before this one left may be anyone's: all namespaces (`""`), unless they are named."""
        return self._settings.namespaces or [""]

    def submit(self, order: Order, place: str) -> None:
        body = job_of(order, place, self._settings, self._python)
        try:
            made = self._api.post(_path(JOBS, place, "jobs"), body)
        except Taken:
            made = self._api.get(_path(JOBS, place, "jobs", body["metadata"]["name"]))
            if _attempt(made) != order.attempt:
                words = f"a Job {body['metadata']['name']} that is not ours is in the namespace {place}"
                raise Refused("engine-refused", words, "give Touyan a namespace of its own") from None
        if order.gang > 1:
            self._make_service(order, place, made)

    def seen(self, place: str) -> Mapping[str, Seen]:
        """Jobs first, then pods: a pod may come without its Job, but no Job whose pods have ended meanwhile comes without them."""
        jobs = {_attempt(job): job for job in self._list(JOBS, place, "jobs")}
        pods: dict[str, list[Json]] = defaultdict(list)
        for pod in self._list(CORE, place, "pods"):
            pods[_attempt(pod)].append(pod)
        return {attempt: seen_of(jobs.get(attempt), pods[attempt]) for attempt in jobs.keys() | pods.keys()}

    def cancel(self, attempt: str, place: str) -> None:
        """Deletes the Job; its pods get SIGTERM, and go when their kubelets have seen them end."""
        for namespace in [place] if place else self._namespaces(attempt):
            try:
                self._api.delete(_path(JOBS, namespace, "jobs", job_name(attempt)), {"propagationPolicy": "Background"})
            except Absent:
                continue

    def forget(self, attempt: str, place: str) -> None:
        self.cancel(attempt, place)

    def _namespaces(self, attempt: str) -> list[str]:
        """Where the cluster has a Job of an Attempt."""
        return [str(job["metadata"]["namespace"]) for job in self._list(JOBS, "", "jobs") if _attempt(job) == attempt]

    def _make_service(self, order: Order, place: str, job: Json) -> None:
        owner = {"name": job["metadata"]["name"], "uid": job["metadata"].get("uid", "")}
        try:
            self._api.post(_path(CORE, place, "services"), service_of(order, place, owner))
        except Taken:
            return

    def _list(self, group: str, place: str, kind: str) -> list[Json]:
        """What is ours of a kind, in one namespace or in all."""
        path = _path(group, place, kind)
        if path not in self._mirrors:
            self._mirrors[path] = Mirror(self._api, path, f"{MANAGED}=touyan")
        return [one for one in self._mirrors[path].items() if _attempt(one)]


def _path(group: str, namespace: str, kind: str, name: str = "") -> str:
    parts = [group, *(["namespaces", namespace] if namespace else []), kind, *([name] if name else [])]
    return "/".join(parts)


def _attempt(one: Json) -> str:
    """The Attempt whose Job or pod this is; empty where it is not ours."""
    return str((one["metadata"].get("annotations") or {}).get(ATTEMPT, ""))
