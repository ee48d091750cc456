"""A task that fits nowhere is answered with what lacks and with what would fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from placing import GIB, nodes, tasks

from touyan.compute.placement.cluster import Cluster
from touyan.compute.placement.placer import NodePlacer
from touyan.compute.placement.refusal import why_not
from touyan.compute.placement.score import BestFit
from touyan.compute.placement.task import Node, Task

SITE = (Node("a", 16000, 64 * GIB, 4, "a800"), Node("b", 32000, 64 * GIB, 8, "ascend910b"))


def test_the_answer_names_the_other_model_and_the_smaller_number() -> None:
    answer = why_not(Cluster(SITE), Task(8000, 0, 1000, 8, frozenset({"a800"})))
    assert answer is not None
    assert answer.nearest == (Task(8000, 0, 1000, 4, frozenset({"a800"})), Task(8000, 0, 1000, 8, frozenset({"ascend910b"})))
    assert str(answer) == (
        "no node has 8 CPU, 8 GPU of a800 free. Of 2 nodes, lacking: free GPUs on 1, the GPU model on 1. "
        "What would fit now: 8 CPU, 4 GPU of a800; 8 CPU, 8 GPU of ascend910b"
    )


def test_a_task_that_lacks_two_things_everywhere_has_no_near_alternative() -> None:
    answer = why_not(Cluster(SITE), Task(64000, 128 * GIB))
    assert answer is not None
    assert answer.nearest == ()
    assert "wait, or ask for less" in str(answer)


@given(nodes=nodes(), running=st.lists(tasks(), max_size=12), asked=tasks())
def test_there_is_an_answer_just_where_there_is_no_node_and_all_it_names_fits(
    nodes: list[Node], running: list[Task], asked: Task
) -> None:
    cluster = Cluster(nodes)
    placer = NodePlacer(cluster, BestFit(cluster))
    for task in running:
        placer.place(task)
    answer = why_not(cluster, asked)
    for near in answer.nearest if answer else ():
        placement = placer.place(near)
        assert placement is not None
        placer.release(placement)
    assert (placer.place(asked) is None) == (answer is not None)
