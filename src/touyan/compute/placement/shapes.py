"""Shapes: distinct Tasks as columns, so that one call judges many of them on many nodes.

Owns the question whether a shape fits a node. Knows nothing of preferences. Invariant: what does not fit a node by `fits` is
refused there by `Cluster.take`, and the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from touyan.compute.placement.cluster import Cluster, Ints
from touyan.compute.placement.task import WHOLE, Task

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Columns of shape (shapes,); `allowed` has shape (models, shapes)."""

    cpu: Ints
    memory: Ints
    count: Ints
    milli: Ints
    allowed: Bools


def shapes_of(tasks: Sequence[Task], cluster: Cluster) -> Shapes:
    """The columns of `tasks`, in their order."""
    columns = np.array([(t.cpu_milli, t.memory_bytes, t.gpu_count, t.gpu_milli) for t in tasks], dtype=np.int64).reshape(-1, 4).T
    allowed = np.array([[not t.models or model in t.models for t in tasks] for model in cluster.models])
    return Shapes(*columns, allowed)


def fits(cluster: Cluster, nodes: Ints, shapes: Shapes) -> Bools:
    """Whether each shape fits each of `nodes` now, shape (nodes, shapes)."""
    gpus = cluster.gpus[nodes]
    most, whole = gpus.max(1), (gpus == WHOLE).sum(1)
    by_gpu = np.where(shapes.count > 1, whole[:, None] >= shapes.count, most[:, None] >= shapes.milli)
    room = (cluster.cpu[nodes][:, None] >= shapes.cpu) & (cluster.memory[nodes][:, None] >= shapes.memory)
    return by_gpu & room & shapes.allowed[cluster.model[nodes]]
