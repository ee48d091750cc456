"""Ray clusters through their Jobs API: a payload is a job whose submission id is the id of its Attempt.

Owns the requests and what their answers mean. Speaks HTTP, so that an agent needs no Ray, let alone the cluster's version of it.
Ray keeps no users apart: every account has a cluster of its own, and the payloads of one cluster trust each other. Source: Ray
Jobs REST API (docs.ray.io, cluster/running-applications/job-submission); its states and errors as of Ray 2.60.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touyan.compute.driver import Exit, Order
from touyan.compute.drivers.engine import MOST_WORDS, EngineDriver, Seen, Unreachable, exit_of
from touyan.compute.drivers.settings import read_settings
from touyan.compute.launch import Keep
from touyan.core.errors import Invalid, Refused

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 15.0
"""Of one request."""
GANG_CPUS = 0.01
"""Of the process that reserves a gang's nodes: not nothing, which would put it on the head node."""
NEVER_BEGAN = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"
"""Ray fails a job that has waited 15 minutes for its resources (RAY_JOB_START_TIMEOUT_SECONDS). A queue is no failure."""


@dataclass(frozen=True, slots=True)
class RaySettings:
    """What the owner of a site says of its Ray clusters."""

    address: str = ""
    """Dashboard of the cluster for the agent's own account, such as `http://10.0.0.1:8265`."""
    clusters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Account to the dashboard of its cluster."""
    resources: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    """Accelerator model to what one of it is in Ray: `ascend-910b: {NPU: 1, "accelerator_type:Ascend910B": 0.001}`."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further variables of every payload, such as `NCCL_SOCKET_IFNAME`."""
    token_file: Path | None = None
    """Holds the bearer token of clusters that ask for one."""


def open_driver(settings: Mapping[str, object], python: str = "") -> EngineDriver:
    """The driver for a site. `python`: the nodes' interpreter; it must find Touyan. Raises Invalid."""
    read = read_settings(RaySettings, settings)
    if not (read.address or read.clusters):
        raise Invalid("bad-driver-settings", "no Ray cluster is named", "set driver.address, or driver.clusters, in site.yaml")
    return EngineDriver(RayClusters(read, python or sys.executable))


