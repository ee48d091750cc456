"""The seam between what is preferred and how it is found: a `Score` judges nodes, a placer takes the lowest.

Owns best fit. Knows nothing of bookkeeping. Invariant: a judgement of a node depends on that node and on the shape alone, which
is what lets a placer judge only the node that changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from touyan.compute.placement.cluster import Cluster, Ints
from touyan.compute.placement.shapes import Shapes, fits
from touyan.compute.placement.task import WHOLE, Task

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of each shape on each node, shapes (nodes, shapes): lower is better, infinite where it does not fit."""

    score: Floats
    device: Ints
    """The GPU to share where a shape asks for one; without meaning elsewhere."""


class Score(Protocol):
    """A preference among nodes."""

    def judge(self, cluster: Cluster, nodes: Ints, shapes: Shapes) -> Judgement:
        """Judges `nodes`, given by position, as they are now."""
        ...

    def saw(self, cluster: Cluster, task: Task) -> bool:
        """Is told of each task that arrives; True where what it judged before holds no more."""
        ...


class BestFit:
    """The node with the least left: free CPU and free GPU, each over the most that a node of this cluster has.

    This is the BestFit of the published comparison (Weng et al., USENIX ATC'23, section 6.1), which leaves memory out.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cpu = max(node.cpu_milli for node in cluster.nodes)
        self._gpu = WHOLE * max(1, *(node.gpu_count for node in cluster.nodes))

    def left(self, cluster: Cluster, nodes: Ints) -> Floats:
        """What is free on each of `nodes`, from 0 to 2. What a task would take of it is the same on all of them."""
        return cluster.cpu[nodes] / self._cpu + cluster.gpus[nodes].sum(1) / self._gpu

    def judge(self, cluster: Cluster, nodes: Ints, shapes: Shapes) -> Judgement:
        gpus = cluster.gpus[nodes]
        score = np.where(fits(cluster, nodes, shapes), self.left(cluster, nodes)[:, None], np.inf)
        tight = np.where(gpus[:, None, :] >= shapes.milli[:, None], gpus[:, None, :], WHOLE + 1)
        return Judgement(score, tight.argmin(2))

    def saw(self, cluster: Cluster, task: Task) -> bool:
        return False
