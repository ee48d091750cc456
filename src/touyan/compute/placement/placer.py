"""The placer: finds the node a score likes best, and keeps judgements so that a placement costs one node, not all of them.

Owns the table of judgements, shape (shapes, nodes). Knows nothing of what makes a node good. Invariant: each line of the table
is what the score would say of all nodes now; a placement or a release judges the one node it changed, for all shapes at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from touyan.compute.placement.cluster import Cluster, Ints
from touyan.compute.placement.score import Score
from touyan.compute.placement.shapes import Shapes, shapes_of
from touyan.compute.placement.task import WHOLE, Placement, Task

MAX_SHAPES = 512
"""Lines of the table: openb has 151 shapes. When more come, all are forgotten and those in use come back."""
NODES_AT_ONCE = 256
"""Nodes that are judged in one call: bounds memory at some 10 MB a table of 512 shapes on nodes of 8 GPUs."""


class Placer(Protocol):
    """Gives tasks their nodes."""

    def place(self, task: Task) -> Placement | None:
        """Where the task runs, or None where it fits nowhere now; `why_not` says why."""
        ...

    def release(self, placement: Placement) -> None:
        """Takes back what a placement holds. Raises Conflict where it holds nothing."""
        ...


class NodePlacer:
    """The placer of a site without a scheduler of its own. It alone may change its Cluster."""

    def __init__(self, cluster: Cluster, score: Score) -> None:
        self.cluster = cluster
        self._score = score
        self._everywhere: Ints = np.arange(len(cluster.nodes))
        self._forget()

    def place(self, task: Task) -> Placement | None:
        """Takes the node of the lowest score, of equal ones the first."""
        if self._score.saw(self.cluster, task):
            self._judge_all()
        line = self._line(task)
        node = int(self._scores[line].argmin())
        if self._scores[line, node] == np.inf:
            return None
        placement = self.cluster.take(task, node, self._devices(task, line, node))
        self._judge(np.array([node]))
        return placement

    def place_gang(self, tasks: Sequence[Task]) -> tuple[Placement, ...] | None:
        """Places all of them, or none and gives None."""
        placed: list[Placement] = []
        for task in tasks:
            placement = self.place(task)
            if placement is None:
                self._release_all(placed)
                return None
            placed.append(placement)
        return tuple(placed)

    def release(self, placement: Placement) -> None:
        self.cluster.release(placement)
        self._judge(np.array([placement.node]))

    def _release_all(self, placements: Iterable[Placement]) -> None:
        for placement in placements:
            self.release(placement)

    def _devices(self, task: Task, line: int, node: int) -> tuple[int, ...]:
        if task.gpu_count == 1:
            return (int(self._device[line, node]),)
        return tuple(np.flatnonzero(self.cluster.gpus[node] == WHOLE)[: task.gpu_count].tolist())

    def _line(self, task: Task) -> int:
        line = self._lines.get(task)
        if line is None:
            if len(self._lines) == MAX_SHAPES:
                self._forget()
            line = self._lines[task] = len(self._lines)
            self._shapes = shapes_of(tuple(self._lines), self.cluster)
            self._judge_all(line)
        return line

    def _forget(self) -> None:
        self._lines: dict[Task, int] = {}
        self._shapes: Shapes = shapes_of((), self.cluster)
        self._scores = np.full((MAX_SHAPES, len(self.cluster.nodes)), np.inf)
        self._device = np.zeros((MAX_SHAPES, len(self.cluster.nodes)), dtype=np.int8)

    def _judge_all(self, first: int = 0) -> None:
        """Judges all nodes, for the shapes from line `first` on."""
        shapes = shapes_of(tuple(self._lines)[first:], self.cluster)
        for begin in range(0, len(self._everywhere), NODES_AT_ONCE):
            self._judge(self._everywhere[begin : begin + NODES_AT_ONCE], shapes, first)

    def _judge(self, nodes: Ints, shapes: Shapes | None = None, first: int = 0) -> None:
        judged = self._score.judge(self.cluster, nodes, self._shapes if shapes is None else shapes)
        lines = slice(first, first + judged.score.shape[1])
        self._scores[lines, nodes] = judged.score.T
        self._device[lines, nodes] = judged.device.T
