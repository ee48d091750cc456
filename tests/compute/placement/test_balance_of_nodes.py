"""Balance keeps CPU where GPUs wait for it; where nothing is lost it fills one node after another."""

from __future__ import annotations

from touyan.compute.placement.balance import Balance
from touyan.compute.placement.cluster import Cluster
from touyan.compute.placement.placer import NodePlacer
from touyan.compute.placement.score import BestFit
from touyan.compute.placement.task import Node, Task

SITE = (Node("tight", 16000, 0, 2, "a800"), Node("ample", 64000, 0, 2, "a800"))
TYPICAL = {Task(8000, 0, 1000, 1): 1}


def test_a_task_without_gpu_goes_where_cpu_is_to_spare() -> None:
    cluster = Cluster(SITE)
    assert NodePlacer(cluster, BestFit(cluster)).place(Task(12000)).node == 0  # type: ignore[union-attr]
    cluster = Cluster(SITE)
    assert NodePlacer(cluster, Balance(cluster, TYPICAL)).place(Task(12000)).node == 1  # type: ignore[union-attr]


def test_nodes_that_lose_alike_are_filled_one_after_another() -> None:
    cluster = Cluster((Node("a", 64000, 0, 2, "a800"), Node("b", 64000, 0, 2, "a800")))
    placer = NodePlacer(cluster, Balance(cluster, TYPICAL))
    placed = [placer.place(Task(8000, 0, 1000, 1)) for _ in range(4)]
    assert [p.node for p in placed if p] == [0, 0, 1, 1]


def test_before_any_gpu_task_was_seen_it_is_best_fit() -> None:
    cluster = Cluster(SITE)
    assert NodePlacer(cluster, Balance(cluster)).place(Task(12000)).node == 0  # type: ignore[union-attr]
