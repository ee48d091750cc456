"""Places a small directed graph in layers, from top to bottom (Sugiyama, Tagawa and Toda 1981).

Layers by longest path, order by barycentres, and x by least squares under the order. Knows nothing of what the nodes are or how
they look. Invariant: within a layer nothing overlaps; the same graph gives the same picture; cycles lose their closing edges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 12
LANE_WEIGHT = 6.0
Edge = tuple[str, str]
Key = Hashable
"""A node's id, or (from, to, layer) for the point where a long edge passes a layer."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Centres of nodes, and the points that each edge passes, both as (x, layer)."""

    nodes: Mapping[str, tuple[float, int]]
    routes: Mapping[Edge, Sequence[tuple[float, int]]]
    width: float
    layers: int


def place(ids: Sequence[str], edges: Iterable[Edge], node_width: float, gap: float, lane_width: float = 14.0) -> Layout:
    """Places nodes of `node_width`, `gap` apart; an edge that passes a layer takes a lane of `lane_width`."""
    ranks, kept = rank(ids, edges)
    nodes: dict[str, tuple[float, int]] = {}
    routes: dict[Edge, list[tuple[float, int]]] = {}
    contour: dict[int, float] = defaultdict(lambda: -gap)
    for part in components(ids, kept):
        layers, at, through = _placed(part, [e for e in kept if e[0] in part], ranks, node_width, gap, lane_width)
        reach = {key: node_width / 2 if isinstance(key, str) else lane_width / 2 for key in at}
        shift = max(contour[level] + gap - min(at[k] - reach[k] for k in layer) for level, layer in enumerate(layers))
        for level, layer in enumerate(layers):
            contour[level] = max(at[k] + reach[k] + shift for k in layer)
        nodes |= {i: (at[i] + shift, ranks[i]) for i in part}
        levels = {key: level for level, layer in enumerate(layers) for key in layer}
        routes |= {edge: [(at[k] + shift, levels[k]) for k in route] for edge, route in through.items()}
    left = min((x for points in (nodes.values(), *routes.values()) for x, _ in points), default=0.0) - node_width / 2
    moved = {i: (x - left, y) for i, (x, y) in nodes.items()}
    lanes = {edge: [(x - left, y) for x, y in route] for edge, route in routes.items()}
    return Layout(moved, lanes, max(contour.values(), default=0.0) - left, len(contour)) if ids else Layout({}, {}, 0.0, 0)


def components(ids: Sequence[str], edges: Iterable[Edge]) -> list[list[str]]:
    """The connected parts of the graph, the largest first; within a part and among equals the order of `ids`."""
    home = {i: [i] for i in ids}
    for a, b in edges:
        if home[a] is not home[b]:
            home[a] += home[b]
            home.update(dict.fromkeys(home[b], home[a]))
    parts = list({id(part): sorted(part, key=ids.index) for part in home.values()}.values())
    return sorted(parts, key=len, reverse=True)


def _placed(
    ids: Sequence[str], edges: Sequence[Edge], ranks: Mapping[str, int], node_width: float, gap: float, lane_width: float
) -> tuple[list[list[Key]], dict[Key, float], dict[Edge, list[Key]]]:
    """Layers, x and routes of one connected part."""
    routes = {edge: _route(edge, ranks) for edge in edges}
    links = [pair for route in routes.values() for pair in pairwise(route)]
    layers = _ordered(_layers(ids, ranks, routes), links)
    widths: dict[Key, float] = {key: node_width if isinstance(key, str) else lane_width for layer in layers for key in layer}
    lanes = {key: route for route in routes.values() for key in route[1:-1]}
    return layers, _coordinates(layers, links, lanes, widths, gap), routes


def rank(ids: Sequence[str], edges: Iterable[Edge]) -> tuple[dict[str, int], list[Edge]]:
    """The layer of each node, one below its lowest parent, and the edges that point downwards."""
    known = set(ids)
    given = [e for e in dict.fromkeys(edges) if e[0] in known and e[1] in known and e[0] != e[1]]
    waiting = {i: sum(1 for _, b in given if b == i) for i in ids}
    ranks: dict[str, int] = {}
    while waiting:
        # In a cycle nobody is free: the one that waits for fewest goes first, and what points back to it is dropped.
        free = min(waiting, key=lambda i: (waiting[i], ids.index(i)))
        del waiting[free]
        ranks[free] = max((ranks[a] + 1 for a, b in given if b == free and a in ranks), default=0)
        for a, b in given:
            if a == free and b in waiting:
                waiting[b] -= 1
    return ranks, [(a, b) for a, b in given if ranks[a] < ranks[b]]


