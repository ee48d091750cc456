"""A Kubernetes cluster: a payload is a batch/v1 Job, a Party's account its namespace.

Owns the requests and how a cluster is reached. Knows nothing of what a manifest holds (`kubernetes_job`) or a status means
(`kubernetes_end`). The official client reads kubeconfigs and renews credentials; answers are read as plain JSON, because a cluster
may be years older or younger than it. Invariant: nothing is created that is not labelled as ours, and nothing else is touched.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from touyan.compute.driver import Order
from touyan.compute.drivers.engine import EngineDriver, Seen, Unreachable
from touyan.compute.drivers.kubernetes_end import Json, seen_of
from touyan.compute.drivers.kubernetes_job import (
    ATTEMPT,
    MANAGED,
    KubernetesSettings,
    job_name,
    job_of,
    service_of,
)
from touyan.compute.drivers.settings import read_settings
from touyan.compute.launch import Keep
from touyan.core.errors import Broken, Invalid, Refused, missing_extra

if TYPE_CHECKING:
    from kubernetes import client

TIMEOUT_S = (5.0, 20.0)
"""To connect, and to hear more of an answer."""
SELECTOR = f"{MANAGED}=touyan"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def open_driver(settings: Mapping[str, object], python: str = "") -> EngineDriver:
    """The driver for a site. `python`: the interpreter in its images. Raises Invalid, and Missing without the extra."""
    read = read_settings(KubernetesSettings, settings)
    return EngineDriver(KubernetesCluster(read, connect(read), python or "python3"))


def connect(settings: KubernetesSettings) -> client.ApiClient:
    """A client of the cluster. Raises Invalid where the kubeconfig cannot be used."""
    try:
        from kubernetes import client, config
    except ImportError as error:
        raise missing_extra("kubernetes", "kubernetes") from error
    configuration = client.Configuration()
    try:
        if settings.kubeconfig or not SERVICE_ACCOUNT.exists():
            config.load_kube_config(settings.kubeconfig or None, settings.context or None, configuration)
        else:
            config.load_incluster_config(configuration)
    except config.ConfigException as error:
        raise Invalid("bad-driver-settings", f"driver.kubeconfig: {error}", "see: kubectl config view") from error
    configuration.retries = False  # a look comes every second anyway
    return client.ApiClient(configuration)


class KubernetesCluster:
    """`touyan.compute.drivers.engine.Engine` over one cluster. A place is a namespace."""

    keep: Keep = "container"

    def __init__(self, settings: KubernetesSettings, api: client.ApiClient, python: str = "python3") -> None:
        from kubernetes import client

        self.environment = settings.environment
        self._settings = settings
        self._python = python
        self._jobs = client.BatchV1Api(api)
        self._core = client.CoreV1Api(api)

    def place(self, account: str) -> str:
        return account or self._settings.namespace

    def places(self) -> Sequence[str]:
        """Parties come and go, and what an agent before this one left may be anyone's: all namespaces (`""`), unless they are named."""
        return self._settings.namespaces or [""]

    def submit(self, order: Order, place: str) -> None:
        body = job_of(order, place, self._settings, self._python)
        try:
            made = self._ask(self._jobs.create_namespaced_job, place, body)
        except Taken:
            made = self._ask(self._jobs.read_namespaced_job, body["metadata"]["name"], place)
            if made["metadata"].get("annotations", {}).get(ATTEMPT) != order.attempt:
                words = f"a Job {body['metadata']['name']} that is not ours is in the namespace {place}"
                raise Refused("engine-refused", words, "give Touyan a namespace of its own") from None
        if order.gang > 1:
            self._make_service(order, place, made)

    def seen(self, place: str) -> Mapping[str, Seen]:
        """Jobs first, then pods: a pod may be there whose Job is not listed, but no Job whose pods ended meanwhile is called lost."""
        jobs = {j["metadata"]["annotations"][ATTEMPT]: j for j in self._list("job", place)}
        pods: dict[str, list[Json]] = defaultdict(list)
        for pod in self._list("pod", place):
            pods[pod["metadata"]["annotations"][ATTEMPT]].append(pod)
        return {attempt: seen_of(jobs.get(attempt), pods[attempt]) for attempt in jobs.keys() | pods.keys()}

    def cancel(self, attempt: str, place: str) -> None:
        """Deletes the Job; its pods get SIGTERM, and go when their kubelets have seen them end."""
        for namespace in [place] if place else self._namespaces(attempt):
            try:
                self._ask(self._jobs.delete_namespaced_job, job_name(attempt), namespace, propagation_policy="Background")
            except Absent:
                continue

    def forget(self, attempt: str, place: str) -> None:
        self.cancel(attempt, place)

    def _namespaces(self, attempt: str) -> list[str]:
        """Where the cluster has a Job of an Attempt."""
        return [j["metadata"]["namespace"] for j in self._list("job", "") if j["metadata"]["annotations"][ATTEMPT] == attempt]

    def _make_service(self, order: Order, place: str, job: Json) -> None:
        owner = {"name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}
        try:
            self._ask(self._core.create_namespaced_service, place, service_of(order, place, owner))
        except Taken:
            return

    def _list(self, kind: str, place: str) -> list[Json]:
        """What is ours of a kind, in one namespace or in all."""
        api = self._jobs if kind == "job" else self._core
        call = getattr(api, f"list_namespaced_{kind}" if place else f"list_{kind}_for_all_namespaces")
        found = self._ask(call, *([place] if place else []), label_selector=SELECTOR)
        return [one for one in found["items"] if ATTEMPT in (one["metadata"].get("annotations") or {})]

    def _ask(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Json:
        """One request. Raises Taken (409), Absent (404), Refused (the cluster says no), Unreachable (anything else)."""
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            answer = call(*arguments, **options, _preload_content=False, _request_timeout=TIMEOUT_S)
            return cast(Json, json.loads(answer.data))
        except ApiException as error:
            raise _error_of(error) from error
        except (HTTPError, OSError, ValueError) as error:
            raise Unreachable("Kubernetes", str(error) or type(error).__name__) from error


class Absent(Broken):
    """What was asked for is not there."""


class Taken(Broken):
    """What was to be made is there."""


def _error_of(error: Any) -> Broken | Refused:
    """What a status means. 401 of a rotated credential, 429 and 5xx say nothing of any payload."""
    said = _message(error.body) or str(error.reason)
    match error.status:
        case 403:
            return Refused(
                "engine-forbidden", f"Kubernetes forbids it: {said}", "see the agent's Role, and the namespace's ResourceQuota"
            )
        case 404:
            return Absent("no-object", said, "see that the namespace exists")
        case 409:
            return Taken("object-exists", said, "look at it with kubectl")
        case 400 | 422:
            return Refused("engine-refused", f"Kubernetes refused the Job: {said}", "see driver.* in site.yaml")
    return Unreachable("Kubernetes", f"status {error.status}: {said}")


def _message(body: object) -> str:
    """The words of a `Status` object."""
    try:
        return str(json.loads(cast(str, body))["message"])
    except (TypeError, ValueError, KeyError):
        return ""
