"""Fragmentation gradient descent: the node whose free GPUs lose least of their use to the tasks that usually come.

Owns the measure of Weng et al. (Beware of Fragmentation, USENIX ATC'23, section 4). Knows nothing of memory, as the paper does
not. Invariant: the tables only make it fast; the sum over typical tasks, written out, gives the same number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from touyan.compute.placement.cluster import Cluster, Ints
from touyan.compute.placement.score import Floats, Judgement
from touyan.compute.placement.shapes import Shapes, fits
from touyan.compute.placement.task import WHOLE, Task

FIRST_LOOK = 16
"""Arrivals before the first learning; after it, whenever they have doubled: a long run learns log2(n) times."""


class Use:
    """What typical tasks can use of free GPUs, as tables.

    `use(node)` is the sum over typical tasks of share w x what is free on the GPUs that can hold the task, or nothing where the
    node cannot. For tasks of one GPU that is a sum over GPUs (`shared`, shape (models, CPU steps, 1001 free amounts)), for others
    a function of how many are whole (`gangs`, shape (models, CPU steps, whole GPUs)), so no task is looked at to judge a node.
    """

    def __init__(self, cluster: Cluster, seen: Mapping[Task, int]) -> None:
        self.steps: Ints = np.unique([task.cpu_milli for task in seen])
        models, width = len(cluster.models), cluster.gpus.shape[1]
        shared = np.zeros((models, len(self.steps) + 1, WHOLE + 1))
        gangs = np.zeros((models, len(self.steps) + 1, width + 1))
        total = sum(seen.values())
        gpu = sum(times * task.gpu_count * task.gpu_milli for task, times in seen.items())
        self.cpu_per_gpu = sum(times * task.cpu_milli for task, times in seen.items() if task.gpu_count) / gpu if gpu else 0.0
        for task, times in seen.items():
            allowed = [not task.models or model in task.models for model in cluster.models]
            step = int(np.searchsorted(self.steps, task.cpu_milli)) + 1
            if task.gpu_count == 1:
                shared[allowed, step, task.gpu_milli] += times / total
            elif 1 < task.gpu_count <= width:
                gangs[allowed, step, task.gpu_count] += times / total
        self.shared: Floats = shared.cumsum(1).cumsum(2) * np.arange(WHOLE + 1)
        self.gangs: Floats = gangs.cumsum(1).cumsum(2) * WHOLE * np.arange(width + 1)

    def step(self, cpu: Ints) -> Ints:
        """How many of the CPU steps `cpu` covers."""
        return np.searchsorted(self.steps, cpu, side="right")

    def of(self, model: Ints, cpu: Ints, gpus: Ints) -> Floats:
        """Use of nodes: `model` and `cpu` of shape (nodes,), `gpus` (nodes, GPUs)."""
        step = self.step(cpu)
        alone = self.shared[model[:, None], step[:, None], gpus].sum(1)
        return alone + self.gangs[model, step, (gpus == WHOLE).sum(1)]


class Fragmentation:
    """Judges a node by how much its fragments grow when the task is put there."""

    def __init__(self, cluster: Cluster, typical: Mapping[Task, int] | None = None) -> None:
        """`typical` counts the tasks that usually come; without it they are learnt from those that arrive."""
        self._learns = typical is None
        self._seen: Counter[Task] = Counter(typical)
        self._arrived, self._next = 0, FIRST_LOOK
        self._use = Use(cluster, self._seen)

    @property
    def cpu_per_gpu(self) -> float:
        """Mean CPU per GPU of the typical tasks that ask for one; 0 where none does."""
        return self._use.cpu_per_gpu

    def saw(self, cluster: Cluster, task: Task) -> bool:
        if not self._learns:
            return False
        self._seen[task] += 1
        self._arrived += 1
        if self._arrived < self._next:
            return False
        self._next *= 2
        self._use = Use(cluster, self._seen)
        return True

    def judge(self, cluster: Cluster, nodes: Ints, shapes: Shapes) -> Judgement:
        model, gpus = cluster.model[nodes], cluster.gpus[nodes]
        before = gpus.sum(1) - self._use.of(model, cluster.cpu[nodes], gpus)
        after, device = self._after(model, cluster.cpu[nodes], gpus, shapes)
        left = gpus.sum(1)[:, None] - shapes.count * shapes.milli
        score = np.where(fits(cluster, nodes, shapes), left - after - before[:, None], np.inf)
        return Judgement(score, device)

    def _after(self, model: Ints, cpu: Ints, gpus: Ints, shapes: Shapes) -> tuple[Floats, Ints]:
        """The use that is left when a shape is placed as well as it can be, and on which GPU; shapes (nodes, shapes)."""
        use, free, kind = self._use, gpus[:, None, :], model[:, None]
        step = use.step(cpu[:, None] - shapes.cpu)
        now = use.shared[kind[:, :, None], step[:, :, None], free]
        whole = (free == WHOLE).sum(2)
        one = shapes.milli * (shapes.count == 1)
        rest = np.maximum(free - one[:, None], 0)
        gain = use.shared[kind[:, :, None], step[:, :, None], rest] - now
        gain += use.gangs[kind[:, :, None], step[:, :, None], whole[:, :, None] - ((free == WHOLE) & (one[:, None] > 0))]
        gain = np.where(free >= one[:, None], gain, -np.inf)
        device = gain.argmax(2)
        many = np.where(shapes.count > 1, shapes.count, 0)
        gangs = use.gangs[kind, step, np.maximum(whole - many, 0)]
        taken = now.sum(2) - many * use.shared[kind, step, WHOLE]
        return np.where(shapes.count > 1, taken + gangs, now.sum(2) + gain.max(2)), device
