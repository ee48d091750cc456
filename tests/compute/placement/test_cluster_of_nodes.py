"""A cluster gives nothing twice and takes nothing back twice; a task that no node could hold is not a task."""

from __future__ import annotations

import pytest

from touyan.compute.placement.cluster import Cluster
from touyan.compute.placement.fragmentation import FIRST_LOOK, Fragmentation
from touyan.compute.placement.placer import MAX_SHAPES, NodePlacer
from touyan.compute.placement.score import BestFit
from touyan.compute.placement.task import Node, Task
from touyan.core.errors import Conflict, Invalid

ONE = (Node("a", 16000, 0, 2, "a800"),)


def test_a_gpu_that_is_taken_is_not_given_again() -> None:
    cluster = Cluster(ONE)
    cluster.take(Task(0, 0, 810, 1), 0, (1,))
    with pytest.raises(Conflict, match="does not have"):
        cluster.take(Task(0, 0, 470, 1), 0, (1,))


@pytest.mark.parametrize("devices", [(), (0,), (0, 0)])
def test_a_task_of_two_gpus_takes_two(devices: tuple[int, ...]) -> None:
    with pytest.raises(Conflict):
        Cluster(ONE).take(Task(0, 0, 1000, 2), 0, devices)


def test_a_placement_is_released_once() -> None:
    cluster = Cluster(ONE)
    placement = cluster.take(Task(4000), 0, ())
    cluster.release(placement)
    with pytest.raises(Conflict, match="holds nothing"):
        cluster.release(placement)


@pytest.mark.parametrize("asked", [(-1,), (0, -1), (0, 0, 470, 2), (0, 0, 0, 1), (0, 0, 470, 0), (0, 0, 1001, 1)])
def test_a_task_that_makes_no_sense_is_refused(asked: tuple[int, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        Task(*asked)
    assert refused.value.hint


def test_a_cluster_has_nodes() -> None:
    with pytest.raises(Invalid):
        Cluster(())


def test_learning_happens_when_arrivals_have_doubled() -> None:
    cluster = Cluster(ONE)
    score = Fragmentation(cluster)
    learnt = [number for number in range(1, 8 * FIRST_LOOK + 1) if score.saw(cluster, Task(1000))]
    assert learnt == [FIRST_LOOK, 2 * FIRST_LOOK, 4 * FIRST_LOOK, 8 * FIRST_LOOK]


def test_more_shapes_than_the_table_has_lines_are_still_placed() -> None:
    cluster = Cluster(ONE)
    placer = NodePlacer(cluster, BestFit(cluster))
    placed = [placer.place(Task(number)) for number in range(MAX_SHAPES + 2)]
    assert [p is not None for p in placed] == [sum(range(number + 1)) <= 16000 for number in range(MAX_SHAPES + 2)]
