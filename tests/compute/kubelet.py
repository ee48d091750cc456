"""Kubernetes without containers, for tests: an API (kmock, or a real one) and a kubelet that runs commands as local processes.

A `Kubelet` binds pods to the one node `ascend-1`, runs the command of their first container on this host with the variables of its
`env`, and says what became of it, as a kubelet does. With `is_alone` it plays the Job controller too, which kmock lacks.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from touyan.compute.drivers.kubernetes_api import Absent, KubernetesApi, Taken

LOOK_S = 0.1
NODE = "ascend-1"
Json = dict[str, Any]


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def kmock_api() -> Iterator[str]:
    """The address of an emulated API, on a loop of its own thread."""
    from kmock import KubernetesEmulator, Server

    ready, done, addresses = threading.Event(), threading.Event(), list[str]()

    async def serve() -> None:
        async with KubernetesEmulator() as api, Server(api) as server:
            for resource in ("batch/v1/jobs", "v1/pods", "v1/services"):
                api.resources[resource] = {"namespaced": True}
            addresses.append(str(server.url).rstrip("/"))
            ready.set()
            await asyncio.to_thread(done.wait)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()  # watches that are open: the server would wait a minute for their end

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield addresses[0]
    finally:
        done.set()
        thread.join()


def write_kubeconfig(path: Path, address: str, token: str = "tok") -> Path:
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": address, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    path.write_text(json.dumps(config))
    return path


class Kubelet:
    """A thread that looks after all pods of the cluster. `with Kubelet(api, is_alone=True):`."""

    def __init__(self, api: KubernetesApi, is_alone: bool) -> None:
        self._api = api
        self._is_alone = is_alone
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.held = False
        """While True no pod begins: the cluster is full."""
        self.trouble: list[BaseException] = []

    def __enter__(self) -> Kubelet:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        for process in self._running.values():
            process.kill()
            process.wait()
        assert not self.trouble, self.trouble

    def _serve(self) -> None:
        try:
            while not self._end.wait(LOOK_S):
                self.round()
        except BaseException as error:
            self.trouble.append(error)

    def round(self) -> None:
        pods = self._api.get("/api/v1/pods")["items"]
        if self._is_alone:
            self._control(self._api.get("/apis/batch/v1/jobs")["items"], pods)
        for pod in pods:
            self._tend(pod)

    def _control(self, jobs: list[Json], pods: list[Json]) -> None:
        """The Job controller: pods for jobs, an end for jobs whose pods ended, no pods for jobs that are gone."""
        for job in jobs:
            mine = [p for p in pods if p["metadata"]["labels"].get("job-name") == job["metadata"]["name"]]
            if not mine and not job["spec"].get("suspend") and not job.get("status", {}).get("conditions"):
                self._make_pods(job)
            phases = [p.get("status", {}).get("phase") for p in mine]
            ended = "Failed" if "Failed" in phases else "Complete" if phases and set(phases) == {"Succeeded"} else None
            if ended and not job.get("status", {}).get("conditions"):
                status = {"conditions": [{"type": ended, "status": "True", "reason": "BackoffLimitExceeded"}]}
                self._quietly(self._api.patch, path(job, "jobs"), {"status": status})
        names = {j["metadata"]["name"] for j in jobs}
        for pod in pods:
            if pod["metadata"]["labels"].get("job-name") not in names:
                self._remove(pod)

    def _make_pods(self, job: Json) -> None:
        template, name = job["spec"]["template"], job["metadata"]["name"]
        for index in range(job["spec"]["parallelism"]):
            labels = {**template["metadata"]["labels"], "job-name": name}
            numbered = [{"name": "JOB_COMPLETION_INDEX", "value": str(index)}] if job["spec"].get("completionMode") else []
            container = dict(template["spec"]["containers"][0])
            meta = {**template["metadata"], "labels": labels, "name": f"{name}-{index}-{time.time_ns() % 1_000_000}"}
            body = {
                "metadata": {**meta, "namespace": job["metadata"]["namespace"]}, "status": {"phase": "Pending"},
                "spec": {**template["spec"], "containers": [{**container, "env": container["env"] + numbered}]},
            }  # fmt: skip
            self._api.post(f"/api/v1/namespaces/{job['metadata']['namespace']}/pods", body)

    def _tend(self, pod: Json) -> None:
        name = pod["metadata"]["name"]
        if name not in self._running and pod.get("status", {}).get("phase", "Pending") == "Pending" and not self.held:
            self._begin(pod)
        process = self._running.get(name)
        if process is None:
            return
        if pod["metadata"].get("deletionTimestamp") and process.poll() is None:
            process.send_signal(signal.SIGTERM)
        if process.poll() is not None:
            self._say_end(pod, process.returncode)
            del self._running[name]

    def _begin(self, pod: Json) -> None:
        if not self._is_alone:
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            self._api.post(f"{path(pod)}/binding", {"metadata": {"name": pod["metadata"]["name"]}, "target": target})
        container = pod["spec"]["containers"][0]
        given = {v["name"]: v["value"] for v in container.get("env", []) if "value" in v}
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **given}
        self._running[pod["metadata"]["name"]] = subprocess.Popen(container["command"], env=environment, start_new_session=True)
        self._say(pod, {"phase": "Running", "startTime": now()})

    def _say_end(self, pod: Json, code: int) -> None:
        terminated = {"exitCode": code if code >= 0 else 128 - code, "finishedAt": now()}
        ended = {
            "name": "payload",
            "image": "i",
            "imageID": "i",
            "restartCount": 0,
            "ready": False,
            "state": {"terminated": terminated},
        }
        self._say(pod, {"phase": "Failed" if code else "Succeeded", "containerStatuses": [ended]})
        if pod["metadata"].get("deletionTimestamp"):
            self._remove(pod, 0)

    def _say(self, pod: Json, status: Json) -> None:
        self._quietly(self._api.patch, path(pod) + ("" if self._is_alone else "/status"), {"status": status})

    def _remove(self, pod: Json, grace_s: int = 10) -> None:
        """As an API server: a pod that runs is marked, and goes when its kubelet says so."""
        name = pod["metadata"]["name"]
        if self._is_alone and name in self._running:
            self._quietly(self._api.patch, path(pod), {"metadata": {"deletionTimestamp": now(), "finalizers": ["kubelet"]}})
            self._running[name].send_signal(signal.SIGTERM)
            self._running.pop(name).wait()
            self._quietly(self._api.patch, path(pod), {"metadata": {"finalizers": []}})
        self._quietly(self._api.delete, path(pod), {"gracePeriodSeconds": grace_s})

    @staticmethod
    def _quietly(call: Any, *arguments: Any) -> None:
        """Something else may have removed or changed it meanwhile."""
        try:
            call(*arguments)
        except (Absent, Taken):
            return


def path(one: Json, kind: str = "pods") -> str:
    group = "/api/v1" if kind == "pods" else "/apis/batch/v1"
    return f"{group}/namespaces/{one['metadata']['namespace']}/{kind}/{one['metadata']['name']}"
