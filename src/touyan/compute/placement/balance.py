"""Balance: fragmentation, and beside it the GPUs that CPU will strand before they are fragments.

Owns the measure of stranding. Knows nothing of the trace it was measured on. Invariant: everything is counted in thousandths of
a GPU, so that nothing is weighed against anything, but for what decides between nodes that are else alike.

FGD sees that a node lacks CPU once no typical task fits any more; then it is too late. With c the mean CPU per GPU of the tasks
that come, a node with more free GPU than free CPU / c will end with the difference unused. A task goes where that grows least:
CPU tasks to nodes with CPU to spare. Figures, and where it does not help: docs/design/placement.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from touyan.compute.placement.cluster import Cluster, Ints
from touyan.compute.placement.fragmentation import Fragmentation
from touyan.compute.placement.score import BestFit, Floats, Judgement
from touyan.compute.placement.shapes import Shapes
from touyan.compute.placement.task import Task

TIE = 100.0
"""Thousandths of a GPU that best fit weighs, from an empty node to a full one: 30 to 300 give the same within 0.2 points."""


class Balance:
    """Judges a node by how much its fragments and its stranded GPUs grow; best fit decides between the rest."""

    def __init__(self, cluster: Cluster, typical: Mapping[Task, int] | None = None) -> None:
        """`typical` counts the tasks that usually come; without it they are learnt from those that arrive."""
        self._fragmentation = Fragmentation(cluster, typical)
        self._best_fit = BestFit(cluster)

    def saw(self, cluster: Cluster, task: Task) -> bool:
        return self._fragmentation.saw(cluster, task)

    def judge(self, cluster: Cluster, nodes: Ints, shapes: Shapes) -> Judgement:
        judged = self._fragmentation.judge(cluster, nodes, shapes)
        cpu, gpu = cluster.cpu[nodes][:, None], cluster.gpus[nodes].sum(1)[:, None]
        strands = self._stranded(cpu - shapes.cpu, gpu - shapes.count * shapes.milli) - self._stranded(cpu, gpu)
        left = self._best_fit.left(cluster, nodes)[:, None]
        return Judgement(judged.score + strands + TIE * left, judged.device)

    def _stranded(self, cpu: Ints, gpu: Ints) -> Floats:
        """Thousandths of GPUs that `cpu` cannot serve, at the mean CPU per GPU of typical tasks."""
        per_gpu = self._fragmentation.cpu_per_gpu
        return np.maximum(gpu - cpu / per_gpu, 0.0) if per_gpu else np.zeros(np.broadcast_shapes(cpu.shape, gpu.shape))
