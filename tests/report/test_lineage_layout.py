"""The layout of the lineage: nothing overlaps, edges point down, the same graph gives the same picture."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.report.layout import Layout, place, rank

WIDTH, GAP = 150.0, 18.0


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    ids = [f"n{i}" for i in range(draw(st.integers(1, 14)))]
    edges = st.tuples(st.sampled_from(ids), st.sampled_from(ids))
    return ids, draw(st.lists(edges, max_size=24))


def placed(graph: tuple[list[str], list[tuple[str, str]]]) -> Layout:
    return place(*graph, node_width=WIDTH, gap=GAP)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_boxes_of_a_layer_keep_their_distance(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    for (x, layer), (other, level) in combinations(placed(graph).nodes.values(), 2):
        assert layer != level or abs(x - other) >= WIDTH + GAP - 0.01


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_every_box_is_inside_the_picture(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    found = placed(graph)
    assert all(WIDTH / 2 - 0.01 <= x <= found.width - WIDTH / 2 + 0.01 and 0 <= y < found.layers for x, y in found.nodes.values())


@given(graphs())
def test_every_edge_that_is_kept_points_down(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    ranks, kept = rank(*graph)
    assert set(ranks) == set(graph[0])
    assert all(ranks[a] < ranks[b] for a, b in kept)


@settings(max_examples=20, deadline=None)
@given(graphs())
def test_the_same_graph_gives_the_same_picture(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    assert placed(graph) == placed(graph)


def test_a_graph_without_cycles_keeps_all_its_edges() -> None:
    edges = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")]
    ranks, kept = rank(["d", "c", "b", "a"], edges)
    assert sorted(kept) == sorted(edges)
    assert ranks == {"a": 0, "b": 1, "c": 2, "d": 3}


def test_a_route_passes_every_layer_between_its_ends() -> None:
    found = place(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")], WIDTH, GAP)
    assert [layer for _, layer in found.routes["a", "c"]] == [0, 1, 2]


def test_what_is_not_connected_stands_close_beside() -> None:
    found = place(["a", "alone", "b", "c", "d"], [("a", "b"), ("c", "d")], WIDTH, GAP)
    assert [found.nodes[n][0] - found.nodes["a"][0] for n in ("c", "alone")] == [WIDTH + GAP, 2 * (WIDTH + GAP)]


def test_an_empty_graph_has_an_empty_picture() -> None:
    assert place([], [], WIDTH, GAP) == Layout({}, {}, 0.0, 0)