def _route(edge: Edge, ranks: Mapping[str, int]) -> list[Key]:
    a, b = edge
    return [a, *((a, b, level) for level in range(ranks[a] + 1, ranks[b])), b]


def _layers(ids: Sequence[str], ranks: Mapping[str, int], routes: Mapping[Edge, Sequence[Key]]) -> list[list[Key]]:
    layers: list[list[Key]] = [[] for _ in range(max(ranks[i] for i in ids) + 1)]
    for i in ids:
        layers[ranks[i]].append(i)
    for (a, _), route in routes.items():
        for offset, key in enumerate(route[1:-1], start=ranks[a] + 1):
            layers[offset].append(key)
    return layers


def _neighbours(links: Iterable[tuple[Key, Key]]) -> tuple[dict[Key, list[Key]], dict[Key, list[Key]]]:
    above: dict[Key, list[Key]] = defaultdict(list)
    below: dict[Key, list[Key]] = defaultdict(list)
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    return above, below


def _ordered(layers: list[list[Key]], links: Sequence[tuple[Key, Key]]) -> list[list[Key]]:
    """The order with the fewest crossings among those that the sweeps pass through."""
    above, below = _neighbours(links)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        order = range(1, len(layers)) if down else range(len(layers) - 2, -1, -1)
        for level in order:
            beside = {key: i for i, key in enumerate(layers[level - 1 if down else level + 1])}
            _sort(layers[level], beside, above if down else below)
        if (found := _crossings(layers, below)) < fewest:
            best, fewest = [list(layer) for layer in layers], found
    return best


def _sort(layer: list[Key], beside: Mapping[Key, int], neighbours: Mapping[Key, Sequence[Key]]) -> None:
    here = {key: i for i, key in enumerate(layer)}
    weight = {key: _mean([beside[n] for n in neighbours.get(key, ())], here[key]) for key in layer}
    layer.sort(key=lambda key: (weight[key], here[key]))


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(layers: Sequence[Sequence[Key]], below: Mapping[Key, Sequence[Key]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        place_of = {key: i for i, key in enumerate(lower)}
        ends = [place_of[n] for key in upper for n in sorted(below.get(key, ()), key=lambda n: place_of[n])]
        total += sum(1 for i, a in enumerate(ends) for b in ends[i + 1 :] if a > b)
    return total


def _coordinates(
    layers: Sequence[Sequence[Key]],
    links: Sequence[tuple[Key, Key]],
    lanes: Mapping[Key, Sequence[Key]],
    widths: Mapping[Key, float],
    gap: float,
) -> dict[Key, float]:
    """x of every key. A node wishes to stand amid its neighbours; a lane amid its whole edge, so that long edges run straight."""
    above, below = _neighbours(links)
    x: dict[Key, float] = {}
    for layer in layers:
        x.update(zip(layer, _spread([0.0] * len(layer), [1.0] * len(layer), [widths[k] for k in layer], gap), strict=True))
    both = {key: [*above.get(key, ()), *below.get(key, ())] for layer in layers for key in layer}
    for sweep in range(3 * SWEEPS):
        neighbours = (above, below, both)[sweep % 3]
        for layer in reversed(layers) if sweep % 3 == 1 else layers:
            wanted = [_mean([x[n] for n in lanes.get(key) or neighbours.get(key, ())], x[key]) for key in layer]
            weights = [LANE_WEIGHT if key in lanes else 1.0 for key in layer]
            x.update(zip(layer, _spread(wanted, weights, [widths[k] for k in layer], gap), strict=True))
    return x


def _spread(wanted: Sequence[float], weights: Sequence[float], widths: Sequence[float], gap: float) -> list[float]:
    """The places nearest to the wanted ones (weighted least squares) that keep order and distance: pooling adjacent violators."""
    offsets = [0.0]
    for a, b in pairwise(widths):
        offsets.append(offsets[-1] + (a + b) / 2 + gap)
    pools: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, mass, size = want - offset, weight, 1
        while pools and pools[-1][0] > mean:
            other, heavy, count = pools.pop()
            mean, mass, size = (mean * mass + other * heavy) / (mass + heavy), mass + heavy, size + count
        pools.append((mean, mass, size))
    level = [mean for mean, _, size in pools for _ in range(size)]
    return [m + offset for m, offset in zip(level, offsets, strict=True)]
