"""The nodes of a site and what is free on each: the one truth that scores, placers and refusals read.

Owns the free amounts, as columns over nodes. Knows nothing of why a node is chosen. Invariant: nothing is ever taken beyond what
is free, and what a Placement holds comes back once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from touyan.compute.placement.task import WHOLE, Node, Placement, Task
from touyan.core.errors import Conflict, Invalid

Ints = NDArray[np.int64]


class Cluster:
    """Nodes with their free CPU, memory and GPUs.

    `cpu` and `memory` have shape (nodes,), `gpus` (nodes, most GPUs on a node); a GPU that a node does not have is one with
    nothing free, so that no score needs to tell them apart. `model` has the position of a node's model in `models`.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        if not nodes:
            raise Invalid("no-nodes", "a cluster without nodes", "list at least one node of the site")
        self.nodes = tuple(nodes)
        self.models = tuple(sorted({node.model for node in nodes}))
        self.model: Ints = np.array([self.models.index(node.model) for node in nodes])
        self.cpu: Ints = np.array([node.cpu_milli for node in nodes])
        self.memory: Ints = np.array([node.memory_bytes for node in nodes])
        present = np.arange(max(1, *(node.gpu_count for node in nodes))) < np.array([[node.gpu_count] for node in nodes])
        self.gpus: Ints = np.where(present, WHOLE, 0).astype(np.int64)
        self._held: dict[int, Placement] = {}
        self._last = 0

    def take(self, task: Task, node: int, devices: tuple[int, ...]) -> Placement:
        """Gives `task` its part of a node. Raises Conflict where that is not free."""
        gpus = self.gpus[node]
        room = self.cpu[node] >= task.cpu_milli and self.memory[node] >= task.memory_bytes
        distinct = len(set(devices)) == len(devices) == task.gpu_count
        if not (room and distinct and all(gpus[device] >= task.gpu_milli for device in devices)):
            raise Conflict("not-free", f"{self.nodes[node].name} does not have {task} free", "place the task again")
        self._last += 1
        placement = Placement(self._last, task, node, devices)
        self._held[placement.number] = placement
        self._move(placement, -1)
        return placement

    def release(self, placement: Placement) -> None:
        """Takes back what a Placement holds. Raises Conflict where it holds nothing (any more)."""
        if self._held.get(placement.number) != placement:
            raise Conflict("not-held", f"placement {placement.number} holds nothing here", "release each placement once")
        del self._held[placement.number]
        self._move(placement, 1)

    def _move(self, placement: Placement, sign: int) -> None:
        task, node = placement.task, placement.node
        self.cpu[node] += sign * task.cpu_milli
        self.memory[node] += sign * task.memory_bytes
        for device in placement.devices:
            self.gpus[node, device] += sign * task.gpu_milli
