"""What a Job and its pods say of a payload, in the words of an EngineDriver.

Owns the reading of their status. Knows nothing of how they were fetched: they are the JSON of the API. Invariant: an end is called
certain only where a kubelet has said that the container ended. Sources: Kubernetes API core/v1 PodStatus, batch/v1 JobStatus;
pod lifecycle and disruptions (kubernetes.io/docs/concepts/workloads/pods).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from touyan.compute.driver import Exit
from touyan.compute.drivers.engine import Seen, State, exit_of

Json: TypeAlias = Mapping[str, Any]
OVER = ("Succeeded", "Failed")
HOPELESS = ("ErrImageNeverPull", "InvalidImageName", "ImagePullBackOff", "CreateContainerConfigError", "CreateContainerError")
"""Reasons for which a kubelet waits and waits: it has tried by then, and a queue of ours would wait with it."""
DISRUPTED = "DisruptionTarget"
"""Condition of a pod that a scheduler, an eviction or a lost node ends (v1.26)."""


def seen_of(job: Json | None, pods: Sequence[Json]) -> Seen:
    """One payload; `job` is None where it is deleted already and pods of it are left."""
    if hopeless := next(filter(None, map(_hopeless, pods)), None):
        return Seen("ended", Exit("vanished", 0, f"could not begin: {hopeless}"), is_certain=False)
    if any(_phase(pod) not in OVER for pod in pods):
        return Seen(_state([pod for pod in pods if _phase(pod) not in OVER]))
    conditions = _true(job.get("status", {}).get("conditions")) if job else {}
    failed = [pod for pod in pods if _phase(pod) == "Failed"]
    if failed:
        return end_of(failed)
    if "Complete" in conditions or (job is None and pods):
        return Seen("ended", Exit("vanished", 0, "ended without its wrapper's word"))
    if "Failed" in conditions:  # and its pods are gone: nobody saw them end
        said = conditions["Failed"]
        words = f"lost its pods: {said.get('reason', '')} {said.get('message', '')}".rstrip()
        return Seen("ended", Exit("vanished", 0, words), is_certain=False)
    return Seen("suspended" if job and job["spec"].get("suspend") else "waiting")


def _state(pods: Sequence[Json]) -> State:
    """Of pods that are not over. One that is being deleted stays until its kubelet says that it ended: a lost node never does."""
    if all(pod["metadata"].get("deletionTimestamp") for pod in pods):
        return "leaving"
    return "running" if any(_phase(pod) == "Running" for pod in pods) else "waiting"


def end_of(failed: Sequence[Json]) -> Seen:
    """How failed pods ended; of a gang the first that did, because it took the others along."""
    first = min(failed, key=lambda pod: _ended_at(pod) or "9")
    status, ended = first["status"], _terminated(first)
    is_certain = all(_terminated(pod) is not None for pod in failed)
    why = str(status.get("reason") or "")
    if ended is not None and ended.get("reason") == "OOMKilled":
        return Seen("ended", Exit("memory", 0, "was ended by the kernel at its container's memory limit"), is_certain)
    disruption = _true(status.get("conditions")).get(DISRUPTED)
    if disruption or why or ended is None:
        said = disruption or status
        words = f"was taken off its node: {said.get('reason') or 'its pod is lost'} {said.get('message') or ''}".rstrip()
        return Seen("ended", Exit("vanished", 0, words), is_certain)
    return Seen("ended", exit_of(int(ended["exitCode"]), str(ended.get("message") or "")), is_certain)


def _phase(pod: Json) -> str:
    return str(pod.get("status", {}).get("phase", "Pending"))


def _containers(pod: Json) -> Sequence[Json]:
    return pod.get("status", {}).get("containerStatuses") or ()


def _terminated(pod: Json) -> Json | None:
    """What the kubelet said of the end of the payload's container; None where it did not."""
    return next((c["state"]["terminated"] for c in _containers(pod) if "terminated" in c.get("state", {})), None)


def _ended_at(pod: Json) -> str:
    return str((_terminated(pod) or {}).get("finishedAt") or "")


def _hopeless(pod: Json) -> str:
    """Why a container will not start, or nothing."""
    waiting = [c["state"]["waiting"] for c in _containers(pod) if "waiting" in c.get("state", {})]
    return next((f"{w['reason']} {w.get('message') or ''}".rstrip() for w in waiting if w.get("reason") in HOPELESS), "")


def _true(conditions: Sequence[Json] | None) -> dict[str, Json]:
    """Conditions that hold, by type."""
    return {str(c["type"]): c for c in conditions or () if c.get("status") == "True"}
