"""Why a task fits nowhere now, and what would: the answer a person gets in place of a node.

Owns the reasons and the nearest alternatives. Knows nothing of scores. Invariant: every alternative it names differs from the
task in one thing, and fits some node at the moment of asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from touyan.compute.placement.cluster import Cluster
from touyan.compute.placement.shapes import Bools, fits, shapes_of
from touyan.compute.placement.task import WHOLE, Task


@dataclass(frozen=True, slots=True)
class NoFit:
    """A task that fits no node now."""

    task: Task
    nodes: int
    lack: dict[str, int]
    """How many of the nodes lack each thing the task asks for; a node may lack several."""
    nearest: tuple[Task, ...]
    """Tasks that would fit now, each with one thing changed as little as it must; empty where no one change helps."""

    def __str__(self) -> str:
        lack = (
            ", ".join(f"{name} on {count}" for name, count in self.lack.items() if count) or "nothing by itself, but all together"
        )
        instead = "; ".join(map(str, self.nearest)) or "nothing that differs in one thing only: wait, or ask for less"
        return f"no node has {self.task} free. Of {self.nodes} nodes, lacking: {lack}. What would fit now: {instead}"


def why_not(cluster: Cluster, task: Task) -> NoFit | None:
    """The reasons why `task` fits nowhere and what comes nearest, or None where it fits."""
    if _where(cluster, task).any():
        return None
    asked = {
        "CPU": Task(task.cpu_milli),
        "memory": Task(0, task.memory_bytes),
        "free GPUs": Task(0, 0, task.gpu_milli, task.gpu_count),
        "the GPU model": Task(0, models=task.models),
    }
    lack = {name: int((~_where(cluster, only)).sum()) for name, only in asked.items()}
    return NoFit(task, len(cluster.nodes), lack, tuple(_nearest(cluster, task)))


def _where(cluster: Cluster, task: Task) -> Bools:
    """The nodes that `task` fits, shape (nodes,)."""
    return fits(cluster, np.arange(len(cluster.nodes)), shapes_of((task,), cluster))[:, 0]


def _nearest(cluster: Cluster, task: Task) -> Iterator[Task]:
    """For each thing: drops it from the task, looks where the rest fits, and asks for the most that is there."""
    without_gpu = _where(cluster, replace(task, gpu_milli=0, gpu_count=0))
    whole = int((cluster.gpus[without_gpu] == WHOLE).sum(1).max(initial=0))
    if task.gpu_count > 1 and whole:
        yield replace(task, gpu_count=whole)
    if task.gpu_count == 1 and (share := int(cluster.gpus[without_gpu].max(initial=0))):
        yield replace(task, gpu_milli=share)
    any_model = _where(cluster, replace(task, models=frozenset()))
    for model in sorted({cluster.models[position] for position in cluster.model[any_model]}):
        yield replace(task, models=frozenset({model}))
    without_cpu = _where(cluster, replace(task, cpu_milli=0))
    if cpu := int(cluster.cpu[without_cpu].max(initial=0)):
        yield replace(task, cpu_milli=cpu)
    without_memory = _where(cluster, replace(task, memory_bytes=0))
    if memory := int(cluster.memory[without_memory].max(initial=0)):
        yield replace(task, memory_bytes=memory)