class RayClusters:
    """`touyan.compute.drivers.engine.Engine` over Ray. A place is the address of a cluster's dashboard."""

    keep: Keep = "devices"

    def __init__(self, settings: RaySettings, python: str, transport: httpx.BaseTransport | None = None) -> None:
        import httpx

        self.environment = settings.environment
        self._settings = settings
        self._python = python
        # No connection is kept: one list a second needs none, and no socket is left behind.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(timeout=TIMEOUT_S, transport=transport, limits=limits, trust_env=False)

    def place(self, account: str) -> str:
        address = self._settings.clusters.get(account, "") if account else self._settings.address
        if not address:
            words = f"this site has no Ray cluster for the account {account!r}"
            raise Refused("no-account", words, "its owner names one under driver.clusters of site.yaml")
        return address.rstrip("/")

    def places(self) -> Sequence[str]:
        named = {self._settings.address, *self._settings.clusters.values()} - {""}
        return sorted(address.rstrip("/") for address in named)

    def submit(self, order: Order, place: str) -> None:
        answer = self._ask("POST", place, json=self._job(order))
        if answer.status_code < 400 or "already exists" in answer.text:
            return
        said = answer.text.strip().rpartition("\n")[2]
        raise Refused("engine-refused", f"Ray refused {order.attempt}: {said[:MOST_WORDS]}", "see driver.* in site.yaml")

    def seen(self, place: str) -> Mapping[str, Seen]:
        answer = self._ask("GET", place)
        if answer.status_code != 200:
            raise Unreachable(f"Ray at {place}", f"status {answer.status_code}")
        jobs: list[dict[str, Any]] = answer.json()
        return {job["submission_id"]: seen_of(job) for job in jobs if job.get("submission_id")}

    def cancel(self, attempt: str, place: str) -> None:
        self._ask("POST", place, f"{attempt}/stop")

    def forget(self, attempt: str, place: str) -> None:
        self._ask("DELETE", place, attempt)

    def _job(self, order: Order) -> dict[str, object]:
        """The body of a submission. A gang's own job is small: it reserves the nodes itself."""
        node = self._node(order)
        own = dict(node) if order.gang == 1 else {"CPU": GANG_CPUS}
        return {
            "submission_id": order.attempt,
            "entrypoint": self._entrypoint(order, node),
            "entrypoint_num_cpus": own.pop("CPU"),
            "entrypoint_num_gpus": own.pop("GPU", 0),
            "entrypoint_memory": own.pop("memory", 0),
            "entrypoint_resources": own,
            "metadata": {"touyan_token": str(order.token), "touyan_account": order.account},
        }

    def _entrypoint(self, order: Order, node: Mapping[str, float]) -> str:
        """A shell command: secrets are in `launch.json`, because everybody who sees the dashboard sees the command."""
        begin = ["exec", "env", f"PYTHONPATH={order.environment.get('PYTHONPATH', '')}", self._python, "-P", "-m"]
        if order.gang == 1:
            return shlex.join([*begin, "touyan.compute.launch", str(order.root)])
        return shlex.join([*begin, "touyan.compute.drivers.ray_gang", str(order.root), str(order.gang), json.dumps(node)])

    def _node(self, order: Order) -> dict[str, float]:
        """What one node of an order takes. CPUs are always named: Ray would start a job that asks for nothing on the head node."""
        return {"CPU": order.cpus or 1, "memory": order.limits.memory_bytes, **self._devices(order)}

    def _devices(self, order: Order) -> Mapping[str, float]:
        """Ray's names for the devices of one node. Raises Refused where the owner has not said what the model is in Ray."""
        chosen = order.accelerator
        if chosen is None:
            return {}
        if chosen.model not in self._settings.resources:
            words = f"this site has not said what {chosen.model} is in Ray"
            raise Refused("no-accelerator", words, "its owner names it under driver.resources of site.yaml")
        return {name: amount * chosen.count for name, amount in self._settings.resources[chosen.model].items()}

    def _ask(self, method: str, place: str, path: str = "", json: object = None) -> httpx.Response:
        """One request; an answer that is not the API's own is none."""
        import httpx

        try:
            answer = self._client.request(method, f"{place}/api/jobs/{path}", json=json, headers=self._headers())
        except (httpx.TransportError, OSError) as error:
            raise Unreachable(f"Ray at {place}", str(error) or type(error).__name__) from error
        if answer.status_code in (401, 403, 407, 429) or (answer.status_code >= 500 and "already exists" not in answer.text):
            raise Unreachable(f"Ray at {place}", f"status {answer.status_code}")
        return answer

    def _headers(self) -> dict[str, str]:
        """Read anew each time: tokens are rotated under a running agent."""
        file = self._settings.token_file
        return {"Authorization": f"Bearer {file.read_text().strip()}"} if file else {}


def seen_of(job: Mapping[str, Any]) -> Seen:
    """What one `JobDetails` means."""
    said = str(job.get("message") or "")
    match job["status"]:
        case "PENDING":
            return Seen("waiting")
        case "RUNNING":
            return Seen("running")
        case "STOPPED":
            return Seen("ended", Exit("stopped", 0, "was stopped by Ray"))
        case "SUCCEEDED":
            return Seen("ended", Exit("vanished", 0, "ended without its wrapper's word"))
        case _ if job.get("error_type") == NEVER_BEGAN:
            return Seen("unstarted")
        case _ if (code := job.get("driver_exit_code")) is not None:
            return Seen("ended", exit_of(int(code), said))
        case _:
            return Seen("ended", Exit("vanished", 0, f"was lost by Ray: {said[:MOST_WORDS]}"), is_certain=False)
