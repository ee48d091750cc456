"""Small clusters and mixed tasks for the tests of placement, and the measure of the paper written out."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from touyan.compute.placement.cluster import Cluster
from touyan.compute.placement.task import WHOLE, Node, Task

GIB = 1 << 30
MODELS = ("a800", "ascend910b")


@st.composite
def nodes(draw: st.DrawFn) -> list[Node]:
    kinds = st.tuples(
        st.sampled_from([8000, 16000, 96000]), st.sampled_from([32 * GIB, 64 * GIB]), st.integers(0, 4), st.sampled_from(MODELS)
    )
    drawn = draw(st.lists(kinds, min_size=1, max_size=5))
    return [Node(f"n{i}", cpu, memory, gpus, model if gpus else "") for i, (cpu, memory, gpus, model) in enumerate(drawn)]


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    cpu, memory = draw(st.sampled_from([0, 2000, 3152, 8000, 12000])), draw(st.sampled_from([0, 4 * GIB, 16 * GIB]))
    count = draw(st.integers(0, 4))
    milli = 0 if not count else WHOLE if count > 1 else draw(st.sampled_from([200, 470, 810, 1000]))
    models = draw(st.sampled_from([frozenset(), frozenset(MODELS[:1]), frozenset(MODELS)])) if count else frozenset()
    return Task(cpu, memory, milli, count, models)


def fragments(cpu: int, gpus: list[int], model: str, typical: Mapping[Task, int]) -> float:
    """The fragments of one node over typical tasks, as section 4 of the paper defines them."""
    total = 0.0
    for task, times in typical.items():
        able = [free for free in gpus if free >= task.gpu_milli] if task.gpu_count else []
        fit = able and len(able) >= task.gpu_count and cpu >= task.cpu_milli and (not task.models or model in task.models)
        total += times / sum(typical.values()) * (sum(gpus) - (sum(able) if fit else 0))
    return total


def ways(cluster: Cluster, node: int, task: Task) -> list[list[int]]:
    """What the GPUs of a node may be after a task was placed there, one entry for each way; none where it does not fit."""
    gpus = cluster.gpus[node].tolist()
    model = cluster.nodes[node].model
    if (
        cluster.cpu[node] < task.cpu_milli
        or cluster.memory[node] < task.memory_bytes
        or (task.models and model not in task.models)
    ):
        return []
    if task.gpu_count == 1:
        able = [i for i, free in enumerate(gpus) if free >= task.gpu_milli]
        return [[free - task.gpu_milli * (i == taken) for i, free in enumerate(gpus)] for taken in able]
    whole = [i for i, free in enumerate(gpus) if free == WHOLE][: task.gpu_count]
    return [[free * (i not in whole) for i, free in enumerate(gpus)]] if len(whole) == task.gpu_count else []
