"""What holds of any placer on any cluster: never beyond what is free, all of it back, and the choice that the naive measure makes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from placing import fragments, nodes, tasks, ways

from touyan.compute.placement.balance import Balance
from touyan.compute.placement.cluster import Cluster
from touyan.compute.placement.fragmentation import FIRST_LOOK, Fragmentation
from touyan.compute.placement.placer import NodePlacer
from touyan.compute.placement.score import BestFit
from touyan.compute.placement.task import Node, Placement, Task

STEPS = st.lists(tasks() | st.integers(0, 9), max_size=25)
"""A task arrives, or the placement of that number is released."""
SCORES = {
    "best fit": BestFit,
    "known": lambda c: Fragmentation(c, {Task(2000, 0, 470, 1): 2, Task(8000, 0, 1000, 2): 1}),
    "learnt": Fragmentation,
    "balance": Balance,
}


def follow(placer: NodePlacer, steps: list[Task | int]) -> list[Placement]:
    held: list[Placement] = []
    for step in steps:
        if isinstance(step, Task):
            placement = placer.place(step)
            held += [placement] if placement else []
        elif step < len(held):
            placer.release(held.pop(step))
    return held


@pytest.mark.parametrize("score", SCORES.values(), ids=list(SCORES))
@given(nodes=nodes(), steps=STEPS)
def test_what_is_held_and_what_is_free_are_the_whole_cluster(
    score: type[BestFit], nodes: list[Node], steps: list[Task | int]
) -> None:
    cluster, empty = Cluster(nodes), Cluster(nodes)
    placer = NodePlacer(cluster, score(cluster))
    held = follow(placer, steps)
    assert min(cluster.cpu.min(), cluster.memory.min(), cluster.gpus.min()) >= 0
    for node in range(len(nodes)):
        assert cluster.cpu[node] + sum(p.task.cpu_milli for p in held if p.node == node) == nodes[node].cpu_milli
    for placement in held:
        placer.release(placement)
    assert all((getattr(cluster, name) == getattr(empty, name)).all() for name in ("cpu", "memory", "gpus"))


@pytest.mark.parametrize("learns", [False, True])
@given(nodes=nodes(), typical=st.lists(tasks(), min_size=FIRST_LOOK, max_size=FIRST_LOOK), asked=st.lists(tasks(), max_size=6))
def test_the_kept_judgements_choose_as_the_naive_measure_does(
    learns: bool, nodes: list[Node], typical: list[Task], asked: list[Task]
) -> None:
    cluster, counted = Cluster(nodes), Counter(typical)
    placer = NodePlacer(cluster, Fragmentation(cluster, None if learns else counted))
    follow(placer, typical)
    for task in asked:
        growths = naive(cluster, task, counted)
        placement = placer.place(task)
        if placement is None:
            assert growths == {}
            continue
        took = tuple(cluster.gpus[placement.node].tolist())
        assert growths[placement.node, took] == pytest.approx(min(growths.values()), abs=1e-6)


def naive(cluster: Cluster, task: Task, typical: Counter[Task]) -> dict[tuple[int, tuple[int, ...]], float]:
    """How much fragments grow with each node and way to place `task`."""
    growths = {}
    for node in range(len(cluster.nodes)):
        cpu, gpus, model = int(cluster.cpu[node]), cluster.gpus[node].tolist(), cluster.nodes[node].model
        for after in ways(cluster, node, task):
            growths[node, tuple(after)] = fragments(cpu - task.cpu_milli, after, model, typical) - fragments(
                cpu, gpus, model, typical
            )
    return growths


@given(nodes=nodes(), steps=STEPS, asked=tasks())
def test_a_placer_that_saw_all_the_changes_chooses_as_a_fresh_one(
    nodes: list[Node], steps: list[Task | int], asked: Task
) -> None:
    cluster = Cluster(nodes)
    placer = NodePlacer(cluster, score := BestFit(cluster))
    follow(placer, steps)
    fresh = NodePlacer(cluster, score).place(asked)
    if fresh:
        cluster.release(fresh)
    kept = placer.place(asked)
    assert (kept and (kept.node, kept.devices)) == (fresh and (fresh.node, fresh.devices))


@given(nodes=nodes(), gang=st.lists(tasks(), min_size=1, max_size=8))
def test_a_gang_is_placed_whole_or_leaves_no_trace(nodes: list[Node], gang: list[Task]) -> None:
    cluster, empty = Cluster(nodes), Cluster(nodes)
    placed = NodePlacer(cluster, BestFit(cluster)).place_gang(gang)
    if placed is None:
        assert np.array_equal(cluster.gpus, empty.gpus)
        assert np.array_equal(cluster.cpu, empty.cpu)
    else:
        assert [p.task for p in placed] == gang
