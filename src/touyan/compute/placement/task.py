"""What is placed, and where: `Task`, `Node`, `Placement`.

CPU is counted in thousandths of a core and GPUs in thousandths of a device, as Kubernetes and the openb trace count them. Knows
nothing of policies. Invariant: a Task that exists is one that some node could hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from touyan.core.errors import Invalid

WHOLE = 1000
"""Thousandths of one GPU."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one member of a Job asks of one node. Equal Tasks are one shape, and are judged together."""

    cpu_milli: int
    memory_bytes: int = 0
    gpu_milli: int = 0
    """Of each GPU: 1 to 1000; 0 where no GPU is asked for."""
    gpu_count: int = 0
    models: frozenset[str] = frozenset()
    """Exact GPU models that will do; empty: any."""

    def __post_init__(self) -> None:
        if min(self.cpu_milli, self.memory_bytes, self.gpu_milli, self.gpu_count) < 0:
            raise Invalid("bad-task", f"a task asks for less than nothing: {self}", "give amounts of zero or more")
        if bool(self.gpu_count) != bool(self.gpu_milli) or self.gpu_milli > WHOLE:
            raise Invalid("bad-task", f"GPUs and their share do not agree: {self}", "give 1 to 1000 thousandths of each GPU")
        if self.gpu_count > 1 and self.gpu_milli != WHOLE:
            raise Invalid("bad-task", f"a share of more than one GPU: {self}", "ask for whole GPUs, or for a share of one")

    def __str__(self) -> str:
        gpus = f", {self.gpu_count} GPU" if self.gpu_milli == WHOLE else f", {self.gpu_milli / WHOLE:g} GPU"
        models = f" of {' or '.join(sorted(self.models))}" if self.models else ""
        memory = f", {self.memory_bytes / 2**30:g} GiB" if self.memory_bytes else ""
        return f"{self.cpu_milli / 1000:g} CPU{memory}{gpus + models if self.gpu_count else ''}"


@dataclass(frozen=True, slots=True)
class Node:
    """One machine as it is when empty."""

    name: str
    cpu_milli: int
    memory_bytes: int
    gpu_count: int = 0
    model: str = ""
    """Exact model of its GPUs; empty without any."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A Task that holds its part of a node until it is released."""

    number: int
    """Unique within its Cluster, never used twice."""
    task: Task
    node: int
    """Position in `Cluster.nodes`."""
    devices: tuple[int, ...]
    """GPUs by their position on the node."""
